"""`kprof flame`: any input to one interactive page, or to a picture of it."""

from enum import StrEnum
from pathlib import Path, PurePath
from typing import Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, status, summary
from kprof.errors import UsageError

_LOOK = "How it looks"
_SUFFIXES = (".html", ".svg", ".png", ".pdf", ".json")


class Theme(StrEnum):
    """Colours of the page's background."""

    auto = "auto"
    light = "light"
    dark = "dark"


class Color(StrEnum):
    """What the colour of a frame tells."""

    kind = "kind"
    module = "module"
    name = "name"
    heat = "heat"


def flame(  # noqa: PLR0917 - Typer passes by name
    inputs: o.Inputs,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write: a page (.html), a picture (.svg, .png, .pdf) or a Plotly figure (.json);"
            " - is stdout. Default: INPUT.html",
        ),
    ] = "",
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    title: Annotated[
        str, typer.Option(help="Heading of the page. Default: the input's name.", rich_help_panel=_LOOK)
    ] = "",
    icicle: Annotated[bool, typer.Option("--icicle", help="Roots on top.", rich_help_panel=_LOOK)] = False,
    color: Annotated[Color, typer.Option(help="What colours tell.", rich_help_panel=_LOOK)] = Color.kind,
    theme: Annotated[Theme, typer.Option(help="Background.", rich_help_panel=_LOOK)] = Theme.auto,
    min_width: Annotated[
        float,
        typer.Option(
            metavar="PIXELS",
            min=0.1,
            max=100,
            help="Narrower frames are not drawn one by one.",
            rich_help_panel=_LOOK,
        ),
    ] = 0.5,
    unit: Annotated[
        str,
        typer.Option(
            metavar="UNIT",
            help="Unit of the weights where the input, as folded text, does not say: ns, bytes, samples.",
            rich_help_panel=_LOOK,
        ),
    ] = "",
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
    """Draw a flame graph: one self-contained page that works offline.

    Click a frame to zoom, press / to search, ? for the keys. Pictures need kaleido and Chromium.
    """
    be_quiet(quiet)
    output = output or _default_output(inputs[0])
    if output != "-" and PurePath(output).suffix not in _SUFFIXES:
        raise UsageError(f"cannot draw {output}", f"end its name in {', '.join(_SUFFIXES)}")
    is_page = output == "-" or output.endswith(".html")
    name = "standard input" if inputs[0] == "-" else PurePath(inputs[0]).name
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.exporters.html import PageOptions  # noqa: PLC0415
    from kprof.readers import ReadOptions  # noqa: PLC0415

    pipeline.check_not_an_input(output, inputs)
    if not is_page:
        pipeline.check_picture(output)
    keep = o.FilterOptions(only_comm, only_pid, only_tid, only_cpu, start, end, focus, ignore, root_at)
    choice = pipeline.Choice(
        ReadOptions(names=names.value, every_sample=True),
        event,
        keep.build(),
        inline,
        every_event=is_page and not event,
    )
    with reading(inputs) as progress:
        profile = pipeline.read(inputs, choice, progress=progress)
    look = PageOptions(title or name, icicle, theme.value, color.value, unit, min_width)
    write = pipeline.write_page if is_page else pipeline.write_picture
    summary(profile, write(profile, output, look))
    if open_page and output != "-":
        _open(output)


def _open(output: str) -> None:
    import webbrowser  # noqa: PLC0415 - only for this option

    if not webbrowser.open(Path(output).resolve().as_uri()):
        status(f"no browser to open it with; open {output} yourself")


def _default_output(name: str) -> str:
    """`a/b.perf.data` -> `b.perf.html` here: the page belongs where the user is."""
    if name == "-":
        return "out.html"
    path = PurePath(name)
    while path.suffix in {".gz", ".zst"}:
        path = path.with_suffix("")
    return f"{path.stem}.html"
