"""What goes wrong while programs are loaded or count, done for real."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

KPROF = [sys.executable, "-m", "kprof"]


def bpf_left():
    """Programs that are loaded, by the names of ours."""
    listed = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if re.search(r"name (sample|on_fork|on_free) ", line)]


def test_a_killed_recorder_leaves_what_it_had_and_nothing_in_the_kernel(kprof, weights, tmp_path, running):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(running.pid)],
        cwd=tmp_path, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    time.sleep(4)
    recorder.kill()
    recorder.communicate(timeout=60)
    (path,) = tmp_path.glob("kprof-*/*.kprof")
    done = kprof("fold", str(path), "-o", "out.folded")
    assert done.returncode == 0, done.stderr
    assert "1 line not understood" in done.stderr
    assert any(";one" in stack for stack in weights(tmp_path / "out.folded"))
    if shutil.which("bpftool"):
        deadline = time.monotonic() + 10
        while bpf_left() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not bpf_left()
    assert not list(Path("/sys/fs/bpf").glob("*kprof*"))


def test_without_capabilities_it_says_what_is_missing(tmp_path):
    tmp_path.chmod(0o777)
    command = [
        "setpriv",
        "--bounding-set",
        "-all",
        "--inh-caps",
        "-all",
        *KPROF,
        "record",
        "--backend",
        "bpf",
        "-a",
    ]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "loading BPF programs needs CAP_BPF and CAP_PERFMON" in done.stderr
