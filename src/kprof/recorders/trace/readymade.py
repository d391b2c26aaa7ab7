"""Events that are ready-made: `exec`, `open`, `exit`, `tcp-connect`, `block-io`, `signal`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kprof.recorders.bpf.sources import Tracepoint
from kprof.recorders.trace import names
from kprof.recorders.trace.events import Program, TracedEvent
from kprof.recorders.trace.fields import Field, Place
from kprof.recorders.trace.tracepoints import system_call, tracepoint
from kprof.system.tracefs import has_tracepoint, tracepoint_number
from kprof.wire import trace_events as wire

READY_MADE: Mapping[str, str] = {
    "exec": "programs that are executed, with all their arguments, and attempts that fail",
    "exit": "processes that end, with code or signal and their age",
    "open": "files that are opened, and attempts that fail",
    "tcp-connect": "TCP connections that are opened, how long that took, and what came of it",
    "block-io": "requests to block devices, from being issued to their end",
    "signal": "signals that are sent, by whom, to whom, and what became of them",
}
_OPENS = ("openat", "open", "openat2", "creat")


def ready_made(name: str) -> list[TracedEvent]:
    """Return the events of a name of `READY_MADE`; of `open` there is one for each system call.

    Raises:
        UsageError: The kernel lacks a tracepoint.
        NotAvailableError: tracefs is not there, or may not be read.
    """
    return _MAKERS[name]()


def _of(
    layout: np.dtype[Any], name: str, form: str = "number", known: Mapping[int, str] | None = None
) -> Field:
    """Return a field that stands in a layout of ours."""
    part, offset = layout.fields[name][:2]  # type: ignore[index]
    sign = wire.SIGNED if part.kind == "i" else 0
    kind = {"S": wire.IS_TEXT}.get(part.kind, wire.IS_BYTES if part.subdtype else wire.IS_NUMBER)
    return Field(name, Place(wire.FROM_DATA, kind, offset, part.itemsize, sign), form, known or {})


def _renamed(fields: Sequence[tuple[str, Field]]) -> dict[str, Field]:
    return {name: Field(name, f.place, f.form, f.names, f.type, f.btf) for name, f in fields}


def _exec() -> list[TracedEvent]:
    calls = {
        f"{call}_{moment}": Tracepoint(tracepoint_number(f"syscalls:sys_{side}_{call}"))
        for call in ("execve", "execveat")
        for moment, side in (("enters", "enter"), ("returns", "exit"))
    }
    filename = Place(kind=wire.IS_TEXT, offset=_at(wire.EXEC, "filename"), flags=wire.EITHER, steps=(0,))
    own = _renamed(
        [
            ("ret", _of(wire.EXEC, "result", "errno")),
            ("pcomm", _of(wire.EXEC, "parent", "text")),
            ("filename", Field("filename", filename, "text")),
            ("call", _of(wire.EXEC, "is_at", "symbol", {0: "execve", 1: "execveat"})),
            ("args", Field("args", Place(kind=wire.IS_WORDS, offset=_at(wire.EXEC, "words")), "words")),
            ("args_bytes", _of(wire.EXEC, "bytes")),
            ("cut", _of(wire.EXEC, "cut")),
        ]
    )
    programs = [Program(name, [hook]) for name, hook in calls.items()] + [Program("executed")]
    usual = ("time", "pid", "ppid", "uid", "comm", "ret", "cwd", "filename", "args")
    return [TracedEvent("exec", "trace_exec", programs, own, usual, has_duration=True, has_words=True)]


def _at(layout: np.dtype[Any], name: str) -> int:
    return int(layout.fields[name][1])  # type: ignore[index]


def _exit() -> list[TracedEvent]:
    own = _renamed(
        [
            ("code", _of(wire.EXIT, "code")),
            ("signal", _of(wire.EXIT, "signal", "signal", names.SIGNALS)),
            ("dumped", _of(wire.EXIT, "dumped")),
            ("age", _of(wire.EXIT, "age_ns", "ns")),
            ("pcomm", _of(wire.EXIT, "parent", "text")),
        ]
    )
    usual = ("time", "pid", "ppid", "uid", "comm", "code", "signal", "age")
    return [TracedEvent("exit", "trace_exit", (Program("exits"),), own, usual)]


def _open() -> list[TracedEvent]:
    found = []
    for call in _OPENS:
        if not has_tracepoint(f"syscalls:sys_enter_{call}"):
            continue
        made = _as_open(system_call(call))
        usual = ("time", "pid", "comm", "ret", "flags", "mode", "filename", "duration")
        shown = [name for name in usual if name in made.fields or name == "time"]
        found.append(replace(made, name="open", usual=shown))
    return found


def _as_open(made: TracedEvent) -> TracedEvent:
    """Give the fields of all calls that open a file the names that openat has for them."""
    own = {"filename" if name == "pathname" else name: field for name, field in made.own.items()}
    if how := own.get("how"):  # struct open_how of openat2: 64 bits of flags, and of mode
        for step, (name, form) in enumerate((("flags", "open flags"), ("mode", "octal"))):
            place = Place(offset=how.place.offset, flags=wire.USERS, steps=(8 * step,))
            known = names.OPEN_FLAGS if name == "flags" else {}
            own[name] = Field(name, place, form, known, type="__u64")
    return replace(made, own={name: replace(field, name=name) for name, field in own.items()})


def _connect() -> list[TracedEvent]:
    own = _renamed(
        [
            ("ret", _of(wire.CONNECT, "result", "errno")),
            ("saddr", _of(wire.CONNECT, "saddr", "ip")),
            ("sport", _of(wire.CONNECT, "sport")),
            ("daddr", _of(wire.CONNECT, "daddr", "ip")),
            ("dport", _of(wire.CONNECT, "dport")),
            ("family", _of(wire.CONNECT, "family", "symbol", names.FAMILIES)),
        ]
    )
    usual = ("time", "pid", "uid", "comm", "saddr", "sport", "daddr", "dport", "ret", "duration")
    return [
        TracedEvent(
            "tcp-connect",
            "trace_connect",
            (Program("connects"),),
            own,
            usual,
            has_duration=True,
            in_task=False,
        )
    ]


def _block_io() -> list[TracedEvent]:
    begins = "io_start" if has_tracepoint("block:block_io_start") else "rq_issue"
    own = _renamed(
        [
            ("dev", _of(wire.BLOCK, "device", "device")),
            ("op", _of(wire.BLOCK, "operation", "symbol", names.OPERATIONS)),
            ("sector", _of(wire.BLOCK, "sector")),
            ("bytes", _of(wire.BLOCK, "bytes")),
            ("ret", _of(wire.BLOCK, "result", "errno")),
        ]
    )
    usual = ("time", "pid", "comm", "dev", "op", "sector", "bytes", "ret", "duration")
    programs = (Program(begins), Program("rq_complete"))
    return [TracedEvent("block-io", "trace_block", programs, own, usual, has_duration=True, in_task=False)]


def _signal() -> list[TracedEvent]:
    made = tracepoint("signal:signal_generate")
    own = dict(made.own)

    def shown(name: str, of: str, form: str, known: Mapping[int, str]) -> Field:
        return Field(name, own[of].place, form, known)

    own = {
        "sig": shown("sig", "sig", "signal", names.SIGNALS),
        "tpid": shown("tpid", "args.pid", "number", {}),
        "tcomm": shown("tcomm", "args.comm", "text", {}),
        "code": shown("code", "code", "symbol", names.SIGNAL_CODES),
        "group": shown("group", "group", "number", {}),
        "result": shown("result", "result", "symbol", names.SIGNAL_RESULTS),
    }
    usual = ("time", "pid", "uid", "comm", "sig", "tpid", "tcomm", "code", "result")
    return [TracedEvent("signal", made.file, made.programs, own, usual)]


_MAKERS = {
    "exec": _exec, "exit": _exit, "open": _open, "tcp-connect": _connect, "block-io": _block_io,
    "signal": _signal,
}  # fmt: skip
