"""Exporter of static flame graphs: SVG, PNG, PDF, and Plotly's own JSON."""

from pathlib import PurePath

from flamegraph import pictures
from flamegraph.plotly_figure import figure
from kprof.errors import NotAvailableError
from kprof.exporters.html import PageOptions, tree
from kprof.model import Profile

SUFFIXES = (*(f".{form}" for form in pictures.FORMATS), ".json")


def check(output: str) -> None:
    """Raise if a picture of that name cannot be drawn here, before anything long is done for it.

    Raises:
        NotAvailableError: What draws pictures is missing.
    """
    if output.endswith(".json"):
        return
    try:
        pictures.check()
    except pictures.PictureError as error:
        raise _unavailable(output, error) from None


def render(profile: Profile, options: PageOptions, output: str) -> bytes:
    """Return the picture that the suffix of a name means; `auto` is a light one.

    Args:
        profile: Of one event.
        options: How it looks.
        output: Name whose suffix is one of SUFFIXES.

    Raises:
        NotAvailableError: It cannot be drawn here.
    """
    drawn = figure(
        tree(profile),
        title=options.title,
        icicle=options.icicle,
        unit=options.unit or profile.meta.events[0].unit,
        color=options.color,
        theme="dark" if options.theme == "dark" else "light",
        min_width=options.min_width,
    )
    form = PurePath(output).suffix.removeprefix(".")
    if form == "json":
        return str(drawn.to_json()).encode()
    try:
        return pictures.picture(drawn, form)
    except pictures.PictureError as error:
        raise _unavailable(output, error) from None


def _unavailable(output: str, error: pictures.PictureError) -> NotAvailableError:
    return NotAvailableError(f"cannot draw {output}: {error}", error.remedy)
