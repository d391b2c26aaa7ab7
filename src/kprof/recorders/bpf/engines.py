"""Which engine records, and how each is opened: libbpf, bpftrace and BCC look alike from outside.

The last two are imported where they are asked for: few recordings are theirs, and all would wait for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from kprof.errors import KprofError, NotAvailableError, UsageError
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.libbpf_engine import LibbpfEngine, why_not
from kprof.recorders.bpf.plan import Plan, plan
from kprof.recorders.bpf.rooms import Rooms
from kprof.recorders.bpf.scope import Job, Room
from kprof.recorders.request import RecordRequest
from kprof.system import host
from kprof.system.tools import Tool, find_bcc, find_bpftrace
from kprof.system.tracefs import event_folder

ENGINES = ("libbpf", "bpftrace", "bcc")
_NO_RATE = "bpftrace samples no hardware counter at a rate"


class Counting(Protocol):
    """An engine with one recording.

    Attributes:
        title: Its name and version.
        notes: What a user must be told; more may come with each step.
    """

    title: str
    notes: list[str]

    @property
    def rooms(self) -> Rooms | Room:
        """How much its maps hold."""
        ...

    @property
    def descriptors(self) -> Sequence[int]:
        """What is ready when something should be moved soon."""
        ...

    @property
    def is_crowded(self) -> bool:
        """Whether what was counted should be moved before its time."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def load(self) -> None:
        """Load its programs, if it loads before it attaches."""
        ...

    def attach(self) -> None:
        """Let the programs run; all of them do when this returns."""
        ...

    def mark_framed(self, pid: int, *, kept: bool) -> None:
        """Say whether the code of a process keeps frame pointers, if stacks are copied where it does not."""
        ...

    def drain(self, dump: DumpWriter) -> int:
        """Move what was counted so far to the recording; return how many rows that was."""
        ...

    def detach(self) -> None:
        """Stop counting: nothing is counted any more when this returns."""
        ...

    def finish(self, dump: DumpWriter, ended_ns: int) -> None:
        """Move the rest to the recording; what has begun and not ended counts up to now."""
        ...

    def tallies(self) -> dict[str, Any]:
        """Return the accounting so far: what was seen, and what became of it."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and what it is to record.

    Attributes:
        name: One of `ENGINES`.
        planned: The events.
        reason: Why it was chosen; empty if it was asked for.
        tool: What runs it; None for libbpf.
    """

    name: str
    planned: Plan
    reason: str = ""
    tool: Tool | None = None

    @property
    def notes(self) -> list[str]:
        """What a user must be told."""
        told = [f"the {self.name} engine records: {self.reason}"] if self._is_second else []
        return [*self.planned.notes, *told]

    @property
    def _is_second(self) -> bool:
        return bool(self.reason) and self.name != ENGINES[0]


def choose(request: RecordRequest) -> Choice:
    """Return the engine that is asked for, or the first that can record this here.

    Raises:
        UsageError: An event is not known.
        NotAvailableError: The engine, or none of them, can record this here; the message says why.
    """
    if request.engine != "auto":
        return _choice(request.engine, request)
    refusals: list[tuple[str, KprofError]] = []
    for name in ENGINES:
        try:
            found = _choice(name, request)
        except UsageError:
            raise
        except KprofError as error:
            refusals.append((name, error))
            continue
        reason = "; ".join(f"{other} does not, for {error}" for other, error in refusals)
        return Choice(name, found.planned, reason or "the first that can", found.tool)
    raise refusals[0][1]


def _choice(name: str, request: RecordRequest) -> Choice:
    counters = host.has_hardware_counters()
    if name == "libbpf":
        planned = plan(request, hardware=counters, fastest=host.fastest_sampling())
        if refused := why_not():
            raise NotAvailableError(*refused)
        return Choice(name, planned)
    tool = find_bpftrace() if name == "bpftrace" else find_bcc()
    if request.call_graph == "dwarf":
        raise NotAvailableError(
            f"the {name} engine copies no stacks, as -g dwarf wants", "use --engine libbpf"
        )
    request = replace(request, call_graph="fp") if request.call_graph == "auto" else request
    if name == "bpftrace":
        lacking = _NO_RATE if counters else ""
        planned = plan(request, hardware=False, fastest=host.fastest_sampling(), lacking=lacking)
        from kprof.recorders.bpf.bpftrace.program import refusal as bpftrace_refusal  # noqa: PLC0415

        refusal = bpftrace_refusal(planned.sources, request.cgroup)
    else:
        planned = plan(request, hardware=counters, fastest=host.fastest_sampling())
        from kprof.recorders.bpf.bcc.program import refusal as bcc_refusal  # noqa: PLC0415

        refusal = bcc_refusal(planned.sources)
    if refusal:
        able = ENGINES[0] if not why_not() else "perf"
        advice = "--backend perf may do" if able == "perf" else f"record it with --engine {able}"
        raise NotAvailableError(refusal, advice)
    return Choice(name, planned, "", tool)


def open_engine(choice: Choice, job: Job) -> Counting:
    """Return the engine; nothing is loaded before its `load`.

    Raises:
        NotAvailableError: tracefs is not mounted, or may not be read, where the engine needs it.
    """
    if choice.tool is None:
        return LibbpfEngine(job)
    # Both look there for each tracepoint, and the accounting of every recording needs some.
    event_folder()
    if choice.name == "bpftrace":
        from kprof.recorders.bpf.bpftrace.engine import BpftraceEngine  # noqa: PLC0415

        return BpftraceEngine(choice.tool, job)
    from kprof.recorders.bpf.bcc.engine import BccEngine  # noqa: PLC0415

    return BccEngine(choice.tool, job)


def program_text(choice: Choice, job: Job) -> str:
    """Return the program that an engine would run.

    Raises:
        NotAvailableError: Its programs are compiled already.
    """
    if choice.name == "bpftrace":
        from kprof.recorders.bpf.bpftrace import program as bpftrace  # noqa: PLC0415

        return bpftrace.program(job.sources, job.scope, bpftrace.SAMPLING_MS)
    if choice.name == "bcc":
        from kprof.recorders.bpf.bcc import program as bcc  # noqa: PLC0415

        return bcc.program(job, 0).text
    raise NotAvailableError(
        "the programs of the libbpf engine are compiled already, and come with kprof",
        "see recorders/bpf/programs among its sources; --engine bpftrace or bcc write theirs",
    )
