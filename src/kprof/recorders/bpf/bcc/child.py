"""The driver of BCC, in a child: what it is asked for, what it answers, and what its refusals mean."""

import json
import os
import re
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from kprof.errors import KprofError, NotAvailableError
from kprof.recorders.bpf.lines import Gathered
from kprof.system.process import Child
from kprof.system.tools import Tool

_DRIVER = Path(__file__).parent / "driver.py"
_LENGTH = struct.Struct("<I")
# Compiling takes a second, and minutes under emulation.
_PATIENCE = 600.0
_MOST_SAID = 300


@dataclass(frozen=True, slots=True)
class Frame:
    """What the driver wrote.

    Attributes:
        facts: `error` and `errno`, or `event` and `cpu` or `lost`, or nothing.
        parts: Bytes that belong to it.
    """

    facts: Mapping[str, Any]
    parts: list[bytes] = field(default_factory=list)


class BccError(Exception):
    """BCC refused something.

    Attributes:
        what: What was tried.
        said: What it said, and what stood on its standard error.
        number: The errno, 0 if it did not tell.
    """

    def __init__(self, what: str, said: str, number: int = 0) -> None:
        super().__init__(f"{what}: {said}")
        self.what, self.said, self.number = what, said, number


class Bcc:
    """A child that drives BCC.

    It is in a session of its own, and ends when we do.

    Args:
        tool: The system's Python.
        folder: A private directory of ours.
        variables: Where headers are; see `kprof.system.headers`.

    Raises:
        NotAvailableError: It cannot be started.
    """

    def __init__(self, tool: Tool, folder: str, variables: Mapping[str, str] | None = None) -> None:
        self._stack = ExitStack()
        self._errors = self._stack.enter_context(Path(folder, "bcc.err").open("w+b"))  # noqa: SIM115 - the stack closes it
        # Isolated: our own virtual environment and directory are none of its business.
        self._child = Child(
            [tool.path, "-I", str(_DRIVER)],
            err=self._errors, pipe_in=True, pipe_out=True, own_session=True, environment=variables,
        )  # fmt: skip
        self._frames = Gathered(self._child.stdout, _frame)
        self._stack.callback(self._frames.close)
        self._stack.callback(self._child.terminate)
        self._events: list[Frame] = []
        self._said_before = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._child.stdin.close()
        self._child.wait(2.0)
        self._stack.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    def ask(self, do: str, *, seconds: float = _PATIENCE, **what: Any) -> list[bytes]:
        """Let it do something, and return the bytes of its answer; see `driver.py` for what there is.

        Raises:
            BccError: It was refused.
            NotAvailableError: The child ended, or the time is over.
        """
        self._errors.seek(0, os.SEEK_END)
        self._said_before = self._errors.tell()
        try:
            self._child.stdin.write(json.dumps({"do": do, **what}).encode() + b"\n")
            self._child.stdin.flush()
        except OSError:
            raise self._ended() from None
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            frame = self._frames.next(min(left, 1.0))
            if frame is None and self._frames.ended:
                raise self._ended()
            if frame and "event" in frame.facts:
                self._events.append(frame)
            elif frame:
                if "error" in frame.facts:
                    raise BccError(do, f"{frame.facts['error']}\n{self._said()}", frame.facts["errno"] or 0)
                return frame.parts
        raise NotAvailableError(f"BCC did not answer within {seconds:.0f} s", "is this host very busy?")

    def events(self) -> Iterator[Frame]:
        """Give the events that came since the last call, without waiting."""
        yield from self._events
        self._events.clear()
        yield from self._frames.here()

    def _said(self) -> str:
        self._errors.seek(self._said_before)
        return self._errors.read().decode(errors="replace")

    def _ended(self) -> KprofError:
        code = self._child.wait(2.0)
        return translate(BccError("running BCC", f"it ended with {code}\n{self._said()}"))


def _frame(stream: BinaryIO) -> Frame | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    facts = json.loads(stream.read(_LENGTH.unpack(head)[0]))
    return Frame(facts, [stream.read(size) for size in facts.pop("sizes")])


# What stands in what it says, what that means, and what to do; the first that fits.
_MEANINGS = (
    (
        r"(?i)unable to find kernel headers|kconfig\.h",
        "there are no headers of the kernel to compile against",
        "install them: `kprof doctor` names the package",
    ),
    (
        r"(?i)need super-user|operation not permitted|permission denied",
        "not permitted",
        "run as root: sudo kprof ...",
    ),
    (
        r"error: |Failed to compile",
        "it cannot compile the program",
        "please report this, with the version of BCC and of the kernel",
    ),
    (
        r"(?i)determine address of symbol",
        "there is no such function",
        "`nm -D FILE` and `nm FILE` show those that are there",
    ),
    (
        r"(?i)kprobe",
        "the kernel refuses the kprobe",
        "this kernel was built without CONFIG_KPROBES, or has no such function",
    ),
)
_NOISE = re.compile(
    r"^\s*(Traceback|File |raise |\^|~|modprobe:|chdir|warning|In file included|\d+ (error|warning)s? )"
)


def translate(error: BccError) -> KprofError:
    """Return the error for what BCC refused."""
    lines = [" ".join(line.split()) for line in error.said.splitlines()]
    lines = [line for line in lines if line and not _NOISE.match(line)]
    errors = [line for line in lines[1:] if "rror" in line]
    told = " | ".join(dict.fromkeys([*lines[:1], *errors[:1]]))[:_MOST_SAID]
    for pattern, meaning, advice in _MEANINGS:
        if re.search(pattern, error.said):
            return NotAvailableError(f"BCC: {meaning} [{told}]", advice)
    return NotAvailableError(f"BCC: {told}", "`kprof doctor` tells what works here")
