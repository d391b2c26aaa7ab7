"""A profile and the questions to it.

Each method is one call of what the commands are made of, so that both give the same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kprof import pipeline
from kprof.analysis import calls
from kprof.analysis.quality import Report, judge
from kprof.analysis.top import top
from kprof.api.comparing import DiffView, compare
from kprof.api.pictures import HEIGHT, FlameGraph
from kprof.model import Filter, Profile, pick_event

if TYPE_CHECKING:
    import pandas as pd

    from kprof.exporters.html import PageOptions

Names = str | Sequence[str]
Numbers = int | Sequence[int]


def several(values: Numbers) -> tuple[int, ...]:
    """Return one number, or several, as a tuple."""
    return (values,) if isinstance(values, int) else tuple(values)


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile and the questions to it.

    Methods that add weights up do so for one event: the first, unless `event` chose another.

    Attributes:
        profile: The profile itself.
        title: What it is called on a page.
    """

    profile: Profile
    title: str = "profile"

    @property
    def events(self) -> list[str]:
        """Names of the events."""
        return [event.name for event in self.profile.meta.events]

    @property
    def total(self) -> int:
        """Sum of the weights, in the unit of the event."""
        return self.one.total

    @property
    def quality(self) -> Report:
        """What one must know before believing it."""
        return judge(self.profile)

    @property
    def one(self) -> Profile:
        """The profile with the first of its events alone."""
        return pick_event(self.profile)

    def event(self, name: str) -> ProfileView:
        """Keep one event; `cycles` also finds `cycles:u`.

        Raises:
            UsageError: There is no such event, or more than one.
        """
        return ProfileView(pick_event(self.profile, name), self.title)

    def filter(
        self,
        *,
        comm: Names = (),
        pid: Numbers = (),
        tid: Numbers = (),
        cpu: Numbers = (),
        start: float | None = None,
        end: float | None = None,
        focus: str = "",
        ignore: str = "",
        root_at: str = "",
    ) -> ProfileView:
        """Keep a part; see `kprof.model.Filter`. One value may be given for a list of one.

        Raises:
            UsageError: A regular expression is wrong, or the profile lacks what is filtered by.
        """
        comms = (comm,) if isinstance(comm, str) else tuple(comm)
        kept = Filter(comms, several(pid), several(tid), several(cpu), start, end, focus, ignore, root_at)
        return ProfileView(kept.apply(self.profile), self.title)

    def top(self, by: str = "function", number: int | None = None, *, bucket: float = 1.0) -> pd.DataFrame:
        """Return the heaviest functions, or other groups, as `kprof.analysis.top.top` does.

        Args:
            by: `function`, `module`, `kind`, `line`, `comm`, `pid`, `tid`, `cpu`, `cgroup` or `time`.
            number: How many rows; all if None.
            bucket: Seconds that make one row, for `time`.
        """
        return top(self.one, by, bucket=bucket).take(slice(number)).to_pandas()

    def callers(self, function: str) -> pd.DataFrame:
        """Return who calls a function, with the part of its total that each brings."""
        return calls.neighbours(self.one, function).callers.to_pandas()

    def callees(self, function: str) -> pd.DataFrame:
        """Return whom a function calls."""
        return calls.neighbours(self.one, function).callees.to_pandas()

    def tree(self, least: float = 0.01, deepest: int = 0) -> pd.DataFrame:
        """Return the tree of calls in reading order.

        Args:
            least: Leave out what has a smaller share of the total, from 0 to 1.
            deepest: Frames from the root, 0 for all.
        """
        return calls.outline(calls.call_tree(self.one), least, deepest).to_pandas()

    def diff(
        self, after: ProfileView, by: str = "function", *, absolute: bool = False, least: float = 0.001
    ) -> DiffView:
        """Compare with a later profile; `kprof.diff` takes several recordings a side.

        Args:
            after: What became of this one.
            by: What a row stands for: `function`, `module`, `kind` or `line`.
            absolute: Compare weights rather than shares of each side's total.
            least: Leave out what has a smaller share of both sides, from 0 to 1.

        Raises:
            UsageError: Their units differ.
        """
        title = f"{self.title} and {after.title}"
        return compare([self.one], [after.one], title, by=by, absolute=absolute, least=least)

    def sql(self, query: str) -> pd.DataFrame:
        """Ask DuckDB; see `kprof.analysis.sql.query` for the tables. All events are in them."""
        from kprof.analysis import sql  # noqa: PLC0415 - few questions need it

        return sql.query(self.profile, query).to_pandas()

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a sample, or a group of equal ones; see `Profile.to_pandas`."""
        return self.profile.to_pandas()

    def flame(self, title: str = "", *, height: int = HEIGHT, **look: Any) -> FlameGraph:
        """Return the flame graph; where there are several events, one chooses in the page.

        Args:
            title: Heading of the page.
            height: Of the frame in a notebook, in pixels.
            look: Other fields of `kprof.exporters.html.PageOptions`, such as `icicle` and `color`.
        """
        from kprof.exporters.html import PageOptions  # noqa: PLC0415 - the page's library is large

        options: PageOptions = PageOptions(title or self.title, **look)
        return FlameGraph(pipeline.render_page(self.profile, options), height)

    def write(self, output: str | os.PathLike[str], to: str = "") -> None:
        """Write the profile; the suffix tells the format, or `to` does, as with `kprof convert`."""
        name = os.fspath(output)
        one = not pipeline.holds_several_events(name, to)
        pipeline.write(self.one if one else self.profile, name, title=self.title, to=to)

    def __repr__(self) -> str:
        return f"<ProfileView {self.title}: {', '.join(self.events)}; {', '.join(self.quality.facts)}>"

    def _repr_html_(self) -> str:
        return self.flame()._repr_html_()
