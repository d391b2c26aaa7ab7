"""Two sides, each of one recording or several, for Python and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kprof import pipeline
from kprof.analysis.diff import Diff, Options
from kprof.analysis.diff import diff as find_changes
from kprof.api.pictures import HEIGHT, FlameGraph
from kprof.model import Profile

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class DiffView:
    """What became heavier, and what lighter.

    Attributes:
        found: All that `kprof.analysis.diff.diff` found.
        title: What it is called on a page.
        sides: The profiles of both.
    """

    found: Diff
    title: str
    sides: tuple[Sequence[Profile], Sequence[Profile]]

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a function, or other group, largest change first; see `kprof.analysis.diff.Diff`."""
        return self.found.table.to_pandas()

    def flame(self, title: str = "", *, height: int = HEIGHT) -> FlameGraph:
        """Return the differential flame graph: widths of what came after, colours of the change of share."""
        text = pipeline.render_difference(*self.sides, title=title or self.title, facts={})
        return FlameGraph(text, height)

    def __repr__(self) -> str:
        rows = self.found.table.take(slice(_SHOWN)).rows()
        name = next(iter(self.found.table.columns), "")
        shown = ", ".join(f"{row[name]} {row['self_delta']:+.3g}" for row in rows)
        return f"<DiffView {self.title}: {len(self.found.table):,} rows; {shown}>"

    def _repr_html_(self) -> str:
        return self.flame()._repr_html_()


def compare(
    before: Sequence[Profile], after: Sequence[Profile], title: str, *, by: str, absolute: bool, least: float
) -> DiffView:
    """Compare two sides of profiles of one event each; arguments as of `kprof.diff`."""
    return DiffView(find_changes(before, after, Options(by, absolute, least)), title, (before, after))
