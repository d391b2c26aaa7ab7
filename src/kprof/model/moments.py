"""Points in the time of a recording: seconds from its first sample or from its last, or a share of it."""

import math
import re

import numpy as np

from kprof.errors import UsageError
from kprof.model.tables import Int64

SECOND = 1_000_000_000
_TEXT = re.compile(r"(-?\d+(?:\.\d*)?|-?\.\d+)(s|ms|m|%|)")
_UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "m": 60.0}


class Share(float):
    """A share of a recording's time, where a plain number would be seconds."""

    __slots__ = ()


def parse_moment(text: str) -> float:
    """Return what `2.5`, `250ms`, `1.5m`, `-1` (from the end) or `10%` mean: seconds, or a `Share`.

    Raises:
        UsageError: It is none of these.
    """
    found = _TEXT.fullmatch(text.strip())
    if not found:
        raise UsageError(
            f"{text!r} is no time",
            "give seconds as 2.5 or 250ms, -1 for a second before the end, or 10%",
        )
    number = float(found[1])
    return Share(number / 100) if found[2] == "%" else number * _UNITS[found[2]]


def time_mask(times: Int64, start: float | None, end: float | None) -> np.ndarray:
    """Say which samples lie at or behind `start` and before `end`; those without a time do not.

    Args:
        times: (n,) nanoseconds, -1 where not known.
        start: Seconds from the first sample, from the last one if negative, or a `Share`; None for all.
        end: The same.

    Raises:
        UsageError: The end is not behind the start.
    """
    known = times >= 0
    first = int(times[known].min()) if np.any(known) else 0
    # One more than the last, so that all of it is 100%.
    lasts = int(times[known].max()) + 1 - first if np.any(known) else 0
    low = -math.inf if start is None else _offset(start, lasts)
    high = math.inf if end is None else _offset(end, lasts)
    if low >= high:
        raise UsageError(
            f"--end, {high / SECOND:g} s, is not behind --start, {low / SECOND:g} s",
            f"the recording lasts {lasts / SECOND:.3f} s",
        )
    offset = times - first
    return known & (offset >= low) & (offset < high)


def _offset(moment: float, lasts: int) -> float:
    """Return nanoseconds from the first sample."""
    if isinstance(moment, Share):
        share = moment + 1 if math.copysign(1, moment) < 0 else moment
        return round(share * lasts)
    offset = round(moment * SECOND)
    return lasts + offset if math.copysign(1, moment) < 0 else offset
