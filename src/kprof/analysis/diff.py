"""Two sides, of one recording or several each: what became heavier, what lighter, and can it be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprof.analysis.runs import Float, Runs, measure
from kprof.analysis.significance import LEAST_RUNS, adjusted, welch
from kprof.analysis.table import Column, Table, texts
from kprof.errors import UsageError
from kprof.model import Profile

NEW, VANISHED = "new", "vanished"


@dataclass(frozen=True, slots=True)
class Options:
    """How two sides are compared.

    Attributes:
        by: What a row stands for: `function`, `module`, `kind` or `line`.
        absolute: Compare weights rather than shares of each side's own total.
        least: Leave out what has less than this share of both sides, 0 to 1; it is not tested either.
        rate: Rate of false discovery up to which a change counts as significant, 0 to 1.
    """

    by: str = "function"
    absolute: bool = False
    least: float = 0.001
    rate: float = 0.05


@dataclass(frozen=True, slots=True)
class Diff:
    """What `diff` found.

    Attributes:
        table: One row a function (or module, …), largest change first. `self_before`, `self_after`,
            `self_delta`, and likewise `total_`: means over the runs of a side, as shares of 0 to 1, or in the
            unit of the weights if absolute. `change` is `new`, `vanished` or empty. Where it was tested,
            `self_q` and `total_q` (rates of false discovery, NaN for what is the same in all runs) and
            `significant`.
        tested: Whether there were runs enough to tell a change from chance.
        runs: How many runs each side has.
        whole: Mean weight of a run of each side.
        left_out: How many rows were too light.
    """

    table: Table
    tested: bool
    runs: tuple[int, int]
    whole: tuple[float, float]
    left_out: int


def diff(before: Sequence[Profile], after: Sequence[Profile], options: Options | None = None) -> Diff:
    """Compare two sides.

    With two runs or more a side, Welch's t on what each run gave and Benjamini-Hochberg over all rows tell
    which changes are significant. One against one tells how large a change is, never whether it is chance.

    Args:
        before: Recordings of one event each.
        after: Likewise.
        options: How.

    Raises:
        UsageError: Their units differ, or one side is empty.
        FormatError: Weights do not add up within int64.
    """
    options = options or Options()
    if not before or not after:
        raise UsageError("each side needs a recording")
    found = measure([*before, *after], options.by)
    shares = found.shares()
    sides = slice(len(before)), slice(len(before), None)
    heaviest = np.maximum(*(shares.total[side].mean(axis=0) for side in sides))
    rows = np.flatnonzero((heaviest >= options.least) & (heaviest > 0))
    used = found if options.absolute else shares
    columns = {name: column[rows] for name, column in found.columns.items()}
    columns |= _means("self", used.own, sides, rows) | _means("total", used.total, sides, rows)
    columns["change"] = _change(found, sides, rows)
    tested = min(len(before), len(after)) >= LEAST_RUNS
    if tested:
        columns |= _tested(used, sides, rows, options.rate)
    made = Table(columns, found.unit, 0)
    order = np.lexsort(
        (-columns["total_after"], -np.abs(columns["total_delta"]), -np.abs(columns["self_delta"]))
    )
    whole = float(found.whole[sides[0]].mean()), float(found.whole[sides[1]].mean())
    left_out = int((heaviest > 0).sum()) - len(rows)
    return Diff(made.take(order), tested, (len(before), len(after)), whole, left_out)


def _means(
    name: str, values: Float, sides: tuple[slice, slice], rows: npt.NDArray[np.int64]
) -> dict[str, Column]:
    before, after = (values[side][:, rows].mean(axis=0) for side in sides)
    return {f"{name}_before": before, f"{name}_after": after, f"{name}_delta": after - before}


def _change(found: Runs, sides: tuple[slice, slice], rows: npt.NDArray[np.int64]) -> Column:
    was, is_now = (found.total[side][:, rows].sum(axis=0).tolist() for side in sides)
    return texts([NEW if not w else "" if n else VANISHED for w, n in zip(was, is_now, strict=True)])


def _tested(
    used: Runs, sides: tuple[slice, slice], rows: npt.NDArray[np.int64], rate: float
) -> dict[str, Column]:
    """Test self and total of all rows together: the reader looks at both."""
    values = np.concatenate((used.own[:, rows], used.total[:, rows]), axis=1)
    # What is the same in every run, as the total of main, is no test; nor is it one twice to test a leaf.
    distinct, of = np.unique(values, axis=1, return_inverse=True)
    varies = np.ptp(distinct, axis=0) > 0
    q = np.full(distinct.shape[1], np.nan)
    q[varies] = adjusted(welch(distinct[sides[0]][:, varies], distinct[sides[1]][:, varies]))
    own, total = np.split(q[of.reshape(-1)], 2)
    significant = (np.nan_to_num(own, nan=1.0) <= rate) | (np.nan_to_num(total, nan=1.0) <= rate)
    return {"self_q": own, "total_q": total, "significant": significant}
