"""Pictures of figures: SVG, PNG and PDF, drawn by a browser that the optional kaleido drives."""

import importlib.util
from importlib import resources
from pathlib import Path
from typing import Any

from flamegraph import vendor

FORMATS = ("svg", "png", "pdf")
# Of a picture of dots: a screen of today has two to a pixel, and letters show it.
_DOTS = 2
# A browser draws no picture of dots that is higher, and a page of paper is not longer.
_HIGHEST = 14_000


_OTHERWISE = "the page (.html) saves SVG and PNG itself"


class PictureError(RuntimeError):
    """A picture cannot be drawn here; the message says what is missing, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def check() -> None:
    """Raise if kaleido is missing: cheap, so that it can be asked before long work.

    Raises:
        PictureError: It is.
    """
    if importlib.util.find_spec("kaleido") is None:
        raise PictureError(
            "kaleido is not installed", f"pip install kaleido, or 'kprof[pictures]'; {_OTHERWISE}"
        )


def picture(figure: Any, form: str) -> bytes:
    """Draw a figure. Nothing is asked of any network.

    Args:
        figure: a plotly.graph_objects.Figure, as `flamegraph.figure` makes.
        form: "svg", "png" or "pdf".

    Raises:
        PictureError: kaleido or a browser is missing, or the figure is too high for the form.
    """
    if form not in FORMATS:
        raise ValueError(f"a picture is one of {', '.join(FORMATS)}, not {form!r}")
    dots = _DOTS if form == "png" else 1
    if form != "svg" and figure.layout.height * dots > _HIGHEST:
        raise PictureError(
            f"{figure.layout.height} pixels are too high for {form}", f"draw it as svg; {_OTHERWISE}"
        )
    check()
    import kaleido  # noqa: PLC0415 - optional, and few need it
    from choreographer.errors import ChromeNotFoundError  # noqa: PLC0415

    bundle = Path(str(resources.files("flamegraph") / "assets" / vendor.PLOTLY_FILE))
    generator = kaleido.PageGenerator(plotly=bundle.as_uri(), mathjax=False)
    size = {"width": figure.layout.width, "height": figure.layout.height, "scale": dots}
    try:
        drawn: bytes = kaleido.calc_fig_sync(
            figure.to_dict(), opts={"format": form, **size}, kopts={"page_generator": generator}
        )
    except ChromeNotFoundError:
        raise PictureError(
            "no Chromium or Chrome was found",
            f"apt-get install chromium, or set BROWSER_PATH to one; {_OTHERWISE}",
        ) from None
    return drawn
