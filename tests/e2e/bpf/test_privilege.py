"""With how little the bpf recorder does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kprof.recorders.bpf.uprobes import many_at_once

KPROF = [sys.executable, "-m", "kprof"]


CAPABLE = "-all,+bpf,+perfmon,+syslog,+dac_read_search"


def test_a_user_with_two_capabilities(tmp_path):
    """CAP_DAC_READ_SEARCH is there to reach this Python, and CAP_SYSLOG for the names of the kernel."""
    tmp_path.chmod(0o777)
    command = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={CAPABLE}",
        f"--ambient-caps={CAPABLE}", f"--bounding-set={CAPABLE}", *KPROF, "record", "--backend", "bpf",
    ]  # fmt: skip
    environment = {**os.environ, "HOME": "/tmp", "TMPDIR": "/tmp"}
    cases = (
        (["-e", "off-cpu"], "nanosleep"),
        (["-e", "page-faults"], "_dl_"),
        (["-e", "raw_tp:sys_enter"], "nanosleep"),
        (["-e", "lock,block-io", "-o", "x.kprof"], ""),
        # Attaching to many places at once needs no CAP_SYS_ADMIN, which perf's way to them does.
        *(((["-e", "malloc"], "malloc"), (["-e", "malloc", "--live"], "malloc")) if many_at_once() else ()),
    )
    for arguments, name in cases:
        done = subprocess.run(
            [*command, *arguments, "-f", "--", "sleep", "0.2"],
            cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert name in (tmp_path / "out.folded").read_text()


def test_capabilities_are_given_up_once_programs_are_attached(tmp_path, running):
    """What is left is what reading takes: CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE and CAP_SYSLOG."""
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(running.pid)],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    status = Path(f"/proc/{recorder.pid}/status")
    try:
        deadline = time.monotonic() + 60
        while "CapEff:\t0000000400080004" not in status.read_text():
            assert time.monotonic() < deadline, status.read_text()
            time.sleep(0.1)
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(60) == 0
    finally:
        recorder.kill()
        recorder.wait()
    # They were back for what root alone may write.
    assert (tmp_path / "out.folded").exists()
