"""`kprof heatmap`: when it happened, second by second, and what happened then."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, summary
from kprof.errors import UsageError

if TYPE_CHECKING:
    from kprof.analysis.heatmap import Heatmap
    from kprof.model import Profile

_SHADES = " ░▒▓█"
_WIDTH = 100


def heatmap(  # noqa: PLR0917 - Typer passes by name
    inputs: o.Inputs,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write; - is stdout. Default: INPUT.heatmap.html"
        ),
    ] = "",
    rows: Annotated[
        int, typer.Option("--rows", min=1, max=1000, help="Parts of a second, of 20 ms by default.")
    ] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the matrix as JSON.", rich_help_panel=o.FORM)
    ] = False,
    as_text: Annotated[
        bool, typer.Option("--text", help="Draw it with characters.", rich_help_panel=o.FORM)
    ] = False,
    title: Annotated[str, typer.Option(help="Heading of the page. Default: the input's name.")] = "",
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
    """Draw when samples were: a column a second, upwards the offset within it, darker where there is more.

    What comes once a second is a stripe, a stall a gap. Drag over a time in the page to see its flame graph;
    with Shift, over a part of every second. Needs a source with times, such as perf.data.
    """
    be_quiet(quiet)
    if as_json and as_text:
        raise UsageError("--json and --text exclude each other", "give one")
    output = output or ("-" if as_json or as_text else _default_output(inputs[0]))
    if not (as_json or as_text) and output != "-" and not output.endswith(".html"):
        raise UsageError(f"cannot write a page to {output}", "end its name in .html, or give --json")
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.analysis.heatmap import heatmap as matrix  # noqa: PLC0415
    from kprof.exporters.html import PageOptions  # noqa: PLC0415
    from kprof.readers import ReadOptions  # noqa: PLC0415

    pipeline.check_not_an_input(output, inputs)
    # A sample without a time is left out, and counted, as by any filter by time.
    start = start or "0"
    keep = o.FilterOptions(only_comm, only_pid, only_tid, only_cpu, start, end, focus, ignore, root_at)
    choice = pipeline.Choice(ReadOptions(names=names.value, every_sample=True), event, keep.build(), inline)
    with reading(inputs) as progress:
        profile, begin = pipeline.read_with_begin(inputs, choice, progress=progress)
    found = matrix(profile, rows, begin)
    if as_json or as_text:
        pipeline.write_text(_json(found, profile) if as_json else _text(found), output)
        return
    name = "standard input" if inputs[0] == "-" else PurePath(inputs[0]).name
    look = PageOptions(title or f"{name}, second by second", heat_rows=rows, heat_begin_ns=begin)
    summary(profile, pipeline.write_page(profile, output, look))


def _default_output(name: str) -> str:
    """`a/b.perf.data` -> `b.perf.heatmap.html` here."""
    if name == "-":
        return "out.heatmap.html"
    path = PurePath(name)
    while path.suffix in {".gz", ".zst"}:
        path = path.with_suffix("")
    return f"{path.stem}.heatmap.html"


def _json(found: Heatmap, profile: Profile) -> str:
    import json  # noqa: PLC0415 - one form of several

    event = profile.meta.events[0]
    head = {
        "event": event.name,
        "unit": event.unit,
        "rows": found.rows,
        "first_second": found.first_second,
        "seconds": found.seconds,
    }
    body = {"weight": found.weight.tolist(), "samples": found.samples.tolist()}
    return json.dumps(head | body, separators=(",", ":")) + "\n"


def _text(found: Heatmap) -> str:
    """Return the matrix as characters, offsets upwards, as many seconds below each other as a line holds."""
    most = max(int(found.weight.max()), 1)
    shade = -(-found.weight * (len(_SHADES) - 1) // most)
    lines = []
    for first in range(0, found.seconds, _WIDTH):
        block, from_ = shade[first : first + _WIDTH], found.first_second + first
        for row in reversed(range(found.rows)):
            cells = "".join(_SHADES[level] for level in block[:, row].tolist())
            lines.append(f"{row * 1000 / found.rows:4.0f} ms ┤{cells}")
        ticks = "".join(f"{second:<10}" for second in range(from_, from_ + len(block), 10))
        lines.append(f"        {ticks} s".rstrip())
    return "\n".join(lines) + "\n"
