"""`kprof compare`: two recordings of one thing side by side, or both backends at work at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, status, warn
from kprof.errors import UsageError

if TYPE_CHECKING:
    from kprof.cli.compare_view import Shown
    from kprof.model import Profile

_LIVE = "To record now, with perf and bpf at once"
_FORM = o.FORM
_TWO = 2
BACKENDS = ("perf", "bpf")


def compare(  # noqa: PLR0917 - Typer passes by name
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[A B]", help="Two recordings of one thing.", show_default=False),
    ] = None,
    pid: Annotated[
        list[int] | None,
        typer.Option("--pid", "-p", metavar="PID", help="Record this process.", rich_help_panel=_LIVE),
    ] = None,
    duration: Annotated[
        float, typer.Option("--duration", "-d", metavar="SECONDS", help="For so long.", rich_help_panel=_LIVE)
    ] = 10.0,
    frequency: Annotated[
        int | None,
        typer.Option(
            "--freq", "-F", metavar="HZ", help="Samples a second. Default: 997.", rich_help_panel=_LIVE
        ),
    ] = None,
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
    event: o.Event = "",
    start: o.Start = "",
    end: o.End = "",
    full_names: o.FullNames = False,
    inline: o.Inline = None,
    quiet: o.Quiet = False,
) -> None:
    """Show how far two recordings of one thing agree, what differs, and why.

    With -p, perf and the bpf backend record a process at the same time, and what each costs is measured.
    """
    be_quiet(quiet)
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other", "give one")
    if output and not output.endswith(".html"):
        raise UsageError(f"cannot write a page to {output}", "end its name in .html")
    if bool(pid) == bool(inputs) or (inputs and len(inputs) != _TWO):
        raise UsageError("there is not one pair to compare", "kprof compare A B, or kprof compare -p PID")
    if inputs and inputs.count("-") > 1:
        raise UsageError("standard input can be read once", "name a file instead")
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.cli import compare_view as view  # noqa: PLC0415
    from kprof.readers import ReadOptions  # noqa: PLC0415

    keep = o.FilterOptions(None, None, None, None, start, end, "", "", "")
    choice = pipeline.Choice(ReadOptions(full_names=full_names, ids=False), event, keep.build(), inline)
    costs: Sequence[Mapping[str, Any]] = ()
    if inputs:
        pipeline.check_not_an_input(output, inputs)
        with reading(inputs) as progress:
            profiles = pipeline.read_each(inputs, choice, progress=progress)
        names = _names(inputs)
    else:
        profiles, costs, names = *_recorded(pid or [], duration, frequency, choice), BACKENDS
    shown = _shown(profiles, names, costs, number)
    write = view.to_json if as_json else view.to_markdown if as_markdown else view.to_text
    pipeline.write_text(write(shown), "-")
    if output:
        _draw(profiles, shown, output)


def _recorded(
    pids: list[int], duration: float, frequency: int | None, choice: Any
) -> tuple[list[Profile], list[Mapping[str, Any]]]:
    from kprof.pipeline.side_by_side import record_both  # noqa: PLC0415 - only this option records
    from kprof.recorders import RecordRequest  # noqa: PLC0415

    request = RecordRequest(pids=pids, duration=duration, frequency=frequency)
    request.check()
    status(f"recording {request.title} with {' and '.join(BACKENDS)} for {duration:g} s")
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        taken = record_both(request, BACKENDS, folder, choice)
    for one in taken:
        for note in one.notes:
            status(f"{one.backend}: {note}")
    return [one.profile for one in taken], [one.cost.rows() for one in taken]


def _names(inputs: Sequence[str]) -> tuple[str, str]:
    first, second = ("stdin" if name == "-" else PurePath(name).name for name in inputs)
    return (first, second) if first != second else (inputs[0], inputs[1])


def _shown(
    profiles: Sequence[Profile], names: tuple[str, str], costs: Sequence[Mapping[str, Any]], number: int
) -> Shown:
    from kprof.analysis.agreement import agree, match  # noqa: PLC0415 - needs numpy
    from kprof.analysis.disagreement import explain, mean_depth  # noqa: PLC0415
    from kprof.analysis.quality import judge, unknown_share  # noqa: PLC0415
    from kprof.cli.compare_view import Shown  # noqa: PLC0415

    matched = match(*profiles)
    sides = []
    for side, profile in enumerate(profiles):
        for text in judge(profile).warnings:
            warn(f"{names[side]}: {text}")
        sides.append(
            {
                "event": profile.meta.events[0].name,
                "samples": f"{int(profile.samples.count.sum()):,}",
                "lost": f"{sum(profile.meta.quality.lost.values()):,}",
                "without a stack": f"{profile.meta.quality.without_stack:,}",
                "unknown frames": f"{unknown_share(profile):.1%}",
                "frames a sample": f"{mean_depth(matched, side):.1f}",
            }
        )
    return Shown(names, agree(matched), explain(matched), sides, costs, number)


def _draw(profiles: Sequence[Profile], shown: Shown, output: str) -> None:
    from kprof import pipeline  # noqa: PLC0415 - needs numpy

    quality = [f"{name}: {value}" for name, value in shown.agreed()]
    facts = {
        f"{name}, {row[0]}": value
        for row in shown.facts()
        for name, value in zip(shown.names, row[1:], strict=True)
    }
    title = " and ".join(shown.names)
    wrote = pipeline.write_beside(
        profiles[0], profiles[1], output, title=title, names=shown.names, facts=facts, quality=quality
    )
    status(f"wrote {wrote}")
