"""Two recorders at once: neither breaks what the other records."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists(),
    reason="loads BPF programs: needs root and a kernel that tells its types",
)


def test_perf_records_while_programs_of_ours_count(tmp_path):
    out = tmp_path / "out.folded"
    ours = subprocess.Popen(
        [sys.executable, "-m", "kprof", "record", "--backend", "bpf", "-a", "-d", "7", "-o", out],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    time.sleep(2)
    recording = tmp_path / "perf.data"
    command = ["perf", "record", "-q", "-g", "-F", "997", "-e", "cpu-clock", "-o", recording, "--"]
    work = "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: sum(i * i for i in range(9999))"
    busy = [sys.executable, "-c", work]
    theirs = subprocess.run([*command, *busy], capture_output=True, text=True, check=False)
    said, _ = ours.communicate(timeout=60)
    assert theirs.returncode == 0, theirs.stderr
    assert ours.returncode == 0, said
    folded = subprocess.run(
        [sys.executable, "-m", "kprof", "fold", "-q", recording], capture_output=True, text=True, check=True
    )
    both = (folded.stdout, out.read_text())
    assert all("_PyEval_EvalFrameDefault" in text for text in both)
