"""Intervals that have begun, and have not ended when a recording does: they count up to then."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kprof.recorders.bpf.sources import Source
from kprof.wire import bpf_events as layout

Array = np.ndarray[Any, Any]


def rows_of_open(
    begun: Array, sources: Sequence[Source], keeps: Callable[[int], bool], ended_ns: int
) -> tuple[Array, Array]:
    """Return keys and rows.

    Args:
        begun: What has begun, of `bpf_events.OPEN`.
        sources: The events; only those that weigh time count.
        keeps: Says whether a weight is within the limits.
        ended_ns: When programs stopped to count, on the clock of their times.
    """
    timed = np.array([s.weight == layout.WEIGH_TIME and s.counts_open for s in sources])
    begun = begun[timed[begun["key"]["event"]]]
    rows = np.zeros(len(begun), layout.ROW)
    rows["count"], rows["first_ns"] = 1, begun["begun_ns"]
    rows["weight"] = np.maximum(ended_ns - begun["begun_ns"].astype(np.int64), 0)
    within = np.fromiter(map(keeps, rows["weight"].tolist()), bool, len(rows))
    return begun["key"][within], rows[within]
