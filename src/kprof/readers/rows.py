"""Rows that the native readers count, as samples of a Profile."""

from typing import Any

import numpy as np

from kprof.model import Samples


def samples_of(rows: np.ndarray[Any, Any], *, every_sample: bool) -> Samples:
    """Return the rows; CPU and time only where every sample has its own."""
    columns = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}
    alone = ("cpu", "time") if every_sample else ()
    optional = {
        n: columns[n] for n in ("pid", "tid", "cgroup", *alone) if n in columns and np.any(columns[n] != -1)
    }
    return Samples(
        columns["stack"],
        columns["event"],
        columns["weight"],
        columns["count"],
        optional.get("pid"),
        optional.get("tid"),
        columns["comm"],
        optional.get("cpu"),
        optional.get("time"),
        optional.get("cgroup"),
    )
