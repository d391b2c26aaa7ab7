"""All that is known of one event."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kprof.elf import ElfFile
from kprof.elf.btf import Argument, Prototype
from kprof.elf.usdt import probes_of
from kprof.errors import UsageError
from kprof.survey.catalog import Catalog
from kprof.survey.events import Event

_LIKE = 3
_TRACED = frozenset({"tracepoint", "syscall", "raw tracepoint", "kernel function", "function"})
_NO_INTERFACE = (
    "a function of the kernel is no stable interface: another kernel may lack it, inline it or give it other"
    " arguments; prefer a tracepoint"
)
_ONLY_NAMES = "what a function is given is not told by its symbol; its debug information knows"
_TARGETS = {"on-cpu": "-p PID", "malloc": "-- COMMAND", "off-cpu": "-p PID"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that an event is given.

    Attributes:
        name: Its name.
        type: Its type, as C writes it.
        size: Its bytes; None if that is not told.
        offset: Where it begins in the event's data, in bytes; None for arguments of functions.
        place: Where it is found otherwise, as in `rdi`; empty if that is not told.
    """

    name: str
    type: str
    size: int | None
    offset: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """An event, with what it is given.

    Attributes:
        event: The event.
        parameters: What it is given, in order.
        result: The type of what its function returns; empty if it has none.
        example: A command that records it; empty if nothing does.
        notes: What a user must know.
        trace: A command that shows its occurrences one by one; empty if nothing does.
    """

    event: Event
    parameters: Sequence[Parameter]
    result: str
    example: str
    notes: Sequence[str]
    trace: str = ""


def describe(name: str, catalog: Catalog) -> Description:
    """Return all that is known of an event.

    Args:
        name: Its name, as `-e` takes it, or that of a kernel function or a system call alone.
        catalog: The events of this host.

    Raises:
        UsageError: There is no such event.
    """
    found = _find(name, catalog)
    parameters, result, notes = _parts(found, catalog)
    return Description(found, parameters, result, _example(found), notes, _trace(found))


def _find(name: str, catalog: Catalog) -> Event:
    candidates = list(catalog.matching(name))
    for fits in (
        lambda event: event.name == name,
        lambda event: event.name.rpartition(":")[2] == name and event.reach["libbpf"].reached,
        lambda event: event.name.rpartition(":")[2] == name or name in event.aliases,
    ):
        if chosen := next(filter(fits, candidates), None):
            return chosen
    near = difflib.get_close_matches(name, [event.name for event in candidates] or catalog.names, _LIKE)
    advice = f"there is {', '.join(near)}" if near else "kprof events PATTERN looks for one"
    raise UsageError(f"there is no event {name}", advice)


def _parts(event: Event, catalog: Catalog) -> tuple[list[Parameter], str, list[str]]:
    """Return what an event is given, what its function returns, and what must be known."""
    if event.kind in {"tracepoint", "syscall"}:
        fields = catalog.fields(event.name)
        notes = ["pointers lead into the memory of the process"] if _leads_out(event, fields) else []
        return [Parameter(f.name, f.declared, f.size, f.offset) for f in fields], "", notes
    hook, _, rest = event.name.partition(":")
    if event.kind == "raw tracepoint":
        return (
            list(_arguments(catalog.types.raw_prototype(rest))),
            "",
            ["its arguments are no stable interface"],
        )
    if event.kind == "kernel function":
        module = (
            event.what.rpartition("[")[2].rstrip("]")
            if event.what.endswith("]") and "  [" in event.what
            else ""
        )
        prototype = catalog.types.prototype(rest, module)
        twin = {"kprobe": "kretprobe", "fentry": "fexit"}[hook]
        notes = [_NO_INTERFACE, f"{twin}:{rest} counts its returns"]
        return list(_arguments(prototype)), _result(prototype), notes
    if event.kind == "usdt probe":
        return list(_of_probe(event)), "", []
    if event.kind == "function":
        return [], "", [_ONLY_NAMES, f"{event.name.replace('uprobe:', 'uretprobe:', 1)} counts its returns"]
    return [], "", []


def _leads_out(event: Event, fields: Sequence[object]) -> bool:
    return event.kind == "syscall" and any("*" in str(getattr(field, "declared", "")) for field in fields)


def _arguments(prototype: Prototype | None) -> Iterator[Parameter]:
    for number, each in enumerate(prototype.arguments if prototype else ()):
        yield Parameter(each.name or f"argument {number}", each.type, each.size)


def _result(prototype: Prototype | None) -> str:
    result: Argument | None = prototype.result if prototype else None
    return "" if result is None or result.type == "void" else result.type


def _of_probe(event: Event) -> Iterator[Parameter]:
    path, _, rest = event.name.removeprefix("usdt:").rpartition(":")[0].rpartition(":")
    name = event.name.rpartition(":")[2]
    for probe in probes_of(ElfFile.open(path)):
        if (probe.provider, probe.name) != (rest, name):
            continue
        for number, written in enumerate(probe.arguments):
            size, _, place = written.partition("@")
            bytes_ = int(size) if size.lstrip("-").isdigit() else 0
            sign = "int" if bytes_ < 0 else "uint"
            kind = f"{sign}{abs(bytes_) * 8}_t" if bytes_ else ""
            yield Parameter(f"arg{number}", kind, abs(bytes_) or None, None, place)
        return


def _example(event: Event) -> str:
    if not any(verdict.reached for verdict in event.reach.values()):
        return ""
    return f"kprof record -e {event.name} {_TARGETS.get(event.name, '-a')} -d 10"


def _trace(event: Event) -> str:
    if event.kind not in _TRACED or not event.reach["libbpf"].reached:
        return ""
    name = re.sub(r"^syscalls:sys_(enter|exit)_", "syscall:", event.name)
    return f"kprof trace {name}"
