"""`kprof report`: any input to tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, warn
from kprof.errors import UsageError

if TYPE_CHECKING:
    from kprof.analysis.table import Table
    from kprof.model import Profile

_WHAT = "What to show"
_FORM = o.FORM


class GroupBy(StrEnum):
    """What a row stands for."""

    function = "function"
    module = "module"
    line = "line"
    kind = "kind"
    comm = "comm"
    pid = "pid"
    tid = "tid"
    cpu = "cpu"
    cgroup = "cgroup"
    time = "time"


class Sort(StrEnum):
    """What rows are sorted by."""

    self = "self"
    total = "total"
    samples = "samples"
    name = "name"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the options ask for."""

    sql: str
    by: str
    sort: str
    number: int
    matching: str
    function: str
    tree: bool
    depth: int
    least: float
    bucket: float


@dataclass(frozen=True, slots=True)
class _Found:
    """Tables by name, and how many rows were left out of them."""

    tables: dict[str, Table]
    left: dict[str, int]


def report(  # noqa: PLR0917 - Typer passes by name
    inputs: o.Inputs,
    group_by: Annotated[
        GroupBy, typer.Option("--group-by", "-g", help="What a row stands for.", rich_help_panel=_WHAT)
    ] = GroupBy.function,
    sort: Annotated[
        Sort | None,
        typer.Option(
            "--sort",
            "-s",
            help="What rows are sorted by. Default: self if there is one, else total; time stays in order.",
            show_default=False,
            rich_help_panel=_WHAT,
        ),
    ] = None,
    number: Annotated[
        int, typer.Option("--number", "-n", min=0, help="Rows to show; 0 is all.", rich_help_panel=_WHAT)
    ] = 25,
    matching: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="REGEX",
            help="Show rows that match; their shares stay those of the whole.",
            rich_help_panel=_WHAT,
        ),
    ] = "",
    function: Annotated[
        str,
        typer.Option(
            "--function", metavar="NAME", help="Show who calls it and whom it calls.", rich_help_panel=_WHAT
        ),
    ] = "",
    tree: Annotated[
        bool, typer.Option("--tree", help="Show the tree of calls.", rich_help_panel=_WHAT)
    ] = False,
    depth: Annotated[
        int, typer.Option(min=0, help="--tree: frames from the root; 0 is all.", rich_help_panel=_WHAT)
    ] = 0,
    least: Annotated[
        float,
        typer.Option(
            "--min-percent", min=0, max=100, help="--tree: leave out less than this.", rich_help_panel=_WHAT
        ),
    ] = 1.0,
    bucket: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="--group-by time: length of a row.", rich_help_panel=_WHAT),
    ] = 1.0,
    sql: Annotated[
        str,
        typer.Option(
            "--sql",
            metavar="QUERY",
            help="Ask DuckDB: tables samples, stacks, frames, mappings, events, functions, holds, texts.",
            rich_help_panel=_WHAT,
        ),
    ] = "",
    as_json: o.AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.", rich_help_panel=_FORM)] = False,
    as_markdown: o.AsMarkdown = False,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write; - is stdout.", rich_help_panel=_FORM
        ),
    ] = "-",
    event: o.Event = "",
    only_comm: o.OnlyComm = None,
    only_pid: o.OnlyPid = None,
    only_tid: o.OnlyTid = None,
    only_cpu: o.OnlyCpu = None,
    start: o.Start = "",
    end: o.End = "",
    focus: o.Focus = "",
    ignore: o.Ignore = "",
    root_at: o.RootAt = "",
    names: o.Names = o.NameForm.plain,
    inline: o.Inline = None,
    quiet: o.Quiet = False,
) -> None:
    """Show where the weight is: by function, file, thread, CPU or time, as a tree, or around one function.

    self is the weight of what a row did itself, total that of what it called, too; recursion counts once.
    """
    be_quiet(quiet)
    forms = {"json": as_json, "csv": as_csv, "markdown": as_markdown}
    form = _one([name for name, given in forms.items() if given], "--{}") or "text"
    given = {
        "--tree": tree,
        "--function": bool(function),
        "--sql": bool(sql),
        "--group-by": group_by is not GroupBy.function,
    }
    _one([name for name, yes in given.items() if yes], "{}")
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.readers import ReadOptions  # noqa: PLC0415

    pipeline.check_not_an_input(output, inputs)
    keep = o.FilterOptions(only_comm, only_pid, only_tid, only_cpu, start, end, focus, ignore, root_at)
    by = group_by.value
    read = ReadOptions(names=names.value, ids=by in {"pid", "tid"}, every_sample=by in {"cpu", "time"})
    choice = pipeline.Choice(read, event, keep.build(), inline, by == "line")
    if sql:
        whole = replace(read, ids=True, every_sample=True, addresses=True)
        choice = replace(choice, read=whole, every_event=not event)
    with reading(inputs) as progress:
        profile = pipeline.read(inputs, choice, progress=progress)
    shown = _Shown(
        sql, by, sort.value if sort else "", number, matching, function, tree, depth, least / 100, bucket
    )
    pipeline.write_text(_rendered(profile, shown, form, output), output)


