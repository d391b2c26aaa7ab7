"""Two sides, each of one recording or several, for Python and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kprof import pipeline
from kprof.analysis.diff import Diff, Options
from kprof.analysis.diff import diff as find_changes
from kprof.analysis.gate import judge_rules, parse_rule
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

    def rules(self, *texts: str) -> pd.DataFrame:
        """Hold rules such as `self(parse_json) > +5%` against both sides, as `kprof diff --fail-on` does.

        Args:
            texts: The rules; see `kprof.analysis.gate.parse_rule`.

        Returns:
            One row a rule: `rule`, shares `before` and `after`, `q` where it was tested, and whether it
            `fails`.

        Raises:
            UsageError: One is none.
        """
        import pandas as pd  # noqa: PLC0415 - takes 0.3 s to import

        names = ("before", "after", "q", "fails")
        verdicts = judge_rules([parse_rule(text) for text in texts], *self.sides) if texts else []
        rows = [[one.rule.text, *(getattr(one, name) for name in names)] for one in verdicts]
        return pd.DataFrame(rows, columns=["rule", *names])

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
