"""Which events with which fields: what somebody wrote, against what this host has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from kprof.elf.kernel_types import KernelTypes
from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.request import RecordRequest
from kprof.recorders.trace.compile import Table
from kprof.recorders.trace.events import TracedEvent
from kprof.recorders.trace.fields import Field
from kprof.recorders.trace.filters import parse
from kprof.recorders.trace.functions import kernel_function, user_function
from kprof.recorders.trace.members import find_field
from kprof.recorders.trace.readymade import READY_MADE, ready_made
from kprof.recorders.trace.request import Column, TraceRequest
from kprof.recorders.trace.tracepoints import system_call, tracepoint
from kprof.wire import bpf_events as layout

_SYSCALL = "syscall:"
_OF_ALL = {"time": Column("time", "time"), "event": Column("event")}
_WIDE = ("cwd", "filename", "args")
_NUMBERS = frozenset({"number", "errno", "ns"})
# What tells whether the arguments of a program are all there.
_BESIDE_WORDS = ("args_bytes", "cut")
_SIDES = {"u": layout.USER, "k": layout.KERNEL}


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event, with what is read of it.

    Attributes:
        event: The event.
        shown: The fields that are shown.
        numbers: Where in records their values are, by name.
        table: One `trace_events.TRACE`.
    """

    event: TracedEvent
    shown: Sequence[Field]
    numbers: dict[str, int]
    table: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class TracePlan:
    """What is traced.

    Attributes:
        events: The events.
        columns: What is shown, in order.
        title: The events in words.
    """

    events: Sequence[PlannedEvent]
    columns: Sequence[Column]
    title: str


def plan(request: TraceRequest) -> TracePlan:
    """Find events, fields and filter.

    Raises:
        UsageError: One of them is not there, or is not written so.
        NotAvailableError: This host does not have it.
    """
    types = KernelTypes()
    events = [found for name in request.events for found in find_events(name, request.scope, types)]
    if not events:
        raise UsageError("nothing to trace", f"name an event, such as {', '.join(READY_MADE)}")
    if len(events) > layout.MAX_EVENTS:
        raise UsageError(
            f"{len(events)} events are too many", f"up to {layout.MAX_EVENTS} are traced at once"
        )
    planned = list(_all_planned(request, events, types))
    columns = dict(_OF_ALL)
    for each in (found for one in planned for found in one.shown):
        columns.setdefault(each.name, Column(each.name, each.form, each.form in _NUMBERS))
    shown = [columns[name] for name in _names(request, events) if name in columns]
    return TracePlan(planned, shown, ", ".join(request.events))


def _all_planned(
    request: TraceRequest, events: Sequence[TracedEvent], types: KernelTypes
) -> Iterator[PlannedEvent]:
    """Plan events. One of several that go by one name does not pass a filter that asks for what it lacks."""
    problems: dict[str, UsageError] = {}
    fit: set[str] = set()
    for event in events:
        try:
            yield _planned(request, event, events, types)
            fit.add(event.name)
        except UsageError as error:
            problems.setdefault(event.name, error)
    for name in problems.keys() - fit:
        raise problems[name]


def _planned(
    request: TraceRequest, event: TracedEvent, events: Sequence[TracedEvent], types: KernelTypes
) -> PlannedEvent:
    if request.stacks and not event.in_task:
        raise NotAvailableError(
            f"{event.name} ends in another task than it began in: its stack says nothing",
            f"kprof record -e {event.name} keeps the stack that began it",
        )
    if request.least and not event.has_duration:
        raise UsageError(f"{event.name} has no duration", "leave --min-ns out")
    shown = _shown(request, event, events, types)
    table = Table(event, partial(_find, types=types))
    for found in shown:
        table.show(found)
    for name in _BESIDE_WORDS if event.has_words else ():
        table.show(event.own[name])
    if request.condition:
        table.limit(parse(request.condition), request.condition)
    stacks = sum(_SIDES[side] for side in request.stacks)
    return PlannedEvent(event, shown, table.numbers, table.build(stacks=stacks, least=request.least))


def find_events(name: str, scope: RecordRequest, types: KernelTypes) -> list[TracedEvent]:
    """Return the events of a name.

    Raises:
        UsageError: There are none.
        NotAvailableError: This host does not have them.
    """
    if name in READY_MADE:
        return ready_made(name)
    if name.startswith(_SYSCALL):
        return [system_call(name.removeprefix(_SYSCALL))]
    if found := user_function(name, scope) or kernel_function(name, types):
        return [found]
    if name.count(":") == 1 and not name.startswith(("uprobe:", "uretprobe:", "usdt:")):
        return [tracepoint(name)]
    known = ", ".join([*READY_MADE, "GROUP:TRACEPOINT", "syscall:NAME", "kprobe:FUNCTION", "call:FUNCTION"])
    raise UsageError(
        f"{name} is no event that is traced", f"there is {known}, uprobe:/PATH:FUNCTION, call:/PATH:FUNCTION"
    )


def _names(request: TraceRequest, events: Sequence[TracedEvent]) -> list[str]:
    """Return the names of what is shown, in order."""
    if request.fields:
        return list(request.fields)
    names: dict[str, None] = {}
    for event in events:
        names |= dict.fromkeys(event.usual)
    if len({event.name for event in events}) == 1:
        return list(names)
    # What has no width of its own stands last, or each event would push the columns of the others away.
    rest = sorted((name for name in names if name != "time"), key=lambda name: name in _WIDE)
    return ["time", "event", *rest]


def _find(event: TracedEvent, text: str, *, types: KernelTypes) -> Field:
    return find_field(event, text, types.of())


def _shown(
    request: TraceRequest, event: TracedEvent, events: Sequence[TracedEvent], types: KernelTypes
) -> list[Field]:
    """Return the fields of an event that are shown.

    Raises:
        UsageError: No event has one of them.
    """
    found = []
    for name in request.fields or event.usual:
        if name in _OF_ALL:
            continue
        try:
            found.append(_find(event, name, types=types))
        except UsageError:
            others = [other for other in events if other is not event]
            if not any(_has(other, name, types) for other in others):
                raise
    return found


def _has(event: TracedEvent, name: str, types: KernelTypes) -> bool:
    try:
        _find(event, name, types=types)
    except UsageError:
        return False
    return True
