"""`exec` by BCC: its program, and what it tells put together."""

import json
import os
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from kprof.elf.kernel_types import KernelTypes
from kprof.errors import NotAvailableError
from kprof.recorders.bpf.bcc.child import Bcc, BccError, translate
from kprof.recorders.request import RecordRequest
from kprof.recorders.trace.decode import Row
from kprof.recorders.trace.exec_seen import Gathering, offsets
from kprof.recorders.trace.plan import PlannedEvent
from kprof.system.cpus import chosen_cpus
from kprof.system.event_formats import fields_of
from kprof.system.headers import find_headers
from kprof.system.tools import Tool
from kprof.system.tracefs import tracepoint_format

_PROGRAM = Path(__file__).with_name("exec_bcc.c")
_PAGES = 256
_PIECE_BYTES = 1024
_CPUS_OF_A_WORD = 64
# Kinds of what the program tells, as exec_bcc.c has them, and their layouts.
_WORDS, _WORDS_END, _FAILED_WORD, _NAME, _NAMES_END, _REST = range(6)
_PIECE = struct.Struct("=IIqII")
_FACTS = struct.Struct("=IIQQIIIIIIiI16s16s256s")
_LOST_WORD = "\ufffd".encode()
_HOOKS: Mapping[str, str] = {
    "executed": "sched:sched_process_exec",
    "fails": "syscalls:sys_exit_execve",
    "forks": "sched:sched_process_fork",
    "execve_enters": "syscalls:sys_enter_execve",
    "execveat_enters": "syscalls:sys_enter_execveat",
}
_ALSO_FAILS = "syscalls:sys_exit_execveat"


class BccExec:
    """What BCC tells of programs that are executed.

    Args:
        tool: The system's Python.
        scope: Whose programs.
        planned: The event.

    Raises:
        NotAvailableError: BCC cannot tell whose they are.
    """

    def __init__(self, tool: Tool, scope: RecordRequest, planned: PlannedEvent) -> None:
        if scope.cgroup:
            raise NotAvailableError("exec by bcc knows no control groups", "use --engine libbpf")
        self._tool, self._scope = tool, scope
        self._gathering = Gathering(planned)
        self._stack = ExitStack()
        self._lost = 0
        self._since = time.time_ns() - time.monotonic_ns()

    @property
    def descriptors(self) -> Sequence[int]:
        """None: a thread takes what it tells."""
        return ()

    def close(self) -> None:
        """End it."""
        self._stack.close()

    def load(self, tasks: Sequence[int], folder: str) -> None:
        """Compile and load the program.

        Raises:
            NotAvailableError: There are no headers, or BCC, or the kernel, refuses.
        """
        headers = find_headers(folder)
        self._child = self._stack.enter_context(Bcc(self._tool, folder, headers.variables))
        text = "\n".join([*self._constants(tasks), _PROGRAM.read_text(encoding="utf-8")])
        self._ask("load", text=text, functions=[(name, "TRACEPOINT") for name in _HOOKS])
        for task in tasks:
            key = struct.pack("=I", task).hex()
            self._ask("put", table="targets", key=key, value=struct.pack("=I", 1).hex())

    def _constants(self, tasks: Sequence[int]) -> Iterator[str]:
        scope = self._scope
        cpus = chosen_cpus(scope.cpus) if scope.cpus else ()
        if any(cpu >= _CPUS_OF_A_WORD for cpu in cpus):
            raise NotAvailableError("exec by bcc knows 64 CPUs only", "use --engine libbpf")
        name = scope.comm.encode()[:15].decode(errors="ignore")
        child = next(
            field.offset
            for field in fields_of(tracepoint_format(_HOOKS["forks"]))
            if field.name == "child_pid"
        )
        yield f"#define SELF {os.getpid()}"
        yield f"#define DRIVER {self._child.pid}"
        yield f"#define TARGETS {0 if not tasks else 2 if scope.tids else 1}"
        yield f"#define ON_CPUS {int(bool(cpus))}"
        yield f"#define CPUS {sum(1 << cpu for cpu in cpus)}ULL"
        yield f"#define COMM {json.dumps(name)}"
        yield f"#define COMM_LENGTH {len(name.encode()) + 1 if name else 0}"
        yield f"#define FORKED_CHILD {child}"
        for member, offset in offsets(KernelTypes()).items():
            yield f"#define {member} {offset}"

    def attach(self) -> None:
        """Let the functions run.

        Raises:
            NotAvailableError: The kernel refuses.
        """
        self._ask("listen", table="told", pages=_PAGES)
        for name, tracepoint in (*_HOOKS.items(), ("fails", _ALSO_FAILS)):
            self._ask("attach", hook={"to": "tracepoint", "tp": tracepoint, "fn_name": name})

    def rows(self) -> Iterator[Row]:
        """Give what came."""
        for frame in self._child.events():
            self._lost += int(frame.facts.get("lost", 0))
            for data in frame.parts:
                yield from self._take(data)

    def _take(self, data: bytes) -> Iterator[Row]:
        (kind,) = struct.unpack_from("=I", data)
        if kind == _REST:
            yield from self._take_facts(data)
            return
        _, thread, number, size, _ = _PIECE.unpack_from(data)
        seen, text = self._gathering.of(thread), data[_PIECE.size : _PIECE.size + size]
        if kind == _WORDS:
            seen.words += text
        elif kind == _FAILED_WORD:
            seen.words += text or _LOST_WORD + b"\0"
            if size in {0, _PIECE_BYTES}:
                seen.cut.add("args")
        elif kind == _NAME:
            seen.names.append(text.rstrip(b"\0"))
        elif kind == _WORDS_END:
            seen.numbers["args_bytes"] = number if number > 0 else len(seen.words)
            if number < 0 or len(seen.words) < number:
                seen.cut.add("args")
            yield from self._gathering.told(thread, "words")
        elif kind == _NAMES_END:
            if not number:
                seen.cut.add("cwd")
            yield from self._gathering.told(thread, "cwd")

    def _take_facts(self, data: bytes) -> Iterator[Row]:
        _, thread, now, begun, *numbers, comm, parent, filename = _FACTS.unpack_from(data)
        seen = self._gathering.of(thread)
        names = ("pid", "tid", "ppid", "uid", "gid", "cpu", "ret", "call")
        seen.numbers |= dict(zip(names, numbers, strict=True))
        seen.numbers["duration"] = now - begun if begun else 0
        for name, text in (("comm", comm), ("pcomm", parent), ("filename", filename)):
            seen.texts[name] = text.partition(b"\0")[0]
        seen.time_ns = now + self._since
        yield from self._gathering.told(thread, "rest")

    def detach(self) -> None:
        """Stop it; what was told before is still there."""
        self._ask("detach")
        self._ask("flush")

    def account(self) -> tuple[int, dict[str, int]]:
        """Return how many the filter left out, and how many pieces and events were lost."""
        lost = {
            "pieces that the buffer had no room for": self._lost,
            "a part did not come": self._gathering.unfinished,
        }
        return self._gathering.left_out, {cause: count for cause, count in lost.items() if count}

    def _ask(self, do: str, **what: Any) -> None:
        try:
            self._child.ask(do, **what)
        except BccError as error:
            raise translate(error) from None
