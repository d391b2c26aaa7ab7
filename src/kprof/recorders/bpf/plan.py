"""Which programs count which events, and what they are attached to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.reach import BPF_EVENTS, BPF_PREFIXES
from kprof.recorders.request import RecordRequest
from kprof.system import host
from kprof.wire import bpf_events as layout
from kprof.wire import perf_abi as abi

HOST_FREQUENCY, TARGET_FREQUENCY = 99, 997
_NANOSECONDS = 1_000_000_000
_CLOCKS = ("cpu-clock", "task-clock")
_SOFTWARE = {
    "cpu-clock": 0, "task-clock": 1, "page-faults": 2, "faults": 2, "context-switches": 3, "cs": 3,
    "cpu-migrations": 4, "migrations": 4, "minor-faults": 5, "major-faults": 6, "alignment-faults": 7,
    "emulation-faults": 8,
}  # fmt: skip
_HARDWARE = {
    "cycles": 0, "cpu-cycles": 0, "instructions": 1, "cache-references": 2, "cache-misses": 3, "branches": 4,
    "branch-instructions": 4, "branch-misses": 5, "bus-cycles": 6, "ref-cycles": 9,
}  # fmt: skip
# The object and the program that count events of perf.
_SAMPLE = ("sample", "sample")
_MODIFIED = re.compile(r"^(.*?)(?::([ukp]+))?$")


@dataclass(frozen=True, slots=True)
class Source:
    """An event, and the program that counts it.

    Attributes:
        name: What the recording calls it.
        unit: Of its weights.
        file: The object, without its suffix.
        program: The program within it.
        kind: Type and config of an event of perf.
        frequency: Samples a second and CPU; 0 where every one is counted.
        period: Its period; 0 where the kernel adapts it to the frequency.
        sides: Of the stack: `USER`, `KERNEL`, both.
    """

    name: str
    unit: str
    file: str
    program: str
    kind: tuple[int, int]
    frequency: int = 0
    period: int = 1
    sides: int = layout.USER | layout.KERNEL


@dataclass(frozen=True, slots=True)
class Plan:
    """What is recorded.

    Attributes:
        sources: The events, in the order in which they were asked for.
        facts: What a report's head says.
        notes: What a user must be told.
    """

    sources: Sequence[Source]
    facts: dict[str, str]
    notes: Sequence[str]


def plan(request: RecordRequest, *, hardware: bool, fastest: int) -> Plan:
    """Choose events, programs and rate.

    Args:
        request: What is asked for.
        hardware: Whether this host has hardware counters.
        fastest: kernel.perf_event_max_sample_rate.

    Raises:
        UsageError: An event is not known, or there are too many.
        NotAvailableError: This host, or this version, does not have it.
    """
    if request.call_graph != "fp":
        raise NotAvailableError(
            f"the bpf backend follows frame pointers only, not -g {request.call_graph}",
            "use --backend perf for it",
        )
    notes: list[str] = []
    names = [name for item in request.events for name in item.split(",") if name] or ["on-cpu"]
    if len(names) > layout.MAX_EVENTS:
        raise UsageError(f"{len(names)} events are too many", f"up to {layout.MAX_EVENTS} fit in a recording")
    frequency = request.frequency or (HOST_FREQUENCY if request.is_cpu_wide else TARGET_FREQUENCY)
    if frequency > fastest:
        notes.append(f"the kernel allows {fastest} Hz, not {frequency} (kernel.perf_event_max_sample_rate)")
        frequency = fastest
    sources = [_source(name, frequency, hardware=hardware) for name in names]
    facts = {}
    if any(source.frequency for source in sources):
        facts["frequency"] = f"{frequency} Hz"
    if not hardware and any(re.match(r"(on-cpu|cycles)(:|$)", name) for name in names):
        facts["fallback"] = "cpu-clock, because hardware cycles are not available"
        notes.append("this host has no hardware counters: sampling cpu-clock instead of cycles")
    return Plan(sources, facts, notes)


def _source(text: str, frequency: int, *, hardware: bool) -> Source:
    match = _MODIFIED.match(text)
    name, modifiers = (match[1], match[2] or "") if match else (text, "")
    sides = {"u": layout.USER, "k": layout.KERNEL}.get(modifiers, layout.USER | layout.KERNEL)
    name = "cycles" if name == "on-cpu" else name
    if name == "cycles" and not hardware:
        name = "cpu-clock"
    known = f"{name}:{modifiers}" if modifiers else name
    if name in _CLOCKS:
        kind = (abi.TYPE_SOFTWARE, _SOFTWARE[name])
        return Source(known, "ns", *_SAMPLE, kind, frequency, _NANOSECONDS // frequency, sides)
    if name in _SOFTWARE:
        # Every one of them is counted: a rate would make the kernel guess how many a sample stands for.
        return Source(known, "events", *_SAMPLE, (abi.TYPE_SOFTWARE, _SOFTWARE[name]), sides=sides)
    if name in _HARDWARE:
        if not hardware:
            raise NotAvailableError(
                f"this host has no hardware counters, which {name} needs",
                "virtual machines often hide them; cpu-clock works everywhere",
            )
        kind = (abi.TYPE_HARDWARE, _HARDWARE[name])
        return Source(known, "events", *_SAMPLE, kind, frequency, 0, sides)
    if text in BPF_EVENTS or text.startswith(BPF_PREFIXES):
        raise NotAvailableError(f"{text} is not recorded by this version", _known())
    raise UsageError(f"the bpf backend does not know the event {text}", _known())


def _known() -> str:
    return f"it knows on-cpu, {', '.join([*_SOFTWARE, *_HARDWARE])}"


def has_cycles() -> bool:
    """Say whether hardware cycles can be counted."""
    return host.has_hardware_counters()
