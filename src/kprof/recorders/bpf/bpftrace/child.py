"""bpftrace running a program: what it prints, and what its refusals mean.

Seen with 0.17: `-f json` writes a line for each message, `{"type": ..., "data": ...}`; types are
`attached_probes`, `printf`, `value`, `map`, `stats`, `hist`, `lost_events` and others. It writes
`attached_probes` before it attaches any, so that a program has to tell by itself when it runs.
"""

import json
import re
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from kprof.errors import KprofError, NotAvailableError
from kprof.recorders.bpf.lines import Gathered
from kprof.system.process import Child, run
from kprof.system.tools import Tool

# Names are looked up by kprof: bpftrace takes minutes for them where a program is large.
_VARIABLES = {"BPFTRACE_NO_USER_SYMBOLS": "1"}
_PATIENCE = 30.0
_MOST_SAID = 300
_TRIAL_SECONDS = 60.0


class Printed(dict[str, Any]):
    """An object as it was printed.

    Attributes:
        pairs: All of its members: those of one name, too, as maps have whose keys are printed alike.
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


@dataclass(frozen=True, slots=True)
class Message:
    """What a program printed.

    Attributes:
        kind: Its `type`: `printf`, `map`, `stats`, `value`, `lost_events` and others.
        data: Its `data`: a text, or names of maps with what they hold, as `Printed`.
    """

    kind: str
    data: Any


class Bpftrace:
    """A program that runs until it is stopped, or ends by itself.

    It is in a session of its own: Ctrl-C does not end it before we do. Let the program call `exit()` when we
    have ended (see `WATCH`), for nobody else would stop it then.

    Args:
        tool: bpftrace.
        program: Its text.
        folder: A private directory of ours.
        pid: The process in which functions of programs are looked at; all if 0.
        variables: More of bpftrace's, such as `BPFTRACE_MAP_KEYS_MAX`.

    Raises:
        NotAvailableError: It cannot be started.
    """

    def __init__(
        self,
        tool: Tool,
        program: str,
        folder: str,
        *,
        pid: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._stack = ExitStack()
        self._printed = 0
        source = Path(folder, "program.bt")
        source.write_text(program, encoding="utf-8", errors="surrogateescape")
        self._errors = self._stack.enter_context(Path(folder, "bpftrace.err").open("w+b"))  # noqa: SIM115 - the stack closes it
        only = ["-p", str(pid)] if pid else []
        self._child = Child(
            [tool.path, "-q", "-f", "json", "-B", "none", *only, str(source)],
            err=self._errors, pipe_out=True, no_input=True, own_session=True,
            environment={**_VARIABLES, **(variables or {})},
        )  # fmt: skip
        self._lines = Gathered(self._child.stdout, _line)
        self._stack.callback(self._lines.close)
        self._stack.callback(self._child.terminate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    @property
    def printed(self) -> int:
        """Bytes that were taken so far of what it printed."""
        return self._printed

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and all that it printed was taken."""
        return self._lines.ended

    def messages(self) -> Iterator[Message]:
        """Give what came since the last call, without waiting.

        Raises:
            KprofError: What came is not understood.
        """
        for line in self._lines.here():
            self._printed += len(line)
            if message := _message(line):
                yield message

    def wait_for(self, text: str, *, times: int = 1, seconds: float = 120.0) -> list[Message]:
        """Wait until the program prints a word so many times; return all that came meanwhile.

        Args:
            text: The word, first in a line.
            times: How often.
            seconds: How long at most.

        Raises:
            NotAvailableError: It ended before, or the time is over.
        """
        came: list[Message] = []
        deadline = time.monotonic() + seconds
        while times and (left := deadline - time.monotonic()) > 0:
            line = self._lines.next(min(left, 1.0))
            if line is None and self._lines.ended:
                self._child.wait(_PATIENCE)
                raise self.failure()
            if message := _message(line or b""):
                came.append(message)
                times -= message.kind == "printf" and message.data.split()[:1] == [text]
        if times:
            raise NotAvailableError(
                f"bpftrace did not start within {seconds:.0f} s", "is this host very busy?"
            )
        return came

    def stop(self, seconds: float = 120.0) -> list[Message]:
        """Stop it as Ctrl-C does, which makes it print all of its maps; return the rest of what it printed.

        Raises:
            KprofError: It failed, or does not end.
        """
        self._child.signal(signal.SIGINT)
        came: list[Message] = []
        deadline = time.monotonic() + seconds
        while not self._lines.ended and (left := deadline - time.monotonic()) > 0:
            line = self._lines.next(min(left, 1.0)) or b""
            self._printed += len(line)
            if message := _message(line):
                came.append(message)
        if self._child.wait(_PATIENCE) is None:
            raise KprofError("bpftrace does not end", "it was killed; what it held is lost")
        if self._child.poll():
            raise self.failure()
        return came

    def said(self) -> str:
        """Return what it wrote to its standard error so far."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def failure(self) -> KprofError:
        """Return the error for what bpftrace said when it ended."""
        return translate(self.said(), self._child.poll() or 0)


def watch(pid: int) -> str:
    """Return a probe that ends a program when a process of ours ends."""
    return f"tracepoint:sched:sched_process_exit /pid == {pid} && tid == {pid}/ {{ exit(); }}\n"


def check(tool: Tool, program: str, folder: str) -> None:
    """Raise if bpftrace cannot parse or compile a program; nothing is loaded.

    Raises:
        NotAvailableError: It cannot; the message is what it says.
    """
    done = debug(tool, program, folder)
    if done[0]:
        raise translate(done[1], done[0])


def debug(tool: Tool, program: str, folder: str) -> tuple[int, str]:
    """Return bpftrace's exit code, and its view of a program: its tree and the code that LLVM gets."""
    source = Path(folder, "program.bt")
    source.write_text(program, encoding="utf-8", errors="surrogateescape")
    done = run([tool.path, "-d", str(source)], timeout=_TRIAL_SECONDS)
    return done.code, done.out + done.err


