"""What bpftrace calls the places that programs are attached to."""

from kprof.errors import NotAvailableError
from kprof.recorders.bpf.probes import Address, KernelFunction, NamedTracepoint, Where
from kprof.recorders.bpf.sources import Kprobe, PerfEvent, RawTracepoint, Source
from kprof.wire import bpf_events as layout
from kprof.wire import perf_abi as abi

_SOFTWARE = {
    2: "page-faults", 3: "context-switches", 4: "cpu-migrations", 5: "minor-faults", 6: "major-faults",
    7: "alignment-faults", 8: "emulation-faults",
}  # fmt: skip


def name_of(source: Source, where: Where) -> str:
    """Return what bpftrace calls a place.

    Raises:
        NotAvailableError: It has no such.
    """
    if isinstance(where, NamedTracepoint):
        return f"tracepoint:{where.name}"
    if isinstance(where, KernelFunction):
        return f"k{'ret' if where.returns else ''}func:{where.symbol}"
    if isinstance(where, Kprobe):
        offset = f"+{where.offset}" if where.offset else ""
        return f"k{'ret' if where.returns else ''}probe:{where.symbol}{offset}"
    if isinstance(where, RawTracepoint):
        raise NotAvailableError(f"bpftrace records tracepoints, and not {source.name} as it is")
    if isinstance(where, Address):
        return _in_program(source, where)
    return _perf_event(source, where)


def _in_program(source: Source, where: Address) -> str:
    if source.name.startswith("usdt:"):
        return f"usdt:{where.path}:{where.place.name}"
    if not where.place.starts:
        raise NotAvailableError(f"bpftrace attaches to the start of functions only, not to {source.name}")
    return f"u{'ret' if where.returns else ''}probe:{where.path}:{where.address:#x}"


def _perf_event(source: Source, where: PerfEvent) -> str:
    if source.sides != layout.USER | layout.KERNEL:
        raise NotAvailableError(
            f"bpftrace samples user code and the kernel together, not as {source.name} asks"
        )
    if where.kind != abi.TYPE_SOFTWARE:
        raise NotAvailableError(f"bpftrace samples {source.name} by its number, not at a rate")
    if where.frequency:
        return f"profile:hz:{where.frequency}"
    return f"software:{_SOFTWARE[where.config]}:1"