def _one(given: list[str], shape: str) -> str:
    if len(given) > 1:
        raise UsageError(f"{' and '.join(shape.format(g) for g in given)} exclude each other", "give one")
    return given[0] if given else ""


def _rendered(profile: Profile, shown: _Shown, form: str, output: str) -> str:
    from kprof.analysis.quality import judge  # noqa: PLC0415 - needs numpy
    from kprof.cli import table_text as text  # noqa: PLC0415
    from kprof.cli.amounts import amount  # noqa: PLC0415

    found, quality = _found(profile, shown), judge(profile)
    name, unit = ", ".join(event.name for event in profile.meta.events), profile.meta.events[0].unit
    several = len(profile.meta.events) > 1  # which have no sum
    if form == "json":
        head = {
            "event": name,
            "unit": unit,
            "total": None if several else profile.total,
            "samples": int(profile.samples.count.sum()),
        }
        return text.to_json(
            {**head, "quality": list(quality.facts), "warnings": list(quality.warnings)}, found.tables
        )
    title = name if several else f"{name}: {amount(profile.total, unit)}"
    if form == "text":
        return _viewed(found, title, quality.facts, quality.warnings, to_terminal=output == "-")
    for warning in quality.warnings:
        warn(warning)
    if form == "csv":
        return text.to_csv(found.tables)
    return text.to_markdown(title, [", ".join(quality.facts)], found.tables)


def _viewed(
    found: _Found, title: str, facts: Sequence[str], warnings: Sequence[str], *, to_terminal: bool
) -> str:
    from kprof.cli.table_view import View  # noqa: PLC0415 - rich takes 50 ms to import

    view = View(to_terminal=to_terminal)
    view.line(title, "bold")
    view.line(", ".join(facts), "dim")
    for warning in warnings:
        view.line(f"warning: {warning}", "yellow")
    for name, table in found.tables.items():
        view.line("")
        if len(found.tables) > 1:
            view.line(name, "bold underline")
        if name == "tree":
            view.tree(table)
        elif not table.unit and not table.total:
            view.plain(table)
        else:
            view.table(table)
            if more := found.left.get(name):
                view.line(f"{more:,} more; -n 0 shows all", "dim")
    return view.text()


def _found(profile: Profile, shown: _Shown) -> _Found:
    from kprof.analysis import calls  # noqa: PLC0415 - needs numpy
    from kprof.analysis.top import top  # noqa: PLC0415

    if shown.sql:
        from kprof.analysis.sql import query  # noqa: PLC0415

        return _Found({"rows": query(profile, shown.sql)}, {})
    if shown.tree:
        return _Found({"tree": calls.outline(calls.call_tree(profile), shown.least, shown.depth)}, {})
    if not shown.function:
        return _cut({"rows": _chosen(top(profile, shown.by, bucket=shown.bucket), shown)}, shown)
    near = calls.neighbours(profile, shown.function)
    tables = {"callers": near.callers, "function": near.function.without("self", "self_share")}
    return _cut({name: _chosen(t, shown) for name, t in {**tables, "callees": near.callees}.items()}, shown)


def _cut(tables: dict[str, Table], shown: _Shown) -> _Found:
    """Keep as many rows as are wanted."""
    most = shown.number or max(map(len, tables.values()))
    left = {name: len(table) - most for name, table in tables.items() if len(table) > most}
    return _Found({name: table.take(slice(most)) for name, table in tables.items()}, left)


def _chosen(table: Table, shown: _Shown) -> Table:
    """Return the rows that match, sorted."""
    texts = [name for name, column in table.columns.items() if column.dtype == object]
    if shown.sort:
        first = (texts or list(table.columns)[:1]) if shown.sort == "name" else [shown.sort]
        if first[0] not in table.columns:
            raise UsageError(f"these rows have no {first[0]} to sort by", "sort by total")
        table = table.sort([*first, *(name for name in ("total", *texts) if name in table.columns)])
    return table.matching(texts or list(table.columns)[:1], shown.matching) if shown.matching else table
