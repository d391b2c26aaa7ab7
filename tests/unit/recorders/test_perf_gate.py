"""The command that waits until perf samples."""

import signal
import time

import pytest

from kprof.recorders.gate import Gate
from kprof.recorders.signals import StopSignals
from kprof.system.procfs import is_alive


@pytest.fixture
def gate(tmp_path):
    gates = []

    def build(script):
        gates.append(Gate(str(tmp_path), ["sh", "-c", script]))
        return gates[-1]

    yield build
    for each in gates:
        each.close()


def ended(gate):
    deadline = time.monotonic() + 5
    while not gate.has_ended() and time.monotonic() < deadline:
        time.sleep(0.01)
    return gate.has_ended()


def test_it_waits(gate, tmp_path):
    waiting = gate(f"echo ran > {tmp_path}/ran")
    time.sleep(0.2)
    assert not waiting.has_ended()
    assert not (tmp_path / "ran").exists()
    waiting.open()
    assert ended(waiting)
    assert waiting.finish(StopSignals(), by_itself=False) == 0
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_its_status(gate, script, status):
    command = gate(script)
    command.open()
    # perf may end first: the command's end is waited for, and no signal changes its status.
    assert command.finish(StopSignals(), by_itself=True) == status


def test_the_end_of_the_time_is_no_failure(gate):
    command = gate("sleep 60")
    command.open()
    assert command.finish(StopSignals(), by_itself=False) == 0
    assert command.has_ended()


def test_it_may_save_its_work_before_it_ends(gate, tmp_path):
    command = gate(
        f"trap 'sleep 0.5; echo saved > {tmp_path}/saved; exit 3' TERM; while :; do sleep 0.05; done"
    )
    command.open()
    time.sleep(0.3)
    assert command.finish(StopSignals(), by_itself=False) == 0
    assert (tmp_path / "saved").exists()


def test_a_signal_that_only_we_had_is_passed_on(gate):
    command = gate("trap 'exit 5' TERM; while :; do sleep 0.05; done")
    command.open()
    time.sleep(0.3)
    with StopSignals() as signals:
        signal.raise_signal(signal.SIGTERM)
        assert signals.count == 1
        assert command.finish(signals, by_itself=False) == 5


def test_nothing_is_left_behind(tmp_path):
    command = Gate(str(tmp_path), ["sleep", "60"])
    pid = command.pid
    command.close()
    assert not is_alive(pid)
