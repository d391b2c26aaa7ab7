"""Waiting that ends early for what matters, and not before."""

import os
import signal
import subprocess
import threading
import time

from kprof.recorders.bpf.waiting import Waiting
from kprof.recorders.signals import StopSignals


def waited(waiting, seconds):
    start = time.monotonic()
    waiting.wait(seconds)
    return time.monotonic() - start


def test_the_time_passes():
    with Waiting([], []) as waiting:
        assert 0.15 < waited(waiting, 0.2) < 5


def test_the_end_of_a_process_wakes_once():
    process = subprocess.Popen(["sleep", "0.1"])
    with Waiting([], [process.pid, 1 << 22]) as waiting:
        assert waited(waiting, 20) < 10
        assert waited(waiting, 0.2) > 0.15
    process.wait()


def test_a_signal_wakes_and_is_counted():
    with StopSignals() as signals, Waiting([], []) as waiting:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert waited(waiting, 20) < 10
        assert signals.count == 1
    # The one who listened before listens again.
    assert signal.set_wakeup_fd(-1) == -1


def test_what_is_ready_wakes():
    reading, writing = os.pipe()
    with Waiting([reading], []) as waiting:
        os.write(writing, b"x")
        assert waited(waiting, 20) < 10
    os.close(reading)
    os.close(writing)
