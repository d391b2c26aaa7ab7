"""What `kprof compare` found, as text, Markdown or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from kprof.cli.amounts import percent

if TYPE_CHECKING:
    from kprof.analysis.agreement import Agreement
    from kprof.analysis.disagreement import Disagreement

_SHORT = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown.

    Attributes:
        names: What the two are called.
        agreement: How far they agree.
        disagreement: Why they differ.
        sides: What is known of each, one mapping a side.
        costs: What recording each took, one mapping a side; none if they were there already.
        number: Functions to show, 0 for all.
    """

    names: tuple[str, str]
    agreement: Agreement
    disagreement: Disagreement
    sides: Sequence[Mapping[str, Any]]
    costs: Sequence[Mapping[str, Any]] = field(default=())
    number: int = 15

    def agreed(self) -> list[tuple[str, str]]:
        """Return what is said of the agreement: a name and a value each."""
        found = self.agreement
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
        for cause, share in self.disagreement.causes.items():
            if share >= 0.0005:  # noqa: PLR2004 - what is shown as 0.0%
                lines.append((f"functions differ, cause: {cause}", percent(share)))
        return lines

    def facts(self) -> list[list[str]]:
        """Return what is known of the sides and what they cost: a name and two values each."""
        rows = [[name, *(str(side[name]) for side in self.sides)] for name in self.sides[0]]
        return rows + [[name, *(str(side[name]) for side in self.costs)] for name in (self.costs or ({},))[0]]

    def functions(self) -> list[list[str]]:
        """Return the functions that differ most, as cells."""
        rows = []
        for row in list(self.disagreement.table.rows())[: self.number or None]:
            cells = []
            for weight in ("self", "total"):
                cells += [percent(row[f"{weight}_first"]), percent(row[f"{weight}_second"])]
            rows.append([*cells, row["cause"], row["function"], row["module"]])
        return rows

    @property
    def heads(self) -> list[str]:
        """What stands above the numbers of the functions."""
        short = self.names if max(map(len, self.names)) <= _SHORT else ("left", "right")
        return [f"{weight} {name}" for weight in ("self", "total") for name in short]


def to_text(shown: Shown) -> str:
    """Return three tables for a terminal."""
    from kprof.cli.table_view import View  # noqa: PLC0415 - rich takes 50 ms to import

    view = View(to_terminal=True)
    for name, value in shown.agreed():
        view.line(f"{name:<45} {value}")
    view.line("")
    width = max(len(row[0]) for row in shown.facts())
    rows = [[f"{row[0]:<{width}}", *row[1:]] for row in shown.facts()]
    view.cells(["", *shown.names], [], rows)
    view.line("")
    view.cells(shown.heads, ["cause", "function", "module"], shown.functions())
    if shown.number and len(shown.disagreement.table) > shown.number:
        view.line(f"{len(shown.disagreement.table) - shown.number:,} more; -n 0 shows all", "dim")
    return view.text()


def to_markdown(shown: Shown) -> str:
    """Return three tables as Markdown."""
    lines = [f"## {_escaped(shown.names[0])} and {_escaped(shown.names[1])}", ""]
    lines += _table(["agreement", ""], [list(pair) for pair in shown.agreed()])
    lines += _table(["", *shown.names], shown.facts())
    rows = [
        [*row[:5], *(f"`{_escaped(cell)}`" if cell else "" for cell in row[5:])] for row in shown.functions()
    ]
    lines += _table([*shown.heads, "cause", "function", "module"], rows)
    return "\n".join(lines)


def to_json(shown: Shown) -> str:
    """Return one object."""
    found = asdict(shown.agreement)
    found["rank"] = None if math.isnan(shown.agreement.rank) else shown.agreement.rank
    value = {
        "names": shown.names,
        "agreement": found,
        "causes": {str(cause): share for cause, share in shown.disagreement.causes.items()},
        "sides": list(shown.sides),
        "costs": list(shown.costs),
        "functions": list(shown.disagreement.table.rows()),
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(_escaped, heads))} |", f"|{'---|' * len(heads)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")
