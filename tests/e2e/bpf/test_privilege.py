"""With how little the bpf recorder does."""

import os
import subprocess
import sys

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
    for arguments, name in ((["-e", "off-cpu"], "nanosleep"), (["-e", "page-faults"], "_dl_")):
        done = subprocess.run(
            [*command, *arguments, "-f", "--", "sleep", "0.2"],
            cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert name in (tmp_path / "out.folded").read_text()
    done = subprocess.run(
        [*command, "-e", "malloc", "-f", "--", "sleep", "0.2"],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60, env=environment,
    )  # fmt: skip
    assert done.returncode == 3
    assert "functions of programs need CAP_SYS_ADMIN" in done.stderr
