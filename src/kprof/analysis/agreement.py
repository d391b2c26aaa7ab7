"""Two recordings of one thing: how far do they agree, and is the rest more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kprof.analysis.groups import functions
from kprof.analysis.quality import knows_samples
from kprof.analysis.runs import Float, alike
from kprof.analysis.table import Column
from kprof.analysis.top import check_sum, sum_by
from kprof.model import Profile, merge
from kprof.model.tables import Int64
from kprof.model.tree import merged_paths

_TOP = 20
_FEWEST = 3
_SEED = 1
# Standard errors on either side in a 95 % interval.
_SIGMA = 1.96
_MOST_DRAWS, _FEWEST_DRAWS, _BUDGET = 500, 50, 4_000_000
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance does to the distance, for samples drawn independently.

    Attributes:
        low: Lower end of an interval that holds the distance of what was sampled in 95 of 100 cases or more,
            0 to 1. Chance alone makes recordings differ, which is taken off: one half of the samples tells
            where they differ, the other how far, less 1.96 standard errors of the bootstrap.
        high: Upper end, of the basic bootstrap (A. C. Davison, D. V. Hinkley, Bootstrap Methods and their
            Application, 1997, 5.2).
        same: Distance that two recordings of one program, of as many samples, have on average.
        same_most: Distance that 97.5 % of such pairs keep below.
    """

    low: float
    high: float
    same: float
    same_most: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two recordings agree.

    Attributes:
        stacks: Overlap of stacks: the sum of the smaller of the two shares of each, 0 to 1.
        functions: Overlap of functions by self weight, likewise.
        distance: Total variation distance of the stacks, 1 less their overlap.
        chance: What chance does to it; None if an input does not tell how many samples it holds.
        rank: Spearman's correlation of the self shares of the top functions of both, -1 to 1; NaN if there
            are too few.
        ranked: How many functions that are.
    """

    stacks: float
    functions: float
    distance: float
    chance: Chance | None
    rank: float
    ranked: int


@dataclass(frozen=True, slots=True)
class Matched:
    """Two profiles told by the same stacks and functions; column 0 is the first, column 1 the second.

    Attributes:
        merged: Both as one profile, the first's samples before the second's.
        columns: What tells the k functions apart, shape (k,) each.
        key: The function of each stack of `merged`, shape (stacks,).
        stacks: Share of each distinct stack, the last one for samples without any, shape (n, 2).
        functions: Self share of each function, and last that of none, shape (k + 1, 2).
        samples: How many samples each has, None if one does not tell.
        rows: How many rows of samples the first has.
    """

    merged: Profile
    columns: dict[str, Column]
    key: Int64
    stacks: Float
    functions: Float
    samples: tuple[int, int] | None
    rows: int


def match(first: Profile, second: Profile) -> Matched:
    """Find the stacks and functions of two profiles of one event that are the same.

    Threads are not told apart: their names are no part of a stack here.

    Raises:
        FormatError: The weights of one do not add up within int64.
    """
    known = knows_samples(first) and knows_samples(second)
    found = lay_out([first, second])
    by_function = np.zeros((len(found.columns["function"]) + 1, 2))
    np.add.at(by_function, found.leaf, found.shares)
    samples = (found.samples[0], found.samples[1]) if known else None
    return Matched(
        found.merged, found.columns, found.key, found.shares, by_function, samples, len(first.samples)
    )


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Profiles told by the same stacks and functions; column i is the i-th of them.

    Attributes:
        merged: All as one profile, the samples in the order of the profiles.
        columns: What tells the k functions apart, shape (k,) each.
        key: The function of each stack of `merged`, shape (stacks,).
        leaf: The function at the end of each distinct stack, k for the last one, shape (n,).
        shares: Share of each distinct stack, the last one for samples without any, shape (n, profiles).
        samples: How many samples each profile has.
    """

    merged: Profile
    columns: dict[str, Column]
    key: Int64
    leaf: Int64
    shares: Float
    samples: list[int]


def lay_out(profiles: Sequence[Profile]) -> LaidOut:
    """Find the stacks and functions of profiles of one event that are the same.

    Raises:
        FormatError: The weights of one do not add up within int64.
    """
    for profile in profiles:
        check_sum(profile)
    merged = merge(alike(profiles))
    found = functions(merged)
    key = found.of[merged.stacks.frame]
    _, leaf, node = merged_paths(merged.stacks.parent, key)
    leaf, node = np.append(leaf, len(found.columns["function"])), np.append(node, len(leaf))
    ends = np.cumsum([len(profile.samples) for profile in profiles]).tolist()
    parts = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    shares = np.zeros((len(leaf), len(profiles)))
    for side, part in enumerate(parts):
        weight = sum_by(node[merged.samples.stack[part]], merged.samples.weight[part], len(leaf))
        shares[:, side] = weight / max(float(weight.sum()), 1.0)
    samples = [int(merged.samples.count[part].sum()) for part in parts]
    return LaidOut(merged, dict(found.columns), key, leaf, shares, samples)


