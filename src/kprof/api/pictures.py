"""What a notebook shows: a page of its own within the notebook's."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass

from kprof import pipeline

HEIGHT = 520


@dataclass(frozen=True, slots=True, repr=False)
class FlameGraph:
    """An interactive flame graph; a notebook shows it.

    Attributes:
        page: The page, self-contained: it works offline.
        height: Of the frame in a notebook, in pixels.
    """

    page: str
    height: int = HEIGHT

    def save(self, output: str | os.PathLike[str]) -> None:
        """Write the page to a file."""
        pipeline.write_text(self.page, os.fspath(output))

    def __repr__(self) -> str:
        return f"<FlameGraph, {len(self.page) / 1e6:.1f} MB>"

    def _repr_html_(self) -> str:
        # In a frame of its own: neither its styles nor its keys mix with those of the notebook.
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="{self.height}"'
            ' style="border:0" title="Flame graph" allowfullscreen></iframe>'
        )
