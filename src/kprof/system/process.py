"""Other programs: the only place that starts any."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, BinaryIO

from kprof.errors import NotAvailableError


@dataclass(frozen=True, slots=True)
class Result:
    """What a program left: exit code (negative: killed by that signal) and its output as text."""

    code: int
    out: str
    err: str


def find_program(name: str) -> str | None:
    """Return the path of a program on PATH."""
    return shutil.which(name)


def run(arguments: Sequence[str], *, timeout: float = 60.0) -> Result:
    """Run a program to its end.

    Raises:
        NotAvailableError: It cannot be started, or does not end in time.
    """
    try:
        done = subprocess.run(
            arguments, capture_output=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise NotAvailableError(f"{arguments[0]} did not end within {timeout:.0f} s") from None
    except OSError as error:
        raise NotAvailableError(f"cannot run {arguments[0]}: {error.strerror}") from None
    return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Child:
    """A program that runs beside us, in our process group, so that Ctrl-C reaches it as usual.

    Args:
        arguments: Program and arguments.
        out: Where its standard output goes; ours if None.
        err: Where its standard error goes; ours if None.
        pipe_out: Give its standard output as `stdout` instead.
        pipe_in: Let us write what it reads, to `stdin`, instead of giving it our standard input.
        no_input: Give it nothing to read instead of our standard input.
        own_session: Keep it out of our process group: what a terminal sends to us does not reach it.
        environment: Variables to set besides ours.
        own_group: Keep Ctrl-C at a terminal, and a notebook's interrupt, from it.

    Raises:
        NotAvailableError: It cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        out: IO[bytes] | None = None,
        err: IO[bytes] | None = None,
        pipe_out: bool = False,
        pipe_in: bool = False,
        no_input: bool = False,
        own_session: bool = False,
        environment: Mapping[str, str] | None = None,
        own_group: bool = False,
    ) -> None:
        try:
            self._popen = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE if pipe_in else subprocess.DEVNULL if no_input else None,
                stdout=subprocess.PIPE if pipe_out else out,
                stderr=err,
                start_new_session=own_session,
                env={**os.environ, **environment} if environment else None,
                process_group=0 if own_group else None,
            )
        except OSError as error:
            raise NotAvailableError(f"cannot run {arguments[0]}: {error.strerror}") from None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def stdout(self) -> BinaryIO:
        """Its standard output, if it was started with `pipe_out`."""
        assert self._popen.stdout is not None  # noqa: S101 - a fault of the caller
        return self._popen.stdout  # type: ignore[return-value]

    @property
    def stdin(self) -> BinaryIO:
        """What it reads, if it was started with `pipe_in`."""
        assert self._popen.stdin is not None  # noqa: S101 - a fault of the caller
        return self._popen.stdin  # type: ignore[return-value]

    def poll(self) -> int | None:
        """Return its exit code (negative: the signal that killed it), None while it runs."""
        return self._popen.poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end; return its exit code, None if the time ran out first."""
        with suppress(subprocess.TimeoutExpired):
            return self._popen.wait(timeout)
        return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one that has ended already, or runs as root, is left alone."""
        with suppress(ProcessLookupError, PermissionError):
            self._popen.send_signal(number)

    def terminate(self) -> None:
        """End it, by force if it does not within two seconds."""
        self.signal(signal.SIGTERM)
        if self.wait(2.0) is None:
            self.signal(signal.SIGKILL)
            self.wait()
