"""What is noise: how far recordings of one kind lie apart, beside how far two kinds do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

import numpy as np
import numpy.typing as npt

from kprof.analysis.agreement import lay_out
from kprof.analysis.runs import Float
from kprof.model import Profile

_SEED, _DRAWS = 1, 2000
_PERCENTILES = (2.5, 97.5)
# Fewer rounds cannot tell how much rounds differ; nor, with a bootstrap of few, whether recorders do.
LEAST_ROUNDS, LEAST_FOR_EXCESS = 3, 5


@dataclass(frozen=True, slots=True)
class Apart:
    """How far recordings of two recorders, or of one, lie apart.

    Attributes:
        first: Number of one recorder.
        second: Number of the other; the same for runs of one.
        at_once: Whether they recorded the same time.
        pairs: Of how many pairs of recordings.
        mean: Mean total variation distance of their stacks, 0 to 1.
        least: Least of them.
        most: Largest of them.
        low: Lower end of a 95 % interval of the mean, by a bootstrap of the rounds (B. Efron, 1979); NaN with
            fewer than three rounds.
        high: Upper end.
    """

    first: int
    second: int
    at_once: bool
    pairs: int
    mean: float
    least: float
    most: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Excess:
    """How much farther two recorders lie apart than two runs of one of them: 0 if they see the same.

    All distances are of recordings of different rounds, so that both kinds of pair are apart in time.

    Attributes:
        first: Number of one recorder.
        second: Number of the other.
        mean: Mean distance between the two, less the mean of the distances within each.
        low: Lower end of a 95 % interval, by a bootstrap of the rounds.
        high: Upper end.
    """

    first: int
    second: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What `measure_noise` found.

    Attributes:
        apart: One row for runs of each recorder and for each pair, at once and at other times.
        excess: One row a pair of recorders; none with fewer than five rounds.
    """

    apart: Sequence[Apart]
    excess: Sequence[Excess]


def measure_noise(rounds: Sequence[Sequence[Profile]]) -> Noise:
    """Measure how far recordings lie apart.

    Args:
        rounds: What each of n recorders saw, of one event; those of a round recorded at once.

    Raises:
        FormatError: The weights of one do not add up within int64.
    """
    count = len(rounds[0])
    shares = lay_out([profile for each in rounds for profile in each]).shares
    distance = _distances(shares).reshape(len(rounds), count, len(rounds), count)
    draws = _draws(len(rounds))
    apart = []
    for first, second in combinations_with_replacement(range(count), 2):
        for at_once in (True, False):
            if (len(rounds) == 1 and not at_once) or (first == second and at_once):
                continue
            apart.append(_apart(distance, first, second, at_once, draws))
    enough = len(rounds) >= LEAST_FOR_EXCESS
    excess = [_excess(distance, *pair, draws) for pair in combinations(range(count), 2)] if enough else []
    return Noise(apart, excess)


def _distances(shares: Float) -> Float:
    """Return the total variation distance of every two columns, shape (columns, columns)."""
    found = np.zeros((shares.shape[1], shares.shape[1]))
    for i, j in combinations(range(shares.shape[1]), 2):
        found[i, j] = found[j, i] = np.abs(shares[:, i] - shares[:, j]).sum() / 2
    return found


def _draws(rounds: int) -> npt.NDArray[np.int64]:
    """Return rounds drawn with replacement, two different ones at least, shape (draws, rounds)."""
    if rounds < LEAST_ROUNDS:
        return np.zeros((0, rounds), np.int64)
    # A fixed seed: the same recordings are told the same twice.
    drawn = np.random.default_rng(_SEED).integers(0, rounds, (_DRAWS, rounds))
    return np.asarray(drawn[np.ptp(drawn, axis=1) > 0])


def _pairs(
    distance: Float, first: int, second: int, at_once: bool, drawn: npt.NDArray[np.int64] | None = None
) -> Float:
    """Return distances of pairs; those of one round drawn twice are no pair at another time."""
    chosen = np.arange(len(distance)) if drawn is None else drawn
    if at_once:
        return np.asarray(distance[chosen, first, chosen, second])
    one, other = np.meshgrid(chosen, chosen, indexing="ij")
    keep = one < other if first == second else one != other
    return np.asarray(distance[one[keep], first, other[keep], second])


def _apart(distance: Float, first: int, second: int, at_once: bool, draws: npt.NDArray[np.int64]) -> Apart:
    values = _pairs(distance, first, second, at_once)
    means = [_pairs(distance, first, second, at_once, drawn).mean() for drawn in draws]
    low, high = np.percentile(means, _PERCENTILES).tolist() if means else (float("nan"),) * 2
    return Apart(
        first, second, at_once, len(values), float(values.mean()), float(values.min()), float(values.max()),
        low, high,
    )  # fmt: skip


def _excess(distance: Float, first: int, second: int, draws: npt.NDArray[np.int64]) -> Excess:
    def of(drawn: npt.NDArray[np.int64] | None) -> float:
        between, one, other = (
            float(_pairs(distance, *pair, at_once=False, drawn=drawn).mean())
            for pair in ((first, second), (first, first), (second, second))
        )
        return between - (one + other) / 2

    low, high = np.percentile([of(drawn) for drawn in draws], _PERCENTILES).tolist()
    return Excess(first, second, of(None), low, high)
