"""A recording as a program for bpftrace.

Each event has two maps of rows, `@rows0a` and `@rows0b`, that take turns: programs write to one while the
other is printed and cleared. A row is how often, the sum of weights, and when it was first seen; only its own
thread writes to it. `@seen0` counts occurrences in a counter for each CPU: whatever does not come out of the
maps of rows is missing from what was seen.
"""

import platform
from collections.abc import Iterator, Sequence

from kprof.errors import NotAvailableError
from kprof.recorders.bpf.bpftrace.places import name_of
from kprof.recorders.bpf.bpftrace.rows import KeyForm
from kprof.recorders.bpf.probes import (
    Begin,
    Count,
    Probe,
    probes_of,
)
from kprof.recorders.bpf.probes import (
    End as Ending,
)
from kprof.recorders.bpf.scope import Scope
from kprof.recorders.bpf.sources import Source
from kprof.wire import bpf_events as layout

SAMPLING_MS, UNEXPECTED_MS = 1000, 500
READY, END = "ready", "end"
_FRAMES = layout.MAX_FRAMES
_CLONE_THREAD = 0x10000
# Where a function that has just been entered returns to.
_RETURN_ADDRESS = {"x86_64": '*(uint64 *)uptr(reg("sp"))', "aarch64": 'reg("lr")'}


def refusal(sources: Sequence[Source], cgroup: str) -> str:
    """Return what of a recording bpftrace cannot do; empty if it can do all."""
    if cgroup:
        return "bpftrace does not know which control groups are below another"
    for source in sources:
        try:
            for probe in probes_of(source):
                name_of(source, probe.where)
        except NotAvailableError as error:
            return str(error)
    return ""


def program(sources: Sequence[Source], scope: Scope, interval_ms: int) -> str:
    """Return the program.

    Args:
        sources: The events, in their order.
        scope: What of them counts.
        interval_ms: How often rows are printed.

    Raises:
        NotAvailableError: bpftrace cannot do it.
    """
    # The first and the last probe say when they are attached: the others are then, whatever the order is.
    ready = f'interval:ms:20 /!@ready{{}}/ {{{{ @ready{{}} = 1; printf("{READY} %llu\\n", nsecs); }}}}'
    events = [_Event(number, source, scope) for number, source in enumerate(sources)]
    lines = [ready.format(1, 1), *_start(scope, events), *_family(scope), _end(scope)]
    if scope.held:
        lines.append(f"tracepoint:task:task_rename /pid == {scope.itself}/ {{ @on = 1; }}")
    for event in events:
        # A probe of a program may stand at several places, and bpftrace attaches to all of its name.
        probes = {name_of(event.source, probe.where): probe for probe in probes_of(event.source)}
        for probe in probes.values():
            lines += event.probe(probe)
    lines += [*_turn(sources, interval_ms), f'END {{ printf("{END}\\n"); }}', ready.format(2, 2)]
    return "\n".join(lines) + "\n"


def _start(scope: Scope, events: "Sequence[_Event]") -> list[str]:
    tasks = " ".join(f"@targets[{task}] = 1;" for task in scope.tasks)
    declared = " ".join(event.declare() for event in events)
    return [
        "BEGIN {",
        f"    if (@turn) {{ {declared} }}",
        f"    @self = pid; @turn = 0; {tasks}",
        "}",
    ]


def _end(scope: Scope) -> str:
    return (
        f"tracepoint:sched:sched_process_exit /pid == {scope.itself} && tid == {scope.itself}/ {{ exit(); }}"
    )


def _family(scope: Scope) -> list[str]:
    """Children of a recorded process are recorded, from their first instruction on."""
    if scope.kind != layout.PROCESSES or not scope.inherits:
        return []
    child = "@targets[args->pid]"
    return [
        f"tracepoint:task:task_newtask /@targets[pid] && !(args->clone_flags & {_CLONE_THREAD})/ {{",
        f"    {child} = 1; if (!{child}) {{ @untracked = count(); }}",
        "}",
        "tracepoint:sched:sched_process_free { delete(@targets[args->pid]); }",
    ]


def _turn(sources: Sequence[Source], interval_ms: int) -> list[str]:
    """Take turns. bpftrace itself prints and clears, and may be behind: `@busy` stays until that is done."""

    def empty(letter: str) -> str:
        maps = [f"@rows{i}{letter}" for i in range(len(sources))]
        return " ".join(f"print({name}); clear({name});" for name in maps)

    counters = " ".join(f"print(@seen{i});" for i in range(len(sources)))
    return [
        f"interval:ms:{interval_ms} /!@busy[0]/ {{",
        "    @busy[0] = 1;",
        f"    if (@turn) {{ @turn = 0; {empty('b')} }} else {{ @turn = 1; {empty('a')} }}",
        f"    {counters} clear(@busy);",
        "}",
    ]


def key_form(source: Source, scope: Scope) -> KeyForm:
    """Return how the keys of an event's rows are printed."""
    return KeyForm(source.sides, apart=scope.timestamps, called=_has_caller(source))


def _has_caller(source: Source) -> bool:
    return any(isinstance(s, Count) and s.called for p in probes_of(source) for s in p.steps)


