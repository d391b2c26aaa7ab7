"""How much slower something became: a median of ratios, and an interval that assumes no law of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_WANTED = 0.9


@dataclass(frozen=True, slots=True)
class Slowdown:
    """How much more something took with than without.

    Attributes:
        median: Of the ratios of each round, less 1: 0.02 is 2 % slower.
        low: Lower end of an interval of the median, made of order statistics (H. A. David, H. N. Nagaraja,
            Order Statistics, 2003, 7.1).
        high: Upper end.
        level: How sure the interval is, 0 to 1: five rounds give 0.94 at the best.
        rounds: How many ratios there are.
    """

    median: float
    low: float
    high: float
    level: float
    rounds: int

    @property
    def is_seen(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def slowdown(without: Sequence[float], with_it: Sequence[float]) -> Slowdown:
    """Compare what each round took without and with.

    Args:
        without: Seconds, or anything else that is more when it is slower, one a round.
        with_it: Likewise, of the same rounds.

    Raises:
        ValueError: They are not equally many, or none.
    """
    from scipy.stats import binom  # noqa: PLC0415 - takes half a second to import

    if len(without) != len(with_it) or not without:
        raise ValueError("each round needs both")
    ratios = np.sort(np.array(with_it, float) / np.array(without, float)) - 1
    count = len(ratios)
    # The narrowest that is still sure enough; the widest there is with few rounds.
    inner = [k for k in range(count // 2) if _level(binom, count, k) >= _WANTED]
    k = inner[-1] if inner else 0
    low, high = ratios[k], ratios[count - 1 - k]
    return Slowdown(float(np.median(ratios)), float(low), float(high), _level(binom, count, k), count)


def _level(binom: object, count: int, k: int) -> float:
    """Return how often the median lies between the k-th from below and from above, counted from 0."""
    return float(1 - 2 * binom.cdf(k, count, 0.5))  # type: ignore[attr-defined]
