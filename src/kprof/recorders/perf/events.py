"""Which events, at which rate, and whether the kernel's side may be seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kprof.errors import NotAvailableError
from kprof.recorders.reach import needs_bpf
from kprof.recorders.request import RecordRequest
from kprof.system.permissions import Permissions, explain

HOST_FREQUENCY = 99
TARGET_FREQUENCY = 997
_HARDWARE = (
    "cycles", "instructions", "branches", "branch-misses", "cache-misses", "cache-references", "bus-cycles",
    "ref-cycles", "stalled-cycles-frontend", "stalled-cycles-backend",
)  # fmt: skip
_TRACEPOINT = re.compile(r"^[\w-]+:[\w*?-]+(:[ukhGHp]+)?$")
_MODIFIER = re.compile(r"^(.*?)(?::([a-zA-Z]+))?$")


@dataclass(frozen=True, slots=True)
class EventPlan:
    """The events to give to perf.

    Attributes:
        arguments: perf's arguments, `-e` and `-F` among them.
        first: Name of the first event, as perf will print it.
        frequency: Samples a second; None where every event is counted.
        facts: What a report's head says.
        notes: What a user must be told.
    """

    arguments: Sequence[str]
    first: str
    frequency: int | None
    facts: dict[str, str]
    notes: Sequence[str]


def plan_events(request: RecordRequest, permissions: Permissions, *, hardware: bool) -> EventPlan:
    """Choose events and rate.

    Args:
        request: What is asked for.
        permissions: What is allowed.
        hardware: Whether this host has hardware counters.

    Raises:
        NotAvailableError: Another backend or other permissions are needed.
    """
    asked = [event for item in request.events for event in _split(item)]
    notes: list[str] = []
    _refuse(asked, hardware=hardware)
    events = ["cycles" if event == "on-cpu" else event for event in asked] or ["cycles"]
    facts = {}
    if not hardware and "cycles" in events:
        events = ["cpu-clock" if event == "cycles" else event for event in events]
        notes.append("this host has no hardware counters: sampling cpu-clock instead of cycles")
        facts["fallback"] = "cpu-clock, because hardware cycles are not available"
    _check_permissions(request, events, permissions)
    if not permissions.may_see_kernel and not request.elevate:
        events = [_user_only(event) for event in events]
        notes.append(
            f"kernel.perf_event_paranoid is {permissions.paranoid}: recording user code only;"
            " see the kernel with --root, or: sudo sysctl kernel.perf_event_paranoid=1"
        )
        facts["scope"] = f"user code only (perf_event_paranoid is {permissions.paranoid})"
    elif permissions.kernel_names_hidden and not request.elevate:
        hidden = f"kernel symbols are hidden (kernel.kptr_restrict is {permissions.kptr_restrict})"
        from_all = permissions.kptr_restrict >= 2  # noqa: PLR2004 - hidden from root, too
        notes.append(f"{hidden}: {'sudo sysctl kernel.kptr_restrict=1, and' if from_all else 'try'} --root")
    frequency = request.frequency or (HOST_FREQUENCY if request.is_cpu_wide else TARGET_FREQUENCY)
    arguments, rate = _arguments(events, frequency, explicit=request.frequency is not None)
    if rate:
        facts["frequency"] = f"{rate} Hz"
    return EventPlan(arguments, _printed_name(arguments[1]), rate, facts, notes)


def _printed_name(event: str) -> str:
    """Return the name by which perf will print an event: its own, or one that was given to it."""
    given = re.search(r"\bname=([^,/]+)", event)
    return given[1] if given else event


def is_tracepoint(event: str) -> bool:
    """Say whether an event is a tracepoint, `sched:sched_switch`, and not `cycles:u`."""
    head, _, tail = event.partition(":")
    return bool(_TRACEPOINT.match(event)) and not (set(tail) <= set("ukhGHIpPSDWe") and "_" not in head)


def _split(item: str) -> list[str]:
    """Split at commas that are not within slashes or braces."""
    parts, depth, start = [], False, 0
    braces = 0
    for i, char in enumerate(item):
        depth ^= char == "/"
        braces += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and not depth and not braces:
            parts.append(item[start:i])
            start = i + 1
    return [part for part in (*parts, item[start:]) if part]


def _refuse(events: list[str], *, hardware: bool) -> None:
    for event in events:
        name = event.partition(":")[0]
        if needs_bpf(event):
            raise NotAvailableError(f"{event} needs the bpf backend", "leave --backend perf out")
        if not hardware and name in _HARDWARE and name != "cycles":
            raise NotAvailableError(
                f"this host has no hardware counters, which {event} needs",
                "virtual machines often hide them; cpu-clock works everywhere",
            )


def _check_permissions(request: RecordRequest, events: list[str], permissions: Permissions) -> None:
    if request.elevate:
        return
    if not permissions.may_record:
        raise NotAvailableError(*explain(permissions, "user"))
    if request.is_cpu_wide and not permissions.may_see_all:
        raise NotAvailableError(*explain(permissions, "all"))
    if any(map(is_tracepoint, events)) and not permissions.is_privileged and permissions.paranoid >= 0:
        raise NotAvailableError(*explain(permissions, "tracepoints"))


def _user_only(event: str) -> str:
    match = _MODIFIER.match(event)
    if event.startswith("{") or is_tracepoint(event) or not match:
        return event
    name, modifiers = match[1], match[2] or ""
    if event.endswith("/"):
        return f"{event}u"
    return event if "u" in modifiers and "k" not in modifiers else f"{name}:u{modifiers.replace('k', '')}"


def _arguments(events: list[str], frequency: int, *, explicit: bool) -> tuple[list[str], int | None]:
    """Return perf's arguments and the rate.

    Every occurrence of a tracepoint is recorded: a rate on it would make perf guess a period, and
    counts would be wrong.
    """
    counted = [is_tracepoint(event) for event in events]
    flags = [flag for event in events for flag in ("-e", event)]
    if explicit or not any(counted):
        return [*flags, "-F", str(frequency)], frequency
    if all(counted):
        return flags, None
    rated = [e if c else _with_rate(e, frequency) for e, c in zip(events, counted, strict=True)]
    return [flag for event in rated for flag in ("-e", event)], frequency


def _with_rate(event: str, frequency: int) -> str:
    """Write the rate into one event: perf's -F would hold for all of them."""
    if event.startswith("{"):
        return event
    if event.count("/") == 2:  # noqa: PLR2004 - pmu/terms/modifiers
        pmu, terms, modifiers = event.split("/")
        return f"{pmu}/{terms},freq={frequency}/{modifiers}"
    name, _, modifiers = event.partition(":")
    return f"{name}/freq={frequency},name={event.replace(':', '-') if modifiers else name}/{modifiers}"
