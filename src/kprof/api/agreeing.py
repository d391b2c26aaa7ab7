"""Two recordings of one thing, for Python and notebooks: how far do they agree?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from kprof import pipeline
from kprof.analysis.compare import Comparison
from kprof.analysis.compare import compare as find
from kprof.api.pictures import HEIGHT, FlameGraph
from kprof.api.views import ProfileView

if TYPE_CHECKING:
    import pandas as pd


def compare(first: ProfileView, second: ProfileView, event: str = "") -> AgreementView:
    """Find how far two recordings of one thing agree, and why they do not, as `kprof compare` does.

    Args:
        first: A recording, with all its events.
        second: Another.
        event: The event to compare; the first that both have if empty.

    Raises:
        UsageError: There is no event that both have.
    """
    profiles = pipeline.alike([first.profile, second.profile], event)
    names = (first.title, second.title)
    if first.title == second.title:
        names = (f"{first.title} (1)", f"{second.title} (2)")
    return AgreementView(find([profiles], event), names)


@dataclass(frozen=True, slots=True)
class AgreementView:
    """How far two recordings agree; a notebook shows both flame graphs.

    Attributes:
        found: All that `kprof.analysis.compare.compare` found.
        names: What the two are called.
    """

    found: Comparison
    names: tuple[str, str]

    def summary(self) -> pd.Series[float]:
        """Return the measures of agreement: shares from 0 to 1, and the rank correlation.

        `chance_low` and `chance_high` are the interval of the distance, `chance_same` is what chance alone
        makes of it; see `kprof.analysis.agreement.Agreement`.
        """
        import pandas as pd  # noqa: PLC0415 - takes 0.3 s to import

        values = asdict(self.found.agreement)
        chance = values.pop("chance") or {}
        return pd.Series(
            {**values, **{f"chance_{name}": value for name, value in chance.items()}}, dtype=float
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a function that differs, with the likely cause, the largest difference first."""
        return self.found.disagreement.table.to_pandas()

    def causes(self) -> pd.Series[float]:
        """Return how much of the distance of functions by self weight each cause explains."""
        import pandas as pd  # noqa: PLC0415 - takes 0.3 s to import

        causes = self.found.disagreement.causes.items()
        return pd.Series({str(cause): share for cause, share in causes}, dtype=float)

    def sides(self) -> pd.DataFrame:
        """Return what is known of each side, a column each."""
        import pandas as pd  # noqa: PLC0415 - takes 0.3 s to import

        both = zip(self.names, self.found.sides, strict=True)
        return pd.DataFrame({name: asdict(side) for name, side in both})

    def one_sided(self) -> pd.DataFrame:
        """Return what only one side has, and is no difference: events, kinds of frames, threads."""
        import pandas as pd  # noqa: PLC0415 - takes 0.3 s to import

        found = self.found.one_sided
        rows = [[one.what, self.names[one.sides[0]], one.weight, one.share, one.unit] for one in found]
        return pd.DataFrame(rows, columns=["what", "side", "weight", "share", "unit"])

    def flame(self, title: str = "", *, height: int = HEIGHT) -> FlameGraph:
        """Return both flame graphs on one page, linked with each other."""
        first, second = self.found.profiles
        title = title or " and ".join(self.names)
        text = pipeline.render_beside(first, second, title=title, names=self.names, facts={})
        return FlameGraph(text, height)

    def __repr__(self) -> str:
        found = self.found.agreement
        return (
            f"<AgreementView {' and '.join(self.names)}: {found.stacks:.1%} of stacks,"
            f" {found.functions:.1%} of functions>"
        )

    def _repr_html_(self) -> str:
        return self.flame()._repr_html_()
