"""`kprof record` of a user who may do little."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534


def as_nobody(*arguments, cwd):
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return subprocess.run(
        [*nobody, sys.executable, "-m", "kprof", *arguments],
        cwd=cwd, check=False, capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": "/tmp"},
    )  # fmt: skip


@pytest.fixture
def public(tmp_path_factory):
    """A directory that nobody may write to, reached through directories that nobody may enter."""
    if not os.access(sys.executable, os.X_OK) or not _nobody_can_run():
        pytest.skip("nobody cannot reach this Python, which lies in another user's home")
    path = Path("/tmp") / f"kprof-nobody-{os.getpid()}"
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    yield path
    subprocess.run(["rm", "-rf", path], check=True)


def _nobody_can_run():
    return as_nobody("--version", cwd="/").returncode == 0


def paranoid():
    return int(Path("/proc/sys/kernel/perf_event_paranoid").read_text())


def test_an_unprivileged_user_gets_user_code_only(public):
    if paranoid() != 2:
        pytest.skip(f"perf_event_paranoid is {paranoid()}, the message is about 2")
    done = as_nobody(
        "record", "--", "/bin/sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", cwd=public
    )
    assert done.returncode == 0, done.stderr
    assert "perf_event_paranoid is 2: recording user code only" in done.stderr
    assert "do_syscall_64" not in (public / "out.folded").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-a", "-d", "1"], "sampling whole CPUs is not permitted: kernel.perf_event_paranoid is 2"),
        (["-e", "sched:sched_switch", "--", "true"], "recording tracepoints is not permitted"),
        (["-p", "1", "-d", "1"], "sampling a process of another user needs CAP_PERFMON"),
    ],
)
def test_what_is_not_permitted_is_explained(public, arguments, says):
    if paranoid() != 2:
        pytest.skip(f"perf_event_paranoid is {paranoid()}, the message is about 2")
    done = as_nobody("record", *arguments, cwd=public)
    assert done.returncode == 3, done.stderr
    assert says in done.stderr
    assert "--root" in done.stderr
