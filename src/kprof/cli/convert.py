"""`kprof convert`: any input to any format of output."""

from enum import StrEnum
from typing import Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, summary
from kprof.exporters.suffixes import SUFFIXES

To = StrEnum("To", {name: name for name in SUFFIXES})  # type: ignore[misc]  # made of a table, so that it cannot lag


def convert(  # noqa: PLR0917 - Typer passes by name
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="Any recording or profile; - is stdin.", show_default=False)
    ],
    output: Annotated[
        str,
        typer.Argument(
            metavar="OUTPUT", help="Its suffix tells the format; - is stdout.", show_default=False
        ),
    ],
    to: Annotated[
        To | None, typer.Option("--to", help="The format, if the suffix does not tell.", show_default=False)
    ] = None,
    title: Annotated[str, typer.Option(help="What viewers call it. Default: the output's name.")] = "",
    srcline: Annotated[bool, typer.Option("--srcline", help="perf.data: find file and line.")] = False,
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
    """Write a profile in another format, with all events that the format can hold.

    Reading is by content, so that a file may be called anything.
    """
    be_quiet(quiet)
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.readers import ReadOptions  # noqa: PLC0415

    pipeline.check_not_an_input(output, [source])
    keep = o.FilterOptions(only_comm, only_pid, only_tid, only_cpu, start, end, focus, ignore, root_at)
    wanted = pipeline.Choice(ReadOptions(names=names.value, ids=False), event, keep.build(), inline, srcline)
    form = to.value if to else ""
    choice = pipeline.fitting(wanted, output, form)
    with reading([source]) as progress:
        profile = pipeline.read([source], choice, progress=progress)
    summary(profile, pipeline.write(profile, output, title=title or None, to=form))
