"""`kprof compare`: recordings of one thing side by side, or several recorders at work at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from kprof.cli import options as o
from kprof.cli import targets
from kprof.cli.console import be_quiet, reading, status, warn
from kprof.errors import UsageError

if TYPE_CHECKING:
    from kprof.cli.compare_live import Sides
    from kprof.cli.compare_view import Shown

_HOW = "How to record it"
_FORM = o.FORM
_TWO = 2
_COMMAND = "command"


class CompareCommand(TyperCommand):
    """The command, for which what stands behind `--` is a command to record, and not two recordings."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before `--`, and keep the rest."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])


def compare(  # noqa: PLR0917 - Typer passes by name
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[A B | -- COMMAND ARGS...]",
            help="Two recordings of one thing, or a command to start and record.",
            show_default=False,
        ),
    ] = None,
    pid: targets.Pids = None,
    tid: targets.Tids = None,
    all_cpus: targets.AllCpus = False,
    cpus: targets.Cpus = "",
    cgroup: targets.Cgroup = "",
    engines: Annotated[
        str,
        typer.Option(
            "--engines",
            metavar="NAMES",
            help="What records, all at once: two or more of perf, bpf and the engines of"
            " `kprof record --engine`. One may be named twice. The first two are shown in full.",
            rich_help_panel=_HOW,
        ),
    ] = "perf,bpf",
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs",
            metavar="N",
            min=1,
            help="Record so often, and tell how far runs of one recorder lie apart; 5 or more tell whether"
            " recorders differ by more than that.",
            show_default=False,
            rich_help_panel=_HOW,
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            "-d",
            metavar="SECONDS",
            help="For so long. Default: 10, or until the command ends.",
            show_default=False,
            rich_help_panel=_HOW,
        ),
    ] = None,
    frequency: Annotated[
        int | None,
        typer.Option(
            "--freq",
            "-F",
            metavar="HZ",
            help="Samples a second and CPU. Default: 997, or 99 for CPUs.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    call_graph: Annotated[
        str,
        typer.Option(
            "--call-graph",
            "-g",
            metavar="HOW",
            help="As of record: fp, or dwarf for code without frame pointers. auto is not the same for all.",
            rich_help_panel=_HOW,
        ),
    ] = "fp",
    measure_overhead: Annotated[
        bool,
        typer.Option(
            "--measure-overhead",
            help="Then let the target run with and without each recorder in turn, and tell how much slower it"
            " is. Needs a command, or --progress.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    progress: Annotated[
        str,
        typer.Option(
            "--progress",
            metavar="SHELL",
            help="Prints a number that grows with the work that the target has done.",
            rich_help_panel=_HOW,
        ),
    ] = "",
    number: Annotated[int, typer.Option("--number", "-n", min=0, help="Functions to show; 0 is all.")] = 15,
    as_json: o.AsJson = False,
    as_markdown: o.AsMarkdown = False,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Also draw both, linked with each other.",
            rich_help_panel=_FORM,
        ),
    ] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            "-e",
            metavar="EVENT",
            help="What to record, and to compare; of two recordings, which of their events. What only one can"
            " record, such as off-cpu, may be given as well, and is told apart.",
        ),
    ] = None,
    start: o.Start = "",
    end: o.End = "",
    names: o.Names = o.NameForm.plain,
    inline: o.Inline = None,
    quiet: o.Quiet = False,
) -> None:
    """Show how far recordings of one thing agree, what differs, and why.

    With a target, perf and the bpf backend record it at the same time, and what each costs is measured.
    """
    be_quiet(quiet)
    command = context.meta[_COMMAND]
    given = any((pid, tid, all_cpus, cpus, cgroup, command))
    _check(inputs or [], given, as_json and as_markdown, output)
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.cli import compare_live as live  # noqa: PLC0415
    from kprof.readers import ReadOptions  # noqa: PLC0415

    keep = o.FilterOptions(None, None, None, None, start, end, "", "", "").build()
    if given and keep.needs_times:
        raise UsageError(
            "--start and --end are of recordings that there are", "record for as long as you want"
        )
    choice = pipeline.Choice(ReadOptions(names=names.value, ids=False), filter=keep, inline=inline)
    if inputs:
        sides = _read(inputs, event or [], output, choice)
    else:
        numbers = {"pids": targets.numbers(pid, "-p"), "tids": targets.numbers(tid, "-t")}
        what = {"all_cpus": all_cpus, "cpus": cpus, "cgroup": cgroup, "command": command, **numbers}
        how = {"frequency": frequency, "events": event or (), "call_graph": call_graph}
        length = duration if duration is not None or command else live.USUAL_SECONDS
        asked = live.Asked({**what, **how, "duration": length}, engines, runs, measure_overhead, progress)
        sides = live.record(asked, choice)
    _show(sides, number, "json" if as_json else "markdown" if as_markdown else "text", output)


def _check(inputs: Sequence[str], given: bool, both_forms: bool, output: str) -> None:
    if both_forms:
        raise UsageError("--json and --markdown exclude each other", "give one")
    if output and not output.endswith(".html"):
        raise UsageError(f"cannot write a page to {output}", "end its name in .html")
    if given == bool(inputs) or (inputs and len(inputs) != _TWO):
        raise UsageError(
            "there is not one pair to compare", "kprof compare A B, kprof compare -p PID, or -- COMMAND"
        )
    if list(inputs).count("-") > 1:
        raise UsageError("standard input can be read once", "name a file instead")


def _read(inputs: list[str], events: list[str], output: str, choice: Any) -> Sides:
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.cli.compare_live import Sides  # noqa: PLC0415

    if len(events) > 1:
        raise UsageError("one event of two recordings is compared", "give one -e")
    pipeline.check_not_an_input(output, inputs)
    event = events[0] if events else ""
    with reading(inputs) as progress:
        profiles = pipeline.read_comparable(inputs, choice, event, progress=progress)
    first, second = ("stdin" if name == "-" else PurePath(name).name for name in inputs)
    names = (first, second) if first != second else (inputs[0], inputs[1])
    return Sides(names, [profiles], event)


def _show(sides: Sides, number: int, form: str, output: str) -> None:
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.analysis.compare import compare as find  # noqa: PLC0415
    from kprof.analysis.quality import judge  # noqa: PLC0415
    from kprof.cli import compare_forms as forms  # noqa: PLC0415
    from kprof.cli.compare_view import Shown  # noqa: PLC0415

    found = find(sides.rounds, sides.event)
    for name, profile in zip(sides.names, found.profiles, strict=True):
        for text in judge(profile).warnings:
            warn(f"{name}: {text}")
    costs = sides.counted(found.profiles)
    shown = Shown(sides.names, found, costs, sides.slowdowns, len(sides.rounds), number)
    write = {"json": forms.to_json, "markdown": forms.to_markdown, "text": forms.to_text}[form]
    pipeline.write_text(write(shown), "-")
    if output:
        _draw(shown, sides.title, output)


def _draw(shown: Shown, target: str, output: str) -> None:
    from kprof import pipeline  # noqa: PLC0415 - needs numpy

    first, second = shown.found.profiles[:_TWO]
    names = (shown.names[0], shown.names[1])
    facts = {
        f"{name}, {row[0]}": value
        for row in shown.facts()
        for name, value in zip(shown.names, row[1:], strict=True)
    }
    quality, more = shown.headlines()
    facts = {**more, **facts}
    title = f"{target}: {names[0]} and {names[1]}" if target else f"{names[0]} and {names[1]}"
    wrote = pipeline.write_beside(
        first, second, output, title=title, names=names, facts=facts, quality=quality
    )
    status(f"wrote {wrote}")
