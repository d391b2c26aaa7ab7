"""Signals to `kprof record`: one keeps what was recorded, two abort, and no command outlives it."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A perf that takes its time to finish: there is no other way to be sure that the second signal is in time.
SLOW_PERF = """#!/bin/sh
trap 'sleep 5' INT
{perf} "$@" &
wait
sleep 5
"""
STUBBORN = "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass"
GRACEFUL = """import signal, sys
def end(number, frame):
    print(number, flush=True)
    sys.exit(3)
for n in (2, 15): signal.signal(n, end)
while True: pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_keeps_what_was_recorded(begin, weights, tmp_path, busy, number):
    recorder = begin("-p", str(busy.pid))
    time.sleep(4)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert weights(tmp_path / "out.folded")


def test_a_second_signal_aborts_and_says_where_the_data_is(begin, tmp_path, busy):
    tool = tmp_path / "perf"
    tool.write_text(SLOW_PERF.format(perf=_which("perf")))
    tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    recorder = begin("-p", str(busy.pid), env=environment)
    time.sleep(2)
    for _ in range(2):
        recorder.send_signal(signal.SIGINT)
        time.sleep(0.5)
    _, errors = recorder.communicate(timeout=60)
    path = re.search(rb"the raw data, perhaps not whole, is in (\S+)", errors)
    assert recorder.returncode == 130, errors
    assert Path(os.fsdecode(path[1])).exists()
    assert not (tmp_path / "out.folded").exists()


def _which(name):
    return subprocess.run(
        ["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_reaches_the_command(begin, weights, tmp_path, number):
    command = [sys.executable, "-c", GRACEFUL]
    recorder = begin("--", *command, stdout=subprocess.PIPE, start_new_session=True)
    time.sleep(2)
    recorder.send_signal(number)
    output, errors = recorder.communicate(timeout=60)
    assert (recorder.returncode, output) == (3, b"%d\n" % number), errors
    assert weights(tmp_path / "out.folded")


def test_no_command_outlives_us(begin):
    recorder = begin("--", sys.executable, "-c", STUBBORN, start_new_session=True)
    time.sleep(2)
    for _ in range(2):
        recorder.send_signal(signal.SIGINT)
        time.sleep(1)
    # Its end closes the pipe, which the command holds as well.
    recorder.communicate(timeout=60)
    assert recorder.returncode in {130, 128 + 9}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_abort_while_writing_says_where_the_data_is(begin, tmp_path, busy, number):
    """Writing goes on for as long as nobody reads: the pipe is full from the start."""
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, bytes(size))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    recorder = begin(
        "-p", str(busy.pid), "-d", "0.5", "-o", "-", stdout=writing, env=environment, start_new_session=True
    )
    os.close(writing)
    deadline = time.monotonic() + 60
    waits = Path(f"/proc/{recorder.pid}/wchan")
    while "pipe_write" not in waits.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    os.close(reading)
    assert recorder.returncode == 130, errors
    path = re.search(rb"the raw data is in (\S+)", errors)
    assert Path(os.fsdecode(path[1])).stat().st_size > 1000
