"""Recording by a helper that runs as root, while all else stays as it is: the command, the file, and us.

The helper gets the request, as JSON, on its standard input, and records until that is closed. What it records
it writes to its standard output, which is a file that we opened; what it has to say, to its standard error,
as lines of JSON. So it neither opens a file by a name of ours nor writes to one, and it ends when we do,
however we end.
"""

import json
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Self

from kprof import errors
from kprof.recorders.gate import Gate, command_output
from kprof.recorders.request import Recording, RecordRequest
from kprof.recorders.signals import AbortedError, StopSignals
from kprof.system.process import Child, find_program

# What it imports is what we import, whatever its environment says.
# Ctrl-C at a terminal reaches it, too, and is ours to understand.
_HELPER = (
    "import signal, sys; signal.signal(2, 1); sys.path[:] = sys.argv[1:];"
    " from kprof.recorders.bpf.as_root import main; main()"
)
_TICK = 0.1
_CHUNK = 1 << 16
_OURS = {"title", "elevate", "hold", "stdout_is_taken"}
_MOST_TOLD = 300


def record_elevated(
    request: RecordRequest,
    folder: str,
    *,
    note: Callable[[str], None],
    progress: Callable[[float, int], None] | None,
) -> Recording:
    """Record through `request.elevate`.

    Raises:
        NotAvailableError: The helper may not be run, or may not record.
        AbortedError: A second signal came.
    """
    path = str(Path(folder, "recording.kprof"))
    with ExitStack() as stack, StopSignals() as signals:
        gate = None
        if request.command:
            gate = Gate(folder, request.command, command_output(request))
            stack.callback(gate.close)
        data = stack.enter_context(Path(path).open("wb"))
        helper = stack.enter_context(_Helper(request, gate.pid if gate else 0, data))
        result: dict[str, Any] | None = None
        for said in helper.messages(signals):
            if "note" in said:
                note(said["note"])
            elif "progress" in said and progress:
                progress(*said["progress"])
            elif "ready" in said and gate:
                gate.open()
            elif "ready" in said and request.hold:
                request.hold()
                helper.go()
            elif "error" in said:
                raise _error(*said["error"])
            elif "result" in said:
                result = said["result"]
        if result is None:
            raise helper.failure(signals)
        status = gate.finish(signals, by_itself=gate.has_ended()) if gate else None
        return Recording(path, result["facts"], result["event"], status, bool(signals.count))


class _Helper:
    """The helper, running."""

    def __init__(self, request: RecordRequest, gate: int, data: IO[bytes]) -> None:
        self._stack = ExitStack()
        self._output, telling = os.pipe()
        self._stack.callback(os.close, self._output)
        told = self._stack.enter_context(os.fdopen(telling, "wb"))
        paths = [str(Path(path).resolve()) for path in sys.path if path]
        # Not in the directory where we are, whose files anybody may have put there.
        line = [*request.elevate, sys.executable, "-I", "-c", _HELPER, *paths]
        self._child = Child(line, pipe_in=True, out=data, err=told)
        self._input = self._child.stdin
        told.close()
        self._rest, self._told = b"", ""
        self._tell(_as_dict(request, gate))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._child.wait()
        self._stack.close()

    def _tell(self, what: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):
            self._input.write(json.dumps(what).encode() + b"\n")
            self._input.flush()

    def go(self) -> None:
        """Let it begin."""
        self._tell({"go": True})

    def stop(self) -> None:
        """Let it end, and write the rest."""
        with suppress(BrokenPipeError):
            self._input.close()

    def messages(self, signals: StopSignals) -> Iterator[dict[str, Any]]:
        """Give what it says until it ends; a signal to us ends it.

        Raises:
            AbortedError: Another signal came meanwhile.
        """
        while True:
            if signals.count:
                self.stop()
            if signals.count > 1:
                raise AbortedError("aborted; nothing is left of the recording")
            if not select.select([self._output], [], [], _TICK)[0]:
                continue
            part = os.read(self._output, _CHUNK)
            if not part:
                return
            *lines, self._rest = (self._rest + part).split(b"\n")
            for line in lines:
                try:
                    yield dict(json.loads(line))
                except (ValueError, TypeError):
                    # What sudo says, for instance.
                    self._told += line.decode(errors="replace").strip() + " "

    def failure(self, signals: StopSignals) -> errors.KprofError:
        """Return why it ended without a result."""
        if signals.count:
            return AbortedError("aborted before the recording began")
        self._child.wait()
        told = " ".join(self._told.split())[-_MOST_TOLD:]
        if "sudo: " in told:
            return errors.NotAvailableError(
                f"sudo refuses: {told.rpartition('sudo: ')[2]}",
                "run `sudo -v` first, ask an administrator for it, or grant cap_bpf,cap_perfmon",
            )
        told = told or f"it ended with {self._child.poll()} and said nothing"
        return errors.NotAvailableError(f"the recorder could not be run as root: {told}")


def _as_dict(request: RecordRequest, gate: int) -> dict[str, Any]:
    values = {each.name: getattr(request, each.name) for each in fields(request) if each.name not in _OURS}
    if request.command:
        # Its PATH is another one.
        values["command"] = [find_program(request.command[0]) or request.command[0], *request.command[1:]]
    about = {"title": request.title, "gate": gate, "client": os.getpid(), "holds": request.hold is not None}
    return {"request": values, **about}


def _error(kind: str, message: str, help_text: str) -> errors.KprofError:
    known = getattr(errors, kind, errors.KprofError)
    return known(message, help_text) if issubclass(known, errors.KprofError) else errors.KprofError(message)
