"""The command that is recorded, which waits behind a pipe until the recorder is ready.

So its first instruction is recorded, and its standard streams stay its own.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from kprof.recorders.request import RecordRequest
from kprof.recorders.signals import StopSignals
from kprof.system.process import Child

# Named after the command before it becomes it: samples of the exec are the command's.
_WAIT = 'printf %s "$1" > /proc/$$/comm 2>/dev/null; read -r _ < "$0" || exit 143; shift; exec "$@"'
_TICK = 0.05
# A command that saves its work at SIGTERM gets this long before it is killed.
_COMMAND_PATIENCE = 10.0
_INTERRUPT_PATIENCE = 2.0
_EXIT_PATIENCE = 1.0


def command_output(request: RecordRequest) -> IO[bytes] | None:
    """Return where a command's standard output goes; None for where ours goes."""
    return sys.stderr.buffer if request.stdout_is_taken else None


class Command(Protocol):
    """A command that waits until we are ready."""

    @property
    def pid(self) -> int:
        """Its process."""

    def open(self) -> None:
        """Let it go."""

    def has_ended(self) -> bool:
        """Say whether it has ended."""

    def finish(self, signals: StopSignals, *, by_itself: bool) -> int | None:
        """End it, and return its status if it is known here."""

    def close(self) -> None:
        """Leave nothing of it behind."""


class Gate:
    """The command, started but waiting.

    Args:
        folder: A private directory of ours.
        command: Program and arguments.
        out: Where its standard output goes; ours if None.
    """

    def __init__(self, folder: str, command: Sequence[str], out: IO[bytes] | None = None) -> None:
        path = str(Path(folder, "gate"))
        os.mkfifo(path, 0o600)
        self._child = Child(["/bin/sh", "-c", _WAIT, path, Path(command[0]).name[:15], *command], out=out)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    @property
    def pid(self) -> int:
        """The command's process id."""
        return self._child.pid

    def open(self) -> None:
        """Let the command go."""
        os.write(self._pipe, b"\n")

    def has_ended(self) -> bool:
        """Whether the command has ended."""
        return self._child.poll() is not None

    def finish(self, signals: StopSignals, *, by_itself: bool) -> int:
        """End the command if it still runs, as perf does with its own; return its status.

        It is 0 if the command was ended because the time was over, else the command's own; 128 and
        the signal's number if a signal killed it. A second signal kills it at once.

        Args:
            signals: What was sent to us; the command gets it too, unless the terminal has sent it.
            by_itself: Whether perf ended unasked, which it does when the command ends: perf may see
                that before we do.
        """
        if self._ends_within(_EXIT_PATIENCE if by_itself else 0.0, signals):
            return self._status()
        if signals.last is not None and not signals.reached_command:
            self._child.signal(signals.last)
        elif signals.last is None:
            self._child.signal(signal.SIGTERM)
        before = signals.count
        if before and not self._ends_within(_INTERRUPT_PATIENCE, signals):
            self._child.signal(signal.SIGTERM)
        if not self._ends_within(_COMMAND_PATIENCE, signals):
            self._child.signal(signal.SIGKILL)
            self._child.wait()
        return self._status() if before else 0

    def _ends_within(self, seconds: float, signals: StopSignals) -> bool:
        deadline, before = time.monotonic() + seconds, signals.count
        while time.monotonic() < deadline and signals.count == before:
            if self._child.wait(_TICK) is not None:
                return True
        return self.has_ended()

    def _status(self) -> int:
        code = self._child.poll() or 0
        return 128 - code if code < 0 else code

    def close(self) -> None:
        """End a command that still runs, for nobody would be left who does; close the pipe."""
        if self._child.poll() is None:
            self._child.terminate()
        os.close(self._pipe)
