"""Ctrl-C that keeps what was recorded."""

import os
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Self

from kprof.errors import KprofError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class AbortedError(KprofError):
    """A second signal came while the recording was being finished."""

    exit_code = 130


class StopSignals:
    """Counts SIGINT and SIGTERM within its block instead of dying of them.

    In a thread that is not the main one Python gives no signals, and none are counted.

    Attributes:
        count: How many came.
        last: The last one; None before any came.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last: signal.Signals | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        for number in _SIGNALS if main else ():
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.last = signal.Signals(number)

    @property
    def reached_command(self) -> bool:
        """Whether the command has had the signal as well: a terminal sends Ctrl-C to all of us."""
        return self.last is signal.SIGINT and _in_foreground()


def _in_foreground() -> bool:
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False
