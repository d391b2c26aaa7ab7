"""A recording as C for BCC, and what its functions are attached to.

What all recordings share is `counting.c`; the layouts are those of the libbpf engine, so that what comes out
of the maps is read alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kprof.errors import NotAvailableError
from kprof.recorders.bpf.probes import (
    Address,
    Begin,
    Count,
    End,
    KernelFunction,
    NamedTracepoint,
    Where,
    probes_of,
)
from kprof.recorders.bpf.scope import Job, Scope
from kprof.recorders.bpf.sources import Kprobe, PerfEvent, RawTracepoint, Source
from kprof.wire import bpf_events as layout

_HERE = Path(__file__).parent
_LAYOUTS = _HERE.parent / "programs" / "events.h"
_COUNTING = _HERE / "counting.c"
_ALL = "0xffffffffffffffffULL"
_CLONE_THREAD = 0x10000
# Children of a recorded process are recorded, from their first instruction on.
_FAMILY = (
    (
        "task:task_newtask",
        f"""    u32 from = bpf_get_current_pid_tgid() >> 32, to = args->pid, one = 1;
    if (!(args->clone_flags & {_CLONE_THREAD}) && targets.lookup(&from) && targets.update(&to, &one))
        untracked.increment(0);""",
    ),
    ("sched:sched_process_free", "    u32 ended = args->pid;\n    targets.delete(&ended);"),
)


@dataclass(frozen=True, slots=True)
class Program:
    """C, and what is made of it.

    Attributes:
        text: The C.
        functions: Names of its functions and their types, as BCC calls them.
        hooks: What they are attached to: `to` names BCC's method, the rest is what it takes.
    """

    text: str
    functions: Sequence[tuple[str, str]]
    hooks: Sequence[dict[str, Any]]


def refusal(sources: Sequence[Source]) -> str:
    """Return what of a recording BCC cannot do; empty if it can do all."""
    try:
        for source in sources:
            for probe in probes_of(source):
                _check(source, probe.where)
    except NotAvailableError as error:
        return str(error)
    return ""


def program(job: Job, driver: int) -> Program:
    """Return the program.

    Args:
        job: What it records.
        driver: The process of BCC, which never counts.

    Raises:
        NotAvailableError: BCC cannot do it.
    """
    made: dict[Any, _Function] = {}
    for name, text in _FAMILY if job.scope.kind == layout.PROCESSES and job.scope.inherits else ():
        made[name] = _Function(len(made), NamedTracepoint(name))
        made[name].add(text)
    for number, source in enumerate(job.sources):
        for probe in probes_of(source):
            # BCC knows one function of a tracepoint; of others, each event has its own.
            where = probe.where
            key = where.name if isinstance(where, NamedTracepoint) else len(made)
            function = made.setdefault(key, _Function(len(made), where))
            function.add(*(_step(step, function, number, source) for step in probe.steps))
    parts = [path.read_text(encoding="utf-8") for path in (_LAYOUTS, _COUNTING)]
    parts.insert(1, _settings(job.scope, job.room, driver))
    return Program(
        "\n".join([*parts, *(function.text for function in made.values())]),
        [(function.name, function.kind) for function in made.values()],
        [hook for function in made.values() for hook in function.hooks(job)],
    )


def _settings(scope: Scope, room: int, driver: int) -> str:
    values = {
        "ROOM": room, "SELF": scope.itself, "DRIVER": driver, "TARGETS": scope.kind,
        "TIMESTAMPS": int(scope.timestamps), "IN_CGROUP": int(bool(scope.cgroup)),
        "LEAST": f"{scope.least}ULL", "MOST": _ALL if scope.most is None else f"{scope.most}ULL",
    }  # fmt: skip
    lines = [f"#define KP_{name} {value}" for name, value in values.items()]
    if scope.cpus:
        lines.append(f"#define KP_ON_CPU {' || '.join(f'cpu == {cpu}' for cpu in scope.cpus)}")
    if scope.comm:
        name = scope.comm.encode("utf-8", "surrogateescape") + b"\0"
        same = " && ".join(f"comm[{i}] == (char){byte}" for i, byte in enumerate(name))
        lines.append(f"#define KP_HAS_NAME {same}")
    return "\n".join([*lines, ""])


class _Function:
    """A function that is attached somewhere."""

    def __init__(self, number: int, where: Where) -> None:
        self.where, self._body = where, list[str]()
        self.name, self.kind = f"kp_program_{number}", "KPROBE"
        self._context, self.argument = "struct pt_regs *ctx", "ctx"
        if isinstance(where, NamedTracepoint):
            group, _, name = where.name.partition(":")
            self.kind, self.argument = "TRACEPOINT", "args"
            self._context = f"struct tracepoint__{group}__{name} *args"
        elif isinstance(where, PerfEvent):
            self.kind, self._context = "PERF_EVENT", "struct bpf_perf_event_data *ctx"
        elif isinstance(where, RawTracepoint):
            self.kind, self._context = "RAW_TRACEPOINT", "struct bpf_raw_tracepoint_args *ctx"

    def add(self, *statements: str) -> None:
        self._body += statements

    @property
    def text(self) -> str:
        body = "\n".join(self._body)
        # Its fields may be of types that BCC's headers lack, and matter only if they are looked at.
        context = self._context if self.argument == "ctx" or "args->" in body else "void *args"
        return f"int {self.name}({context}) {{\n{body}\n    return 0;\n}}\n"

    def hooks(self, job: Job) -> list[dict[str, Any]]:
        where, hook = self.where, {"fn_name": self.name}
        if isinstance(where, PerfEvent):
            how = {"sample_period": where.period} if where.period else {"sample_freq": where.frequency}
            opened = {"to": "perf_event", "ev_type": where.kind, "ev_config": where.config, **how}
            return [{**opened, **hook, "cpu": cpu} for cpu in job.cpus]
        if isinstance(where, Address):
            place = {"to": "uretprobe" if where.returns else "uprobe", "name": where.path}
            return [{**place, **hook, "addr": where.address, "pid": pid} for pid in job.pids or (-1,)]
        if isinstance(where, Kprobe):
            offset = {"event_off": where.offset} if where.offset else {}
            return [
                {"to": "kretprobe" if where.returns else "kprobe", "event": where.symbol, **hook, **offset}
            ]
        raw = "raw_" if isinstance(where, RawTracepoint) else ""
        return [{"to": f"{raw}tracepoint", "tp": getattr(where, "name", ""), **hook}]


def _check(source: Source, where: Where) -> None:
    if isinstance(where, KernelFunction):
        instead = f"{'kretprobe' if where.returns else 'kprobe'}:{where.symbol}"
        raise NotAvailableError(
            f"BCC wants the arguments of {where.symbol} to call a program there; {instead} needs none"
        )
    if isinstance(where, PerfEvent) and source.sides != layout.USER | layout.KERNEL:
        raise NotAvailableError(f"BCC samples user code and the kernel together, not as {source.name} asks")
    if isinstance(where, Address) and where.place.semaphore:
        raise NotAvailableError(f"BCC does not count up the tracers of {source.name}")


def _step(step: Count | Begin | End, function: _Function, event: int, source: Source) -> str:
    """Return the statement of a step."""
    start, sides = f"{function.argument}, {event}", source.sides
    if isinstance(step, Count):
        weight = "ctx->sample_period" if function.kind == "PERF_EVENT" else _spelled(step.weight)
        caller = "kp_return_address(ctx)" if step.called else "0"
        call = f"kp_count({start}, {sides}, (u64)({weight}), {caller});"
    elif isinstance(step, Begin):
        values = ", ".join(map(_spelled, (step.id, step.detail, step.bytes)))
        call = f"kp_begin({start}, {sides if step.stacks else 0}, {values});"
    else:
        call = f"kp_end({start}, {sides}, {_spelled(step.id)}, {source.weight or 0}, {int(step.here)});"
    when = "" if isinstance(step, End) or not step.when else f"if ({_spelled(step.when)}) "
    return f"    {when}{call}"


def _spelled(expression: str) -> str:
    arguments = {f"arg{i}": f"PT_REGS_PARM{i + 1}(ctx)" for i in range(3)}
    text = expression.format(tid="((u32)bpf_get_current_pid_tgid())", **arguments)
    return text.replace("(uint64)", "(u64)")
