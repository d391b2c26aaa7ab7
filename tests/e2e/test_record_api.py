"""`kprof.record` records for real: profiles, errors that say what mends them, interrupts that keep what there is."""

import os
import subprocess
import sys
import threading
import time

import pytest

import kprof
from kprof.errors import KprofError, TargetError, UsageError
from kprof.recorders import RecordRequest
from kprof.recorders.apart import RecorderApart

SPIN = "import time\nend = time.time() + 60\nwhile time.time() < end: sum(range(1000))"


@pytest.fixture
def spinning():
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        yield process.pid
        process.kill()


def test_a_process_for_some_time(spinning):
    profile = kprof.record(pid=spinning, duration=1, frequency=499)
    assert profile.total > 0
    table = profile.to_pandas()
    assert set(table["pid"]) == {spinning}
    assert {"cpu", "time_ns", "tid", "comm"} <= set(table.columns)
    assert profile.profile.meta.facts["target"].endswith(f"(pid {spinning})")


def test_a_command_to_its_end():
    profile = kprof.record(command=[sys.executable, "-c", "sum(range(10 ** 7))"], event="cpu-clock")
    assert profile.events == ["cpu-clock"]
    assert profile.total > 0


def test_in_a_thread(spinning):
    taken = []
    thread = threading.Thread(target=lambda: taken.append(kprof.record(pid=spinning, duration=0.5)))
    thread.start()
    thread.join()
    assert taken[0].total > 0


def test_an_interrupt_keeps_what_was_recorded(spinning):
    code = f"import kprof; print('samples', int(kprof.record(pid={spinning}).profile.samples.count.sum()))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        time.sleep(5)
        process.send_signal(2)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert int(out.split()[1]) > 0


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        ({}, UsageError, "nothing to record"),
        ({"pid": 4_000_000_000}, TargetError, "no process"),
        ({"pid": os.getpid(), "command": ["true"]}, UsageError, "more than one"),
        ({"pid": os.getpid(), "duration": -1}, UsageError, "not a duration"),
        ({"pid": os.getpid(), "backend": "dtrace"}, UsageError, "no backend dtrace"),
        ({"pid": os.getpid(), "names": "long"}, UsageError, "no form of names"),
        ({"command": ["/no/such/program"]}, TargetError, "no command"),
    ],
)
def test_errors_say_what_mends_them(request_, error, says):
    with pytest.raises(error, match=says) as caught:
        kprof.record(**request_)
    assert caught.value.__notes__ == [caught.value.help_text]


def test_a_recorder_apart_records_us_until_it_is_stopped(tmp_path):
    recorder = RecorderApart(RecordRequest((os.getpid(),)), "perf", str(tmp_path))
    end = time.time() + 1
    while time.time() < end:
        sum(range(1000))
    recording, _ = recorder.stop()
    assert recorder.stop()[0] is recording
    profile = kprof.read(recording.path)
    assert profile.total > 0
    assert set(profile.to_pandas()["pid"]) == {os.getpid()}


def test_a_recorder_apart_fails_as_a_recorder_does(tmp_path):
    with pytest.raises(KprofError, match="no process"):
        RecorderApart(RecordRequest((4_000_000_000,)), "perf", str(tmp_path))
