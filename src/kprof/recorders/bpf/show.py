"""The programs that engines would run, for those who want to see them."""

import tempfile

from kprof.errors import UsageError
from kprof.recorders.bpf.bpftrace import child
from kprof.recorders.bpf.engines import Choice, choose, program_text
from kprof.recorders.bpf.scope import Job, scope_of
from kprof.recorders.request import RecordRequest
from kprof.system.cgroups import unified_directory
from kprof.system.cpus import chosen_cpus


def show_program(request: RecordRequest) -> str:
    """Return the text of the program; that of a command has no process yet.

    Raises:
        NotAvailableError: The engine cannot record this, or its programs are compiled already.
    """
    return _text(request, choose(request))


def debug_program(request: RecordRequest) -> str:
    """Return the tree and LLVM's code of a program as bpftrace tells them.

    Raises:
        UsageError: The engine is another one.
        NotAvailableError: bpftrace cannot record this.
    """
    choice = choose(request)
    if choice.name != "bpftrace" or choice.tool is None:
        raise UsageError(f"the {choice.name} engine has no such view", "give it with --engine bpftrace")
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        code, text = child.debug(choice.tool, _text(request, choice), folder)
        if code:
            raise child.translate(text, code)
        return text


def _text(request: RecordRequest, choice: Choice) -> str:
    cpus = chosen_cpus(request.cpus)
    group = unified_directory(request.cgroup) if request.cgroup else ""
    scope = scope_of(request, (*request.pids, *request.tids), cpus, group)
    return program_text(choice, Job(request, choice.planned, scope, cpus=cpus))
