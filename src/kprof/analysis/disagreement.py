"""Which functions make two recordings of one thing differ, and what is the likely cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from kprof.analysis.agreement import Matched, of_side
from kprof.analysis.nesting import intervals, outermost
from kprof.analysis.runs import Float
from kprof.analysis.table import Table, texts
from kprof.analysis.top import own_weights, sum_by
from kprof.model import Kind, Profile
from kprof.model.labels import UNKNOWN
from kprof.model.tree import depths, subtree_sum

# Beyond this many standard errors a difference is not put down to chance.
_SIGMA = 3.0
_KERNEL = (Kind.KERNEL, Kind.MODULE)


class Cause(StrEnum):
    """Why a function weighs not the same on both sides, as far as the recordings tell."""

    chance = "sampling noise"
    kernel = "kernel frames on one side only"
    symbols = "no symbol on one side"
    depth = "unwinding: callers missing on one side"
    ended = "no file on one side: the process had ended"
    absent = "seen on one side only"
    other = "another moment, sampling phase, or none that is known"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What makes two recordings differ.

    Attributes:
        table: One row a function that differs, largest first: `self_first`, `self_second`, `self_delta`,
            `total_first` and so on as shares of 0 to 1, and `cause`.
        causes: How much of the distance of the functions by self weight each cause explains; these add up to
            it.
    """

    table: Table
    causes: Mapping[Cause, float]


def explain(matched: Matched) -> Disagreement:
    """Find the functions that differ most, and for each the likely cause.

    Chance is taken to be that of samples drawn independently, three standard errors wide. Where an input
    does not tell how many samples it holds, nothing is put down to chance.
    """
    own, total = matched.functions[:-1], _totals(matched)
    cause = _causes(matched, own, total)
    delta = own[:, 1] - own[:, 0]
    explained = {each: float(np.abs(delta[cause == each]).sum()) / 2 for each in Cause}
    columns = {
        **matched.columns,
        **_columns("self", own),
        **_columns("total", total),
        "cause": texts([str(each) for each in cause.tolist()]),
    }
    shift = total[:, 1] - total[:, 0]
    rows = np.flatnonzero(delta != 0) if not np.any(shift) else np.flatnonzero((delta != 0) | (shift != 0))
    order = rows[np.lexsort((-np.abs(shift[rows]), -np.maximum(np.abs(delta), np.abs(shift) / 2)[rows]))]
    return Disagreement(Table(columns).take(order), explained)


def _columns(name: str, shares: Float) -> dict[str, Float]:
    first, second = shares[:, 0], shares[:, 1]
    return {f"{name}_first": first, f"{name}_second": second, f"{name}_delta": second - first}


def _totals(matched: Matched) -> Float:
    """Return the total share of each function on both sides, recursion counted once, shape (k, 2)."""
    stacks = matched.merged.stacks
    start, end = intervals(stacks.parent)
    outer = outermost(start, end, matched.key)
    totals = np.zeros((len(matched.functions) - 1, 2))
    for side in range(2):
        profile = of_side(matched, side)
        weight = subtree_sum(stacks.parent, own_weights(profile)[0])
        totals[:, side] = sum_by(matched.key[outer], weight[outer], len(totals)) / max(profile.total, 1)
    return totals


def _causes(matched: Matched, own: Float, total: Float) -> npt.NDArray[np.object_]:
    """Return the cause of each function's difference, the surest first, shape (k,)."""
    names = matched.columns["function"].tolist()
    modules = matched.columns["module"].tolist()
    by_self, by_total = _is_large(own, matched.samples), _is_large(total, matched.samples)
    kernel, kernel_share = _kernel(matched)
    cause = np.full(len(own), Cause.other, object)
    cause[(own == 0).any(axis=1) & (total == 0).any(axis=1)] = Cause.absent
    cause[~by_self & by_total] = Cause.depth
    nameless = np.array([n.startswith("[") and n.endswith("]") for n in names], bool)
    nowhere = np.array(
        [not module and name == UNKNOWN for name, module in zip(names, modules, strict=True)], bool
    )
    # What ran in no file may have been in any; what has no name was in its own. Callers in no file are
    # what a broken chain of frame pointers leads to.
    cause[_swapped(own, nowhere, [""] * len(names)) & by_self] = Cause.ended
    cause[_swapped(own, nameless & ~nowhere, modules)] = Cause.symbols
    if (kernel_share == 0).any() and (kernel_share > 0).any():
        # Without the kernel's frames, what they weigh is that of whoever called the kernel.
        cause[kernel | (by_self & ~by_total)] = Cause.kernel
    cause[~by_self & ~by_total] = Cause.chance
    return cause


def _is_large(shares: Float, samples: tuple[int, int] | None) -> npt.NDArray[np.bool_]:
    delta = np.abs(shares[:, 1] - shares[:, 0])
    if samples is None:
        return np.asarray(delta > 0)
    # Under the assumption that both are the same, so that a share of 0 has an error, too.
    counts = np.maximum(np.array(samples, float), 1.0)
    pooled = shares @ counts / counts.sum()
    error = np.sqrt(pooled * (1 - pooled) * (1 / counts).sum())
    return np.asarray(delta > _SIGMA * np.maximum(error, 1 / counts.min() / _SIGMA))


def _kernel(matched: Matched) -> tuple[npt.NDArray[np.bool_], Float]:
    """Say which functions are the kernel's, and what share of each side they have."""
    merged = matched.merged
    of_stack = np.isin(merged.frames.kind[merged.stacks.frame], _KERNEL)
    kernel = np.zeros(len(matched.functions) - 1, bool)
    kernel[matched.key[of_stack]] = True
    return kernel, matched.functions[:-1][kernel].sum(axis=0)


def _swapped(own: Float, nameless: npt.NDArray[np.bool_], places: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Say which functions have no name, or one that the other side could not give.

    That is so if what has no name in the same place changed the other way, by half as much or more.
    """
    delta = (own[:, 1] - own[:, 0]).tolist()
    of_place: dict[str, float] = {}
    for row in np.flatnonzero(nameless).tolist():
        of_place[places[row]] = of_place.get(places[row], 0.0) + delta[row]
    swapped = [
        of_place.get(place, 0.0) * change < 0 and abs(of_place[place]) >= abs(change) / 2
        for place, change in zip(places, delta, strict=True)
    ]
    return np.asarray(nameless | np.array(swapped, bool))


def mean_depth(profile: Profile) -> float:
    """Return how many frames a sample has, on average by weight."""
    own = own_weights(profile)[0]
    return float((own * depths(profile.stacks.parent)).sum()) / max(int(own.sum()), 1)