def _line(stream: BinaryIO) -> bytes | None:
    return stream.readline() or None


def _message(line: bytes) -> Message | None:
    """Return what a line says; None for an empty one."""
    text = line.decode("utf-8", "surrogateescape").strip()
    if not text:
        return None
    try:
        found = json.loads(text, strict=False, object_pairs_hook=Printed)
        return Message(str(found["type"]), found.get("data"))
    except (ValueError, KeyError, TypeError):
        raise KprofError(f"bpftrace printed what is not understood: {text[:_MOST_SAID]}") from None


# What stands in its messages, what that means, and what to do; the first that fits.
_MEANINGS = (
    (r"only supports running as the root", "it needs root", "run as root: sudo kprof ..."),
    (
        r"lockdown is enabled.*confidentiality",
        "the kernel is locked down (confidentiality)",
        "boot with lockdown=integrity or none",
    ),
    (
        r"kfunc/kretfunc not available|No BTF",
        "this kernel has no such hook for it",
        "use a tracepoint, or --engine libbpf",
    ),
    (r"(?i)operation not permitted|permission denied", "not permitted", "run as root: sudo kprof ..."),
    (
        r"failed to map perf event|mmap|Cannot allocate memory",
        "the kernel gives no memory",
        "raise the limit: ulimit -l unlimited",
    ),
)
# Said at each start where limits may not be raised; nothing follows from it.
_NOISE = re.compile(r"RLIMIT_MEMLOCK|^WARNING|^\s*$|^\s*[~^]+\s*$|^Attaching|^HINT")


def translate(said: str, code: int) -> KprofError:
    """Return the error for what bpftrace said.

    Args:
        said: Its standard error.
        code: Its exit code; negative: the signal that killed it.
    """
    lines = [" ".join(line.split()) for line in said.splitlines() if not _NOISE.search(line)]
    errors = [line for line in lines if "ERROR" in line or "rror:" in line] or lines
    told = " | ".join(dict.fromkeys(errors[-2:]))[:_MOST_SAID].removeprefix("ERROR: ")
    told = told or (f"it was killed by signal {-code}" if code < 0 else f"it ended with {code}")
    for pattern, meaning, advice in _MEANINGS:
        if re.search(pattern, said):
            return NotAvailableError(f"bpftrace: {meaning} [{told}]", advice)
    return NotAvailableError(f"bpftrace: {told}", "`kprof doctor` tells what works here")
