"""What loads the programs of a trace."""

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.trace.engine import LibbpfEngine
from kprof.recorders.trace.exec_bcc import BccExec
from kprof.recorders.trace.exec_bpftrace import BpftraceExec
from kprof.recorders.trace.exec_seen import TOLD
from kprof.recorders.trace.plan import TracePlan, plan
from kprof.recorders.trace.request import TraceRequest
from kprof.recorders.trace.session import Engine
from kprof.system.tools import find_bcc, find_bpftrace

# What the other engines trace: their programs know this event, and no table of fields.
_THEIRS = "exec"


def choose(request: TraceRequest) -> tuple[TracePlan, Engine, str]:
    """Return what is traced, the engine, and what that is, in words.

    Raises:
        UsageError: The engine cannot do what is asked for.
        NotAvailableError: It is not there.
    """
    planned = plan(request)
    if request.engine in {"auto", "libbpf"}:
        return planned, LibbpfEngine(request.scope, planned), "libbpf"
    if list(request.events) != [_THEIRS]:
        raise UsageError(
            f"{request.engine} traces {_THEIRS} only, not {planned.title}", "leave --engine out for all else"
        )
    unknown = [name for name in planned.events[0].numbers if name not in TOLD]
    if unknown or request.stacks:
        what = ", ".join(unknown) or "stacks"
        raise NotAvailableError(f"{request.engine} does not tell {what}", "use --engine libbpf")
    if request.engine == "bpftrace":
        tool = find_bpftrace()
        return planned, BpftraceExec(tool, request.scope, planned.events[0]), f"bpftrace {tool.version}"
    tool = find_bcc()
    return planned, BccExec(tool, request.scope, planned.events[0]), f"BCC {tool.version}"
