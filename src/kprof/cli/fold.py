"""`kprof fold`: any input to folded stacks."""

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, summary
from kprof.errors import UsageError

_OTHER_FORMATS = {".html", ".data", ".gz", ".zst"}
_MARKS = "How frames are written"


class Compat(StrEnum):
    """Tools whose output `--compat` reproduces."""

    flamegraph = "flamegraph"
    inferno = "inferno"
    perf = "perf"


def fold(  # noqa: PLR0917 - Typer passes by name
    inputs: o.Inputs,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout.")
    ] = "-",
    compat: Annotated[
        Compat | None,
        typer.Option(
            help="Equal stackcollapse-perf.pl or inferno-collapse-perf to the byte, faults too;"
            " perf: the stacks of perf script --no-inline."
        ),
    ] = None,
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
    pid: Annotated[
        bool, typer.Option("--pid", help="Write the process id behind the name.", rich_help_panel=_MARKS)
    ] = False,
    tid: Annotated[
        bool,
        typer.Option("--tid", help="Write process and thread id behind the name.", rich_help_panel=_MARKS),
    ] = False,
    kernel: Annotated[
        bool, typer.Option("--kernel", help="Mark kernel frames with _\\[k].", rich_help_panel=_MARKS)
    ] = False,
    jit: Annotated[
        bool, typer.Option("--jit", help="Mark JIT frames with _\\[j].", rich_help_panel=_MARKS)
    ] = False,
    every: Annotated[
        bool,
        typer.Option("--all", help="--kernel, --jit, and _\\[i] for inlined frames.", rich_help_panel=_MARKS),
    ] = False,
    addrs: Annotated[
        bool,
        typer.Option("--addrs", help="Write addresses where there is no symbol.", rich_help_panel=_MARKS),
    ] = False,
    srcline: Annotated[
        bool, typer.Option("--srcline", help="Write file and line behind names.", rich_help_panel=_MARKS)
    ] = False,
    names: o.Names = o.NameForm.plain,
    inline: o.Inline = None,
    quiet: o.Quiet = False,
) -> None:
    """Fold stacks: one line a distinct stack, root first, its weight last.

    Reads perf.data, the text of `perf script`, or folded stacks (which are merged). The weight is the
    sum of the periods. A thread's name keeps its spaces; `;` in a name becomes `:`.
    """
    be_quiet(quiet)
    dialect = None if compat is Compat.perf else compat
    if dialect:
        _check_compat(dialect, inputs, {"--srcline": srcline, "--names": names is not o.NameForm.plain})
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.exporters.folded import FoldedOptions  # noqa: PLC0415
    from kprof.model import Kind  # noqa: PLC0415
    from kprof.model.labels import COMPILED, LabelOptions  # noqa: PLC0415
    from kprof.readers import ReadOptions  # noqa: PLC0415

    if dialect:
        read = ReadOptions(dialect.value, pid, tid, kernel or every, jit or every, addrs, event)
        written = FoldedOptions(raw=True)
    else:
        wanted = {Kind.KERNEL: kernel, Kind.MODULE: kernel, Kind.INLINED: False}
        wanted |= dict.fromkeys(COMPILED, jit)
        marks = frozenset(kind for kind, yes in wanted.items() if yes or every)
        read = ReadOptions(compat.value if compat else "", addresses=addrs, names=names.value, ids=pid or tid)
        written = FoldedOptions(LabelOptions(marks, addrs, srcline), pid, tid)
    pipeline.check_not_an_input(output, inputs)
    if PurePath(output).suffix in _OTHER_FORMATS:
        raise UsageError(
            f"fold writes folded text, not {PurePath(output).suffix}", "draw a page with kprof flame"
        )
    keep = o.FilterOptions(only_comm, only_pid, only_tid, only_cpu, start, end, focus, ignore, root_at)
    choice = pipeline.Choice(read, event, keep.build(), inline, srcline)
    with reading(inputs) as progress:
        profile = pipeline.read(inputs, choice, progress=progress)
    wrote = pipeline.write_folded(profile, output, written)
    summary(profile, wrote)


def _check_compat(compat: Compat, inputs: list[str], others: dict[str, bool]) -> None:
    for option, given in others.items():
        if given:
            raise UsageError(f"--compat {compat} does not know {option}", "leave one of them out")
    if compat is Compat.inferno and len(inputs) > 1:
        raise UsageError(
            "--compat inferno reads one input, as inferno-collapse-perf does", "put the texts together"
        )
