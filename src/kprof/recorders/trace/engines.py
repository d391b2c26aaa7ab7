"""What loads the programs of a trace."""

from contextlib import suppress

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf import failure
from kprof.recorders.bpf.libbpf import version
from kprof.recorders.trace.engine import LibbpfEngine
from kprof.recorders.trace.exec_bcc import BccExec
from kprof.recorders.trace.exec_bpftrace import BpftraceExec
from kprof.recorders.trace.exec_seen import TOLD
from kprof.recorders.trace.plan import TracePlan, plan
from kprof.recorders.trace.request import TraceRequest
from kprof.recorders.trace.session import Engine
from kprof.system import permissions
from kprof.system.tools import find_bcc, find_bpftrace

# What the other engines trace: their programs know this event, and no table of fields.
_THEIRS = "exec"


def choose(request: TraceRequest) -> tuple[TracePlan, Engine, str]:
    """Return what is traced, the engine, and what that is, in words.

    Raises:
        UsageError: The engine cannot do what is asked for.
        NotAvailableError: It is not there.
    """
    failure.check_permissions(permissions.current())
    planned = plan(request)
    if request.engine == "auto":
        return planned, *_first(request, planned)
    return planned, *_named(request.engine, request, planned)


def _first(request: TraceRequest, planned: TracePlan) -> tuple[Engine, str]:
    """Return the first engine that is here, and why it is not an earlier one."""
    try:
        version()
    except NotAvailableError as error:
        for name in ("bpftrace", "bcc"):
            with suppress(NotAvailableError, UsageError):
                engine, title = _named(name, request, planned)
                return engine, f"{title}, for {error}"
        raise
    return _named("libbpf", request, planned)


def _named(name: str, request: TraceRequest, planned: TracePlan) -> tuple[Engine, str]:
    if name == "libbpf":
        return LibbpfEngine(request.scope, planned), f"libbpf {version()}"
    if list(request.events) != [_THEIRS]:
        raise UsageError(
            f"{name} traces {_THEIRS} only, not {planned.title}", "leave --engine out for all else"
        )
    unknown = [field for field in planned.events[0].numbers if field not in TOLD]
    if unknown or request.stacks:
        what = ", ".join(unknown) or "stacks"
        raise NotAvailableError(f"{name} does not tell {what}", "use --engine libbpf")
    if name == "bpftrace":
        tool = find_bpftrace()
        return BpftraceExec(tool, request.scope, planned.events[0]), f"bpftrace {tool.version}"
    tool = find_bcc()
    return BccExec(tool, request.scope, planned.events[0]), f"BCC {tool.version}"
