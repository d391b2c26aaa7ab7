"""What loads the programs of a trace."""

from collections.abc import Callable
from typing import Protocol

from kprof.recorders.trace.plan import TracePlan, plan
from kprof.recorders.trace.request import Traced, TraceRequest
from kprof.recorders.trace.session import Sink, trace


class Tracer(Protocol):
    """Traces until the time, the target or the command ends, or a signal comes."""

    def __call__(
        self,
        request: TraceRequest,
        planned: TracePlan,
        sink: Sink,
        *,
        flush: Callable[[], None],
        ready: Callable[[], None],
    ) -> Traced:
        """Trace; see `kprof.recorders.trace.session.trace`."""
        ...


def choose(request: TraceRequest) -> tuple[TracePlan, Tracer, str]:
    """Return what is traced, what traces it, and which engine that is, in words.

    Raises:
        UsageError: The engine cannot do what is asked for.
        NotAvailableError: It is not there.
    """
    return plan(request), trace, "libbpf"
