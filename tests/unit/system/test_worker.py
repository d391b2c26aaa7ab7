import os
import time

import pytest

from kprof.errors import KprofError, TargetError
from kprof.system.procfs import cpu_seconds
from kprof.system.worker import run_beside


def burn():
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    return os.getpid()


def test_each_runs_in_a_process_of_its_own_that_is_measured():
    first, second = run_beside([burn, lambda: "x" * 1_000_000])
    assert first.value != os.getpid()
    assert first.user + first.system >= 0.2
    assert len(second.value) == 1_000_000


def fail():
    raise TargetError("there is no process 7", "it may have ended")


def test_an_error_comes_back_and_stops_the_others():
    begun = time.monotonic()

    def slow():
        try:
            time.sleep(30)
        except KeyboardInterrupt:
            return

    with pytest.raises(TargetError, match="no process 7") as caught:
        run_beside([slow, fail])
    assert caught.value.help_text == "it may have ended"
    assert time.monotonic() - begun < 20


def test_a_worker_that_dies_is_an_error():
    with pytest.raises(KprofError, match="without a result"):
        run_beside([lambda: os._exit(3)])


def test_cpu_seconds():
    before = cpu_seconds(os.getpid())
    burn()
    assert 0.1 <= cpu_seconds(os.getpid()) - before < 5
    assert cpu_seconds(0) == 0
