"""Tracepoints and system calls as events that are traced, by the kernel's own formats of them."""

import re
from collections.abc import Mapping
from dataclasses import replace

from kprof.errors import UsageError
from kprof.recorders.bpf.sources import Tracepoint
from kprof.recorders.trace import names
from kprof.recorders.trace.events import Program, TracedEvent
from kprof.recorders.trace.fields import BUILT_IN, OF_TASK, Field, Place
from kprof.system.event_formats import Field as Declared
from kprof.system.event_formats import fields_of
from kprof.system.tracefs import tracepoint_format, tracepoint_number
from kprof.wire import trace_events as wire

_ENTER = "syscalls:sys_enter_"
_EXIT = "syscalls:sys_exit_"
_NUMBER = "__syscall_nr"
# In what a tracepoint gives, behind the number of the system call.
_FIRST_ARGUMENT, _RESULT = 16, 16
_SYMBOLS = re.compile(rb"__print_(symbolic|flags)\(REC->(\w+),\s*(?:\"[^\"]*\",)?((?:\s*\{[^{}]*\},?)+)\s*\)")
_SYMBOL = re.compile(rb"\{\s*(?:\([\w ]+\)\s*)?\(?(-?0x[0-9a-fA-F]+|-?\d+)\w*\)?\s*,\s*\"([^\"]*)\"\s*\}")
_ADDRESS = re.compile(r"addr(_v6)?$")
_IPV4_BYTES, _IPV6_BYTES = 4, 16
_SOCKADDR_BYTES = 110
_UNSIGNED = re.compile(r"unsigned|u(8|16|32|64|int)|size_t|mode_t|_t$")
_LONG = re.compile(r"long|ssize_t|size_t|loff_t|\*|u64|__s64|aio_context_t|clock_t")


def tracepoint(name: str) -> TracedEvent:
    """Return a tracepoint.

    Raises:
        UsageError: There is no such tracepoint.
        NotAvailableError: tracefs is not there, or may not be read.
    """
    number = tracepoint_number(name)
    text = tracepoint_format(name)
    symbols = symbols_of(text)
    own: dict[str, Field] = {}
    for declared in fields_of(text):
        if declared.name.startswith("common_") or declared.name == _NUMBER:
            continue
        found = _field(declared, symbols)
        if name.startswith(_ENTER):
            found = _argument(name.removeprefix(_ENTER), declared, declared.offset)
        elif name.startswith(_EXIT):
            found = replace(found, form="errno", place=replace(found.place, flags=wire.SIGNED))
        # The task's own stands for itself: `comm` is the task's, `args.comm` what the tracepoint tells.
        taken = declared.name in {**BUILT_IN, **OF_TASK}
        own[f"args.{declared.name}" if taken else declared.name] = replace(
            found, name=f"args.{declared.name}" if taken else declared.name
        )
    return TracedEvent(
        name, "trace", (Program("tracepoint", [Tracepoint(number)]),), own, ("time", "pid", "comm", *own)
    )


def system_call(call: str) -> TracedEvent:
    """Return a system call, from entry to return.

    Raises:
        UsageError: There is no such call.
        NotAvailableError: tracefs is not there, or may not be read.
    """
    try:
        enter, leave = (tracepoint_number(f"{kind}{call}") for kind in (_ENTER, _EXIT))
    except UsageError:
        raise UsageError(
            f"there is no system call {call}", f"kprof events 'sys_enter_*{call}*' looks"
        ) from None
    declared = [
        field
        for field in fields_of(tracepoint_format(f"{_ENTER}{call}"))
        if not field.name.startswith("common_") and field.name != _NUMBER
    ]
    own = {
        field.name: _argument(call, field, wire.PAIR_ARGUMENTS + 8 * number)
        for number, field in enumerate(declared[: wire.ARGUMENTS])
    }
    own["ret"] = Field("ret", Place(flags=wire.SIGNED), "errno", type="long")
    own = {(f"args.{name}" if name in BUILT_IN else name): field for name, field in own.items()}
    programs = (
        Program("syscall_enters", [Tracepoint(enter)]),
        Program("syscall_returns", [Tracepoint(leave)]),
    )
    usual = ("time", "pid", "comm", *own, "duration")
    offsets = [_FIRST_ARGUMENT + 8 * number for number in range(wire.ARGUMENTS)]
    return TracedEvent(
        f"syscall:{call}", "trace", programs, own, usual,
        arguments=offsets, result=_RESULT, has_duration=True,
    )  # fmt: skip


def _argument(call: str, declared: Declared, offset: int) -> Field:
    """Return an argument of a system call: a register, of which its type tells how much counts."""
    kind, name = declared.declared, declared.name
    if "char *" in kind and name != "buf":
        return Field(
            name, Place(kind=wire.IS_TEXT, offset=offset, flags=wire.USERS, steps=(0,)), "text", type=kind
        )
    if "struct sockaddr *" in kind:
        place = Place(kind=wire.IS_BYTES, offset=offset, size=_SOCKADDR_BYTES, flags=wire.USERS, steps=(0,))
        return Field(name, place, "sockaddr", type=kind)
    size = 8 if _LONG.search(kind) else 2 if "umode_t" in kind else 4
    signed = (
        0
        if "*" in kind or _UNSIGNED.search(kind.replace("pid_t", "").replace("clockid_t", ""))
        else wire.SIGNED
    )
    form, known = names.of_argument(call, name, kind) or ("number", {})
    return Field(name, Place(offset=offset, size=size, flags=signed), form, known, kind)


def _field(declared: Declared, symbols: Mapping[str, tuple[str, Mapping[int, str]]]) -> Field:
    name, kind, at = declared.name, declared.declared, declared.offset
    if declared.location:
        where = wire.IS_LOCATED if declared.location == "data" else wire.IS_RELATIVE
        flags = 0 if declared.is_text else wire.EITHER
        return Field(
            name,
            Place(kind=where, offset=at, flags=flags),
            "text" if declared.is_text else "bytes",
            type=kind,
        )
    if declared.is_text:
        return Field(name, Place(kind=wire.IS_TEXT, offset=at), "text", type=kind)
    if declared.is_array:
        is_address = declared.size in {_IPV4_BYTES, _IPV6_BYTES} and _ADDRESS.search(name)
        form = "ip" if is_address else "bytes"
        return Field(name, Place(kind=wire.IS_BYTES, offset=at, size=declared.size), form, type=kind)
    if kind.replace("const ", "") == "char *":
        return Field(
            name, Place(kind=wire.IS_TEXT, offset=at, flags=wire.EITHER, steps=(0,)), "text", type=kind
        )
    form, known = symbols.get(name, ("hex" if "*" in kind else "number", {}))
    flags = wire.SIGNED if declared.signed else 0
    return Field(name, Place(offset=at, size=declared.size, flags=flags), form, known, kind)


def symbols_of(text: bytes) -> dict[str, tuple[str, dict[int, str]]]:
    """Return the names of numbers that a format tells, by field: `symbol` or `flags`, and the names.

    Args:
        text: The format, as `/sys/kernel/tracing/events/*/*/format` has it.
    """
    found: dict[str, tuple[str, dict[int, str]]] = {}
    for kind, name, pairs in _SYMBOLS.findall(text):
        known = {int(value, 0): word.decode() for value, word in _SYMBOL.findall(pairs)}
        found[name.decode()] = ("symbol" if kind == b"symbolic" else "flags", known)
    return found
