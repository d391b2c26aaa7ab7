"""Work beside us in processes of its own, whose cost the kernel counts apart from ours."""

from __future__ import annotations

import os
import pickle
import select
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kprof.errors import KprofError

Value = TypeVar("Value")
_CHUNK = 1 << 16
_TICK = 0.2


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """What a piece of work gave, and the seconds of CPU time that it and all it started took.

    Attributes:
        value: What it returned.
        user: Seconds in programs.
        system: Seconds in the kernel on their behalf.
        waits: How often they gave up the CPU to wait, and so had to be woken up.
    """

    value: Value
    user: float
    system: float
    waits: int = 0


def run_beside(
    work: Sequence[Callable[[], Value]], stop: Callable[[], int | None] = lambda: None
) -> list[Done[Value]]:
    """Run functions at the same time, each in a process forked from us; wait for all.

    What they return must be picklable. If one fails, the others are sent SIGINT.

    Args:
        work: The functions.
        stop: Asked several times a second for a signal that is to be passed on to all, once.

    Raises:
        KprofError: One of them raised it, or ended without a result.
    """
    running = [_fork(each) for each in work]
    waiting = {descriptor: b"" for _, descriptor in running}
    open_ones = set(waiting)
    failed: KprofError | None = None
    passed_on = False
    while open_ones:
        if not passed_on and (number := stop()):
            passed_on = True
            _signal(running, open_ones, number)
        for descriptor in select.select(list(open_ones), [], [], _TICK)[0]:
            if part := os.read(descriptor, _CHUNK):
                waiting[descriptor] += part
                continue
            open_ones.discard(descriptor)
            os.close(descriptor)
            error = _outcome(waiting[descriptor])[1]
            if error and not failed:
                failed = error
                _signal(running, open_ones, signal.SIGINT)
    usages = [os.wait4(pid, 0)[2] for pid, _ in running]
    if failed:
        raise failed
    values = [_outcome(waiting[descriptor])[0] for _, descriptor in running]
    return [
        Done(value, use.ru_utime, use.ru_stime, use.ru_nvcsw)
        for value, use in zip(values, usages, strict=True)
    ]


def _signal(running: Sequence[tuple[int, int]], open_ones: set[int], number: int) -> None:
    for pid, descriptor in running:
        if descriptor in open_ones:
            os.kill(pid, number)


def _fork(work: Callable[[], Any]) -> tuple[int, int]:
    """Return process and the end of a pipe from which its outcome can be read."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writes)
        return pid, reads
    code = 1
    # A shell starts what it puts into the background with the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        os.close(reads)
        try:
            outcome: tuple[Any, KprofError | None] = work(), None
        except KprofError as error:
            outcome = None, error
        with os.fdopen(writes, "wb") as pipe:
            pickle.dump(outcome, pipe)
        code = 0
    finally:
        # Nothing of ours may be tidied up twice.
        os._exit(code)


def _outcome(data: bytes) -> tuple[Any, KprofError | None]:
    with suppress(EOFError, pickle.UnpicklingError):
        # Our own process wrote it, a moment ago.
        value, error = pickle.loads(data)  # noqa: S301
        return value, error
    return None, KprofError("a recorder ended without a result", "try it alone: kprof record --backend ...")
