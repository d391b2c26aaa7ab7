"""`kprof record --root` ends: by signals, by Ctrl-C in a terminal, by the time; no perf of root is left."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_an_elevated_perf(weights, assert_kernel_is_seen, assert_clean, user, busy, number):
    recorder = user.start(
        sys.executable, "-m", "kprof", "record", "--root", "-p", str(busy.pid),
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(3)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert_kernel_is_seen(user.work / "out.folded")
    assert sum(weights(user.work / "out.folded").values()) > 5e7
    assert_clean(user)
    assert not _perfs_of(user)


def test_a_second_signal_aborts_an_elevated_perf(user, busy, base):
    # A perf that takes its time to finish: there is no other way to be sure that the second signal is in time.
    tools = base / "slow"
    tools.mkdir()
    tool = tools / "perf"
    tool.write_text(f"#!/bin/sh\ntrap '' INT\n{shutil.which('perf')} \"$@\"\nexec sleep 40\n")
    tool.chmod(0o755)
    line = [sys.executable, "-m", "kprof", "record", "--root", "-p", str(busy.pid)]
    recorder = user.start("env", f"PATH={tools}:{os.environ['PATH']}", *line, stderr=subprocess.PIPE)
    begun = time.monotonic()
    for _ in range(2):
        time.sleep(3)
        recorder.send_signal(signal.SIGINT)
    _, errors = recorder.communicate(timeout=60)
    assert time.monotonic() - begun < 20
    assert recorder.returncode == 130, errors
    raw = Path(os.fsdecode(re.search(rb"the raw data, perhaps not whole, is in (\S+)", errors)[1]))
    assert raw.stat().st_uid == user.uid
    assert {Path(program).name for program, _ in user.ran_as_root()} == {"perf", "kill"}
    time.sleep(0.5)
    assert not _perfs_of(user)
    shutil.rmtree(raw.parent)


def _perfs_of(user):
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if "perf record" in line and str(user.temporary) in line]


@pytest.mark.parametrize("target", ["process", "command"])
def test_ctrl_c_in_a_terminal(endless, assert_kernel_is_seen, assert_clean, user, busy, target):
    what = ["-p", str(busy.pid)] if target == "process" else ["--", *endless]
    code, seen = _in_terminal(user, [sys.executable, "-m", "kprof", "record", "--root", *what], after=3)
    # A command that Ctrl-C ended gives 128 + SIGINT, as in a shell. A shell on a busy machine may be
    # between two children, survive it, and be ended by the SIGTERM that follows.
    assert code in ({0} if target == "process" else {130, 143}), seen
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)
    assert not _perfs_of(user)


def _in_terminal(user, line, *, after):
    """Run in a terminal of its own, type Ctrl-C; return the exit code and what was on the screen."""
    line, options = user.command(*line), user.options
    pid, screen = pty.fork()
    if not pid:
        os.chdir(options["cwd"])
        os.execvpe(line[0], line, options["env"])  # noqa: S606 - a terminal needs the fork
    seen, begun, typed = b"", time.monotonic(), False
    while time.monotonic() < begun + 60:
        if not typed and time.monotonic() > begun + after:
            typed = True
            os.write(screen, b"\x03")
        if select.select([screen], [], [], 0.1)[0]:
            try:
                seen += os.read(screen, 1 << 16)
            except OSError:
                break
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(screen)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


def test_the_end_of_the_time_ends_perf_and_command(endless, assert_kernel_is_seen, assert_clean, user):
    done = user.record("-d", "1", "--", *endless)
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)
    assert not _perfs_of(user)
