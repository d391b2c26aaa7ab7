"""One command that several recorders watch at the same time."""

import os
import resource
import select
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from kprof.recorders.gate import Gate
from kprof.recorders.signals import StopSignals

_TICK = 0.25


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended.

    Attributes:
        status: Its exit code; 128 and the signal's number if a signal killed it.
        cpu: Seconds of CPU time that it and the children that it waited for took.
    """

    status: int
    cpu: float


class Start:
    """Something that begins when several recorders are ready, each in a process of its own."""

    def __init__(self) -> None:
        self._ready, self._tell = os.pipe()

    def one_is_ready(self) -> None:
        """Say that a recorder samples; called in the recorder's process."""
        os.write(self._tell, b".")

    def run(self, recorders: int, work: Callable[[], float]) -> float:
        """Wait until so many are ready, and do it; 0 if a signal comes first. For a process of its own."""
        with StopSignals() as signals:
            while recorders and not signals.count:
                if select.select([self._ready], [], [], _TICK)[0]:
                    recorders -= len(os.read(self._ready, recorders))
            return 0.0 if signals.count else work()

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._ready)
        os.close(self._tell)


class SharedCommand:
    """A command that goes when it is told to. What it prints goes to standard error.

    Args:
        folder: A private directory of ours.
        command: Program and arguments.
        duration: Seconds until it is ended; None to wait for its end.
    """

    def __init__(self, folder: str, command: Sequence[str], duration: float | None = None) -> None:
        self._gate = Gate(folder, command, sys.stderr.buffer)
        self._duration = duration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.close()

    @property
    def pid(self) -> int:
        """Its process id, before and after it goes."""
        return self._gate.pid

    def follow(self) -> float:
        """Let the command go; return the seconds that it then ran.

        Called in a process of its own, as the recorders are, so that the end is seen when it comes.
        """
        with StopSignals() as signals:
            # It waits, so it is there; not our child, so its end leaves a zombie until it is finished.
            end = os.pidfd_open(self.pid)
            begun = time.monotonic()
            self._gate.open()
            while not signals.count and not select.select([end], [], [], self._left(begun))[0]:
                if self._duration is not None and time.monotonic() - begun >= self._duration:
                    break
            return time.monotonic() - begun

    def _left(self, begun: float) -> float:
        if self._duration is None:
            return _TICK
        return min(max(begun + self._duration - time.monotonic(), 0.0), _TICK)

    def finish(self, signals: StopSignals) -> Ended:
        """End the command if it still runs."""
        before = _of_children()
        status = self._gate.finish(signals, by_itself=self._gate.has_ended())
        return Ended(status, _of_children() - before)


def _of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
