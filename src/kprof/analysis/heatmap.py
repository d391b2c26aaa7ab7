"""When the weight was: seconds of a recording, and parts of a second.

Source: the sub-second offset heat map of FlameScope, https://github.com/Netflix/flamescope.
"""

from dataclasses import dataclass

import numpy as np

from kprof.errors import UsageError
from kprof.model import Profile
from kprof.model.tables import Int64

_SECOND = 1_000_000_000
# Four weeks of seconds at fifty rows would be a gigabyte.
_MOST_CELLS = 10_000_000


@dataclass(frozen=True, slots=True)
class Heatmap:
    """The matrix.

    Attributes:
        rows: Parts that a second has.
        weight: (seconds, rows) sum of the weights. int64.
        samples: (seconds, rows) number of the samples. int64.
        first_second: Second of the recording that the first row is; those before it hold nothing.
    """

    rows: int
    weight: Int64
    samples: Int64
    first_second: int

    @property
    def seconds(self) -> int:
        """How many seconds there are, the last one begun."""
        return len(self.weight)


def heatmap(profile: Profile, rows: int, begin_ns: int | None = None) -> Heatmap:
    """Return when the weight of a profile was; samples without a time are in no cell.

    Args:
        profile: A profile of one event.
        rows: Parts that a second has.
        begin_ns: When the recording began, not after any sample; None for the first sample.

    Raises:
        UsageError: No sample has a time, or the recording is too long for a matrix.
    """
    times, weights, counts = profile.samples.time_ns, profile.samples.weight, profile.samples.count
    if times is None or not np.any(times >= 0):
        raise UsageError("this profile has no times")
    known = times >= 0
    begin = int(times[known].min()) if begin_ns is None else begin_ns
    second, within = np.divmod(times[known] - begin, _SECOND)
    first = int(second.min())
    second -= first
    seconds = int(second.max()) + 1
    if seconds * rows > _MOST_CELLS:
        raise UsageError(f"{seconds:,} s are too many for a heat map", "keep less with --start and --end")
    cell = second * rows + within * rows // _SECOND
    sums = []
    for column in (weights, counts):
        total = np.zeros(seconds * rows, np.int64)
        np.add.at(total, cell, column[known])
        sums.append(total.reshape(seconds, rows))
    return Heatmap(rows, sums[0], sums[1], first)