def agree(matched: Matched) -> Agreement:
    """Return how far two matched profiles agree."""
    stacks = matched.stacks[matched.stacks.any(axis=1)]
    overlap = float(stacks.min(axis=1).sum())
    distance = max(1.0 - overlap, 0.0)
    chance = _chance(stacks, matched.samples, distance) if matched.samples else None
    rank, ranked = _rank(matched.functions)
    return Agreement(overlap, float(matched.functions.min(axis=1).sum()), distance, chance, rank, ranked)


def _chance(shares: Float, samples: tuple[int, int], distance: float) -> Chance | None:
    if min(samples) < 1:
        return None
    # A fixed seed: the same recordings are told the same twice.
    random = np.random.default_rng(_SEED)
    draws = int(np.clip(_BUDGET // len(shares), _FEWEST_DRAWS, _MOST_DRAWS))
    same = _split(random, np.rint(shares * samples).astype(np.int64), draws)
    again = _drawn(random, shares, samples, draws)
    # To draw from noisy recordings takes off less than their noise: the upper end is safe.
    low = _halved(random, shares, samples, draws) - _SIGMA * again.std()
    # Two readings of the same samples differ by less than chance; that is no reason to say less than is seen.
    high = max(2 * distance - float(np.percentile(again, _PERCENTILES[0])), distance)
    low, high = np.clip([low, high], 0.0, 1.0).tolist()
    return Chance(low, high, float(same.mean()), float(np.percentile(same, _PERCENTILES[1])))


def _split(random: np.random.Generator, counts: npt.NDArray[np.int64], draws: int) -> Float:
    """Return the distances of random splits of the samples of both, in their sizes, shape (draws,).

    If both are of one program, the split at hand is one of these (a permutation test). To draw from the
    pooled shares instead would know no stack that was not seen, and tell too little where most are rare.
    """
    pooled, sizes = counts.sum(axis=1), np.maximum(counts.sum(axis=0), 1)
    distances = np.empty(draws)
    for number in range(draws):
        first = random.multivariate_hypergeometric(pooled, int(counts[:, 0].sum()))
        distances[number] = np.abs(first / sizes[0] - (pooled - first) / sizes[1]).sum() / 2
    return distances


def _halved(random: np.random.Generator, shares: Float, samples: tuple[int, int], draws: int) -> float:
    """Return the distance with one half of the samples telling on which side each stack is heavier.

    The other half, which does not know their noise, tells by how much. What is noise alone adds nothing, and
    what is too small to be seen is missing, so this is not above the distance but by chance.
    """
    counts = np.rint(shares * samples).astype(np.int64)
    found = []
    for _ in range(draws):
        half = random.binomial(counts, 0.5)
        first, second = (part / np.maximum(part.sum(axis=0), 1) for part in (half, counts - half))
        sign = np.sign(first[:, 1] - first[:, 0])
        found.append(float((sign * (second[:, 1] - second[:, 0])).sum()) / 2)
    return float(np.mean(found))


def _drawn(random: np.random.Generator, shares: Float, samples: tuple[int, int], draws: int) -> Float:
    """Return the distances of pairs of recordings drawn from two distributions, shape (draws,)."""
    shares = shares / shares.sum(axis=0)
    distances = np.empty(draws)
    for number in range(draws):
        first, second = (
            random.multinomial(samples[side], shares[:, side]) / samples[side] for side in range(2)
        )
        distances[number] = np.abs(first - second).sum() / 2
    return distances


def _rank(functions: Float) -> tuple[float, int]:
    tops = [np.argsort(-functions[:, side], kind="stable")[:_TOP] for side in range(2)]
    chosen = np.unique(np.concatenate(tops))
    chosen = chosen[functions[chosen].any(axis=1)]
    shares = functions[chosen]
    if len(chosen) < _FEWEST or not np.ptp(shares, axis=0).all():
        return float("nan"), len(chosen)
    from scipy.stats import spearmanr  # noqa: PLC0415 - takes half a second to import

    return float(spearmanr(shares[:, 0], shares[:, 1]).statistic), len(chosen)


def of_side(matched: Matched, side: int) -> Profile:
    """Return one side as a profile on the stacks of both."""
    part = slice(matched.rows) if side == 0 else slice(matched.rows, None)
    rows = np.arange(len(matched.merged.samples))[part]
    return replace(matched.merged, samples=matched.merged.samples.take(rows))
