"""Which programs count which events."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf.functions import function_source, is_pattern
from kprof.recorders.bpf.recipes import LIVE, RECIPES, recipe
from kprof.recorders.bpf.sources import Kprobe, PerfEvent, RawTracepoint, Source, Tracepoint
from kprof.recorders.reach import BPF_PREFIXES
from kprof.recorders.request import RecordRequest
from kprof.system.tracefs import tracepoint_number
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
_MODIFIED = re.compile(r"^(.*?)(?::([ukp]+))?$")
_SAMPLED = re.compile(r"^(on-cpu|cycles)(:|$)")
_KERNEL_FUNCTION = re.compile(r"^(kprobe|kretprobe|fentry|fexit):([\w.]+)(?:\+(0x[0-9a-fA-F]+|\d+))?$")
_RAW_TRACEPOINT = re.compile(r"^raw_tp:(\w+)$")
# Where threads wait for something: that is not done as often as one likes.
_BLOCKED = ("off-cpu", "wakeup", "block-io", "lock")
_TRACEPOINT = re.compile(r"^[\w-]+:[\w-]+$")
_BOTH = layout.USER | layout.KERNEL


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


def plan(
    request: RecordRequest,
    *,
    hardware: bool,
    fastest: int,
    tracepoint: Callable[[str], int] = tracepoint_number,
    lacking: str = "",
) -> Plan:
    """Choose events, programs and rate.

    Args:
        request: What is asked for.
        hardware: Whether this host has hardware counters.
        fastest: kernel.perf_event_max_sample_rate.
        tracepoint: Tells a tracepoint's number.
        lacking: Why there are no hardware counters, if this host has them.

    Raises:
        UsageError: An event is not known, or there are too many.
        NotAvailableError: This host, or this version, does not have it.
    """
    if request.call_graph == "lbr":
        raise NotAvailableError("the bpf backend does not know -g lbr", "use --backend perf for it")
    if request.stack_bytes > layout.MOST_COPIED:
        raise UsageError(
            f"--stack-size {request.stack_bytes} is too much for the bpf backend",
            f"it copies up to {layout.MOST_COPIED} bytes; perf up to 65,528",
        )
    notes: list[str] = []
    names = [name for item in request.events for name in item.split(",") if name] or ["on-cpu"]
    _check(names)
    frequency = request.frequency or (HOST_FREQUENCY if request.is_cpu_wide else TARGET_FREQUENCY)
    if frequency > fastest:
        notes.append(f"the kernel allows {fastest} Hz, not {frequency} (kernel.perf_event_max_sample_rate)")
        frequency = fastest
    sources = [_source(name, request, frequency, hardware, tracepoint) for name in names]
    sources = [replace(source, copies=_copies(source, request)) for source in sources]
    if request.live and not any(source.file == LIVE for source in sources):
        raise UsageError("--live is for malloc", "give it with -e malloc")
    if request.waker and not any(source.name == "off-cpu" for source in sources):
        raise UsageError("--waker is for off-cpu", "give it with -e off-cpu")
    if request.weight and not any(name.partition(":")[0] in RECIPES for name in names):
        raise UsageError(f"{names[0]} has no duration to weigh by {request.weight}", "leave --weight out")
    facts = {}
    notes += [f"{s.name} is {s.places:,} place{'s' * (s.places > 1)}" for s in sources if is_pattern(s.name)]
    if any(source.frequency for source in sources):
        facts["frequency"] = f"{frequency} Hz"
    if not hardware and any(map(_SAMPLED.match, names)):
        facts["fallback"] = "cpu-clock, because hardware cycles are not available"
        lacking = lacking or "this host has no hardware counters"
        notes.append(f"{lacking}: sampling cpu-clock instead of cycles")
    return Plan(sources, facts, notes)


def _copies(source: Source, request: RecordRequest) -> int:
    """Return whether stacks are copied; by itself where a rate bounds it, or what one target can do."""
    if request.call_graph == "fp" or not source.sides & layout.USER:
        return layout.FOLLOW
    if request.call_graph == "dwarf":
        return layout.COPY_ALL
    blocks = source.weight is not None and source.name.partition(":")[0] in _BLOCKED
    bounded = source.frequency or (blocks and not request.is_cpu_wide)
    return layout.COPY_UNFRAMED if bounded else layout.FOLLOW


def _check(names: list[str]) -> None:
    if len(names) > layout.MAX_EVENTS:
        raise UsageError(f"{len(names)} events are too many", f"up to {layout.MAX_EVENTS} fit in a recording")
    # The sides of a recipe's stack do not make it another one: its programs can be loaded once only.
    known = [name.partition(":")[0] if name.partition(":")[0] in RECIPES else name for name in names]
    if twice := next((name for name in known if known.count(name) > 1), ""):
        raise UsageError(f"{twice} is asked for twice", "give each event once")


def _source(
    text: str, request: RecordRequest, frequency: int, hardware: bool, tracepoint: Callable[[str], int]
) -> Source:
    if text.startswith(("uprobe:", "uretprobe:", "usdt:")):
        return function_source(text, request)
    if match := _KERNEL_FUNCTION.match(text):
        return _kernel_function(text, *match.groups())
    if match := _RAW_TRACEPOINT.match(text):
        return Source(text, "events", "kernel", ("raw_tracepoint",), (RawTracepoint(match[1]),))
    if text.startswith(BPF_PREFIXES):
        raise UsageError(f"{text}: not an event", _known())
    match = _MODIFIED.match(text)
    name, modifiers = (match[1], match[2] or "") if match else (text, "")
    sides = {"u": layout.USER, "k": layout.KERNEL}.get(modifiers, _BOTH)
    if name in RECIPES:
        return recipe(name, sides, request)
    found = _perf_event(name, frequency, hardware)
    if found is not None:
        name, unit, event = found
        return Source(
            f"{name}:{modifiers}" if modifiers else name, unit, "sample", ("sample",), (event,), sides
        )
    if _TRACEPOINT.match(text):
        return Source(text, "events", "sample", ("tracepoint",), (Tracepoint(tracepoint(text)),))
    raise UsageError(f"the bpf backend does not know the event {text}", _known())


def _kernel_function(text: str, kind: str, symbol: str, offset: str | None) -> Source:
    if kind in {"fentry", "fexit"}:
        if offset:
            raise UsageError(
                f"{text}: {kind} is for whole functions", f"write {kind}:{symbol}, or use kprobe"
            )
        return Source(text, "events", "kernel", (f"{kind}_function",), target=symbol)
    probe = Kprobe(symbol, int(offset, 0) if offset else 0, kind == "kretprobe")
    return Source(text, "events", "kernel", ("kprobe_function",), (probe,))


def _perf_event(name: str, frequency: int, hardware: bool) -> tuple[str, str, PerfEvent] | None:
    """Return what an event of perf is called, its unit, and the event."""
    name = "cycles" if name == "on-cpu" else name
    if name == "cycles" and not hardware:
        name = "cpu-clock"
    if name in _CLOCKS:
        return name, "ns", PerfEvent(abi.TYPE_SOFTWARE, _SOFTWARE[name], _NANOSECONDS // frequency, frequency)
    if name in _SOFTWARE:
        # Every one of them is counted: a rate would make the kernel guess how many a sample stands for.
        return name, "events", PerfEvent(abi.TYPE_SOFTWARE, _SOFTWARE[name])
    if name not in _HARDWARE:
        return None
    if not hardware:
        raise NotAvailableError(
            f"this host has no hardware counters, which {name} needs",
            "virtual machines often hide them; cpu-clock works everywhere",
        )
    return name, "events", PerfEvent(abi.TYPE_HARDWARE, _HARDWARE[name], 0, frequency)


def _known() -> str:
    names = ["on-cpu", *RECIPES, *_SOFTWARE, *_HARDWARE, "GROUP:TRACEPOINT", "raw_tp:NAME"]
    functions = "uprobe:PATH:FUNCTION, usdt:PATH:PROVIDER:NAME, kprobe:FUNCTION, fentry:FUNCTION"
    return f"it knows {', '.join(names)}, {functions}"