def wanted(scope: Scope) -> str:
    """Return the condition under which the task at hand counts."""
    parts = ["tid != 0", *(["@on"] if scope.held else [])]
    if scope.kind == layout.EVERYTHING:
        parts += [f"pid != {scope.itself}", "pid != @self"]
    else:
        parts.append("@targets[pid]" if scope.kind == layout.PROCESSES else "@targets[tid]")
    if scope.comm:
        parts.append(f"comm == {_text(scope.comm)}")
    if scope.cpus:
        parts.append("(" + " || ".join(f"cpu == {cpu}" for cpu in scope.cpus) + ")")
    return " && ".join(parts)


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Event:
    """What is written for one event."""

    def __init__(self, number: int, source: Source, scope: Scope) -> None:
        self.number, self.source, self.scope = number, source, scope
        self.begun, self.seen = f"@open{number}", f"@seen{number} = count();"

    def probe(self, probe: Probe) -> Iterator[str]:
        yield f"{name_of(self.source, probe.where)} {{"
        for step in probe.steps:
            if isinstance(step, Count):
                yield from self._count(step)
            elif isinstance(step, Begin):
                yield from self._begin(step)
            else:
                yield from self._end(step)
        yield "}"

    def _stacks(self) -> list[str]:
        sides = (("u", layout.USER), ("k", layout.KERNEL))
        return [f"{letter}stack(perf, {_FRAMES})" for letter, side in sides if self.source.sides & side]

    def _apart(self) -> list[str]:
        return ["cpu", "nsecs"] if self.scope.timestamps else []

    def _condition(self, more: str) -> str:
        return f"{wanted(self.scope)} && ({_spelled(more)})" if more else wanted(self.scope)

    def _count(self, step: Count) -> Iterator[str]:
        yield f"    if ({self._condition(step.when)}) {{"
        if step.weight != "1":
            yield f"        $weight = (uint64)({_spelled(step.weight)});"
        weight = "1" if step.weight == "1" else "$weight"
        # A hook without a return address beside one that has it has the same keys.
        called = ["(uint64)0"] if _has_caller(self.source) else []
        if step.called:
            called = [_RETURN_ADDRESS.get(platform.machine(), "(uint64)0")]
        key = ["pid", "tid", "0", *self._apart(), *called, *self._stacks(), "comm"]
        limited = str(self.source.period) if weight == "1" else weight
        yield from self._limited(limited, self._row(key, weight, "nsecs"))
        yield "    }"

    def _begin(self, step: Begin) -> Iterator[str]:
        stacks = self._stacks() if step.stacks else []
        kept = ["nsecs", step.bytes, "pid", "tid", step.detail, *stacks, "comm"]
        yield f"    if ({self._condition(step.when)}) {{"
        yield f"        {self.begun}[{_spelled(step.id)}] = ({', '.join(map(_spelled, kept))});"
        yield "    }"

    def _end(self, step: Ending) -> Iterator[str]:
        opened = "$open"
        yield f"    $id = {_spelled(step.id)};"
        yield f"    {opened} = {self.begun}[$id];"
        yield f"    if ({opened}.0) {{"
        yield f"        $elapsed = nsecs - {opened}.0;"
        stacks = [f"{opened}.{5 + i}" for i in range(len(self._stacks()))]
        key = [f"{opened}.2", f"{opened}.3", f"{opened}.4", *self._apart()]
        key += [*stacks, f"{opened}.{5 + len(stacks)}"]
        first = f"{opened}.0"
        if step.here:
            key, first = ["pid", "tid", "0", *self._apart(), *self._stacks(), "comm"], "nsecs"
        elapsed = {layout.WEIGH_TIME: "$elapsed", layout.WEIGH_BYTES: f"{opened}.1"}
        weight = elapsed.get(self.source.weight or 0, "1")
        counted = self._limited("$elapsed", self._row(key, weight, first))
        if step.here:
            yield f"        if (pid != {self.scope.itself} && pid != @self) {{"
            yield from counted
            yield "        }"
        else:
            yield from counted
        yield f"        delete({self.begun}[$id]);"
        yield "    }"

    def _limited(self, value: str, then: list[str]) -> Iterator[str]:
        scope, parts = self.scope, []
        if scope.least:
            parts.append(f"{value} < {scope.least}")
        if scope.most is not None:
            parts.append(f"{value} > {scope.most}")
        if parts:
            yield f"        if ({' || '.join(parts)}) {{ @left{self.number} = count(); }} else {{"
            yield from then
            yield "        }"
        else:
            yield from then

    def _row(self, key: list[str], weight: str, first: str) -> list[str]:
        """Return what counts: a row, and its time if it is new, in the maps whose turn it is."""
        names = [part for part in key if "stack(" in part or "reg(" in part]
        # Taken once: each use of a stack would walk it again.
        lines = [f"        $s{i} = {name};" for i, name in enumerate(names)]
        spelled = ", ".join(f"$s{names.index(part)}" if part in names else part for part in key)

        def into(letter: str) -> str:
            rows = f"@rows{self.number}{letter}[{spelled}]"
            count = f"($row.0 + 1, $row.1 + (int64){weight}, $row.2 ? $row.2 : {first})"
            return f"$row = {rows}; {rows} = {count};"

        return [
            *lines,
            f"        {self.seen}",
            f"        if (@turn) {{ {into('b')} }}",
            f"        else {{ {into('a')} }}",
        ]

    def declare(self) -> str:
        """Return what tells bpftrace what the maps hold, before they are read; it never runs."""
        called = ["(uint64)0"] if _has_caller(self.source) else []
        key = ["pid", "tid", "0", *self._apart(), *called, *self._stacks(), "comm"]
        rows = f"@rows{self.number}{{}}[{', '.join(key)}] = (1, 1, nsecs);"
        return f"{rows.format('a')} {rows.format('b')}"


def _spelled(expression: str) -> str:
    return expression.format(tid="tid", arg0="arg0", arg1="arg1", arg2="arg2")
