"""What `kprof compare` found, as lines and rows of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kprof.cli.amounts import amount, percent

if TYPE_CHECKING:
    from kprof.analysis.compare import Comparison
    from kprof.analysis.noise import Apart
    from kprof.analysis.slowdown import Slowdown
    from kprof.pipeline.costs import Cost

_SHORT = 10
# Of what is known of the agreement: overlap, distance, chance.
_HEADLINES = (0, 2, 3)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown.

    Attributes:
        names: What the sides are called.
        found: What was found.
        costs: What recording each took; none if they were there already.
        slowdowns: How much slower the target was: by what was measured, then by side.
        rounds: How often they recorded.
        number: Functions to show, 0 for all.
    """

    names: Sequence[str]
    found: Comparison
    costs: Sequence[Cost] = ()
    slowdowns: Mapping[str, Mapping[str, Slowdown]] = field(default_factory=dict)
    rounds: int = 1
    number: int = 15

    def agreed(self) -> list[tuple[str, str]]:
        """Return what is known of the agreement of the first two: names and values."""
        found = self.found.agreement
        lines = [
            ("overlap of stacks", percent(found.stacks)),
            ("overlap of functions (self)", percent(found.functions)),
            ("distance of stacks", percent(found.distance)),
        ]
        if chance := found.chance:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} (95% interval {chance.low:.1%} to {chance.high:.1%})")
            same = f"{chance.same:.1%} on average, 97.5% of such pairs below {chance.same_most:.1%}"
            lines.append(("by chance alone the distance is", same))
        else:
            lines.append(("chance", "not known: folded text does not tell samples"))
        rank = "too few" if math.isnan(found.rank) else f"{found.rank:.3f}"
        lines.append((f"rank correlation of {found.ranked} top functions", rank))
        for cause, share in self.found.disagreement.causes.items():
            if share >= 0.0005:  # noqa: PLR2004 - what is shown as 0.0%
                lines.append((f"functions differ, cause: {cause}", percent(share)))
        return lines

    def headlines(self) -> tuple[list[str], dict[str, str]]:
        """Return what stands at the head of a page, and by name what is shown on demand."""
        agreed = self.agreed()
        first = [f"{agreed[row][0]}: {agreed[row][1]}" for row in _HEADLINES]
        rest = [pair for row, pair in enumerate(agreed) if row not in _HEADLINES]
        return [*first, *self.verdicts()], dict(rest)

    def facts(self) -> list[list[str]]:
        """Return what is known of the sides and what they cost: a name and a value a side each."""
        sides = self.found.sides
        rows = [
            ["event", *(side.event for side in sides)],
            ["samples", *(f"{side.samples:,}" for side in sides)],
            ["lost", *(f"{side.lost:,}" for side in sides)],
            ["without a stack", *(f"{side.without_stack:,}" for side in sides)],
            ["unknown frames", *(percent(side.unknown) for side in sides)],
            ["frames a sample", *(f"{side.depth:.1f}" for side in sides)],
        ]
        texts = [cost.rows() for cost in self.costs]
        a_run = ", a run" if self.rounds > 1 else ""
        rows += [[f"{name}{a_run}", *(text[name] for text in texts)] for name in (texts or [{}])[0]]
        for what, by_name in self.slowdowns.items():
            rows.append([f"target's slowdown, {what}", *(_slower(by_name[name]) for name in self.names)])
        return rows

    def notes(self) -> list[str]:
        """Return what one must know to read these figures."""
        one = next((s for by_name in self.slowdowns.values() for s in by_name.values()), None)
        if not one:
            return []
        interval = f"an interval that holds it in {one.level:.0%} of cases"
        return [f"slowdown: median of {one.rounds} rounds, each recorder alone, and {interval}"]

    def one_sided(self) -> list[list[str]]:
        """Return what only some of the sides have: what, where, and how much."""
        rows = []
        for one in self.found.one_sided:
            much = amount(one.weight, one.unit)
            much = much if one.share == 1 else f"{percent(one.share)} of its samples"
            rows.append([one.what, ", ".join(self.names[side] for side in one.sides), much])
        return rows

    def noise(self) -> list[list[str]]:
        """Return how far recordings lie apart: cells of numbers first, then which they are."""
        return (
            [[*_distance(one), self._pair(one)] for one in self.found.noise.apart] if self.found.noise else []
        )

    def verdicts(self) -> list[str]:
        """Return how much farther apart two recorders are than two runs of one."""
        lines = []
        for one in self.found.noise.excess if self.found.noise else ():
            pair = f"{self.names[one.first]} and {self.names[one.second]}"
            points = (
                f"{one.mean * 100:+.2f} points (95% interval {one.low * 100:+.2f} to {one.high * 100:+.2f})"
            )
            more = one.low > 0
            word = "farther apart than" if more else "no farther apart than"
            lines.append(f"{pair} are {word} two runs of one of them: {points}")
        return lines

    def _pair(self, one: Apart) -> str:
        if one.first == one.second:
            return f"two runs of {self.names[one.first]}"
        when = "at once" if one.at_once else "at different times"
        return f"{self.names[one.first]} and {self.names[one.second]}, {when}"

    def functions(self) -> list[list[str]]:
        """Return the functions that differ most, as cells."""
        rows = []
        for row in list(self.found.disagreement.table.rows())[: self.number or None]:
            cells = []
            for weight in ("self", "total"):
                cells += [percent(row[f"{weight}_first"]), percent(row[f"{weight}_second"])]
            rows.append([*cells, row["cause"], row["function"], row["module"]])
        return rows

    @property
    def more(self) -> int:
        """How many functions that differ are not shown."""
        return max(len(self.found.disagreement.table) - self.number, 0) if self.number else 0

    @property
    def heads(self) -> list[str]:
        """What stands above the numbers of the functions."""
        pair = self.names[:2]
        short = pair if max(map(len, pair)) <= _SHORT else ("left", "right")
        return [f"{weight} {name}" for weight in ("self", "total") for name in short]


NOISE_HEADS = ["distance", "95% of means", "least", "most", "pairs"]


def _distance(one: Apart) -> list[str]:
    interval = "" if math.isnan(one.low) else f"{one.low:.1%} to {one.high:.1%}"
    return [percent(one.mean), interval, percent(one.least), percent(one.most), str(one.pairs)]


def _slower(one: Slowdown) -> str:
    return f"{one.median:+.1%} ({one.low:+.1%} to {one.high:+.1%})"
