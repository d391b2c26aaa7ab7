"""What a reader of the page may filter by: parts of the weights, by thread, by CPU, by time, by event."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flamegraph.tree import Int64

_HEAT_ROWS = 20
_MOST_COLUMNS = 240
_SECOND = 10**9


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """One way to tell samples apart.

    Attributes:
        name: what it is called: "thread", "CPU", "time".
        values: names of the values; empty for a facet of time, whose values are cells.
        value: (n,) index into values, or into cells.
        units: for events: unit of each value. Events are never added up: the page shows one at a time, the
            first one to begin with, whose weights are those of the tree.
        heat: for time: cells in a column (`rows`), `columns`, `seconds` that a column lasts, and how many
            empty columns stand `before` the first one.
    """

    name: str
    values: Sequence[str]
    value: Int64
    heat: dict[str, float] | None = None
    units: Sequence[str] = ()

    def described(self) -> dict[str, Any]:
        """Return what the page is told of it."""
        described: dict[str, Any] = {"name": self.name, "values": list(self.values)}
        described |= {"units": list(self.units)} if self.units else {}
        return described if self.heat is None else {**described, "heat": self.heat}


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Parts of the self weights of a tree; those of a node and an event sum to what the node has.

    Attributes:
        node: (n,) node of the tree.
        weight: (n,) int64.
        facets: what tells the parts apart.
    """

    node: Int64
    weight: Int64
    facets: Sequence[Facet]


def time_facet(
    time_ns: Int64, rows: int = _HEAT_ROWS, column_ns: int = 0, begin_ns: int | None = None
) -> Facet:
    """Cut time into cells, column by column.

    Args:
        time_ns: (n,) nanoseconds.
        rows: cells in a column.
        column_ns: how long a column lasts; 0 for a second, or more or less where they would be many or few.
        begin_ns: when columns begin to be counted, which is not after any sample; None for the first sample.
    """
    first = int(time_ns.min(initial=2**62)) if len(time_ns) else 0
    column = column_ns or _column_ns(int(time_ns.max(initial=first)) - first + 1)
    before = 0 if begin_ns is None else (first - begin_ns) // column
    first = first if begin_ns is None else begin_ns + before * column
    lasts = int(time_ns.max(initial=first)) - first + 1
    at, within = np.divmod(np.asarray(time_ns, np.int64) - first, column)
    heat = {"rows": rows, "columns": -(-lasts // column), "seconds": column / _SECOND}
    heat |= {"before": before} if before else {}
    # Not by the length of a cell, whose rounding would add up from column to column.
    return Facet("time", (), at * rows + within * rows // column, heat)


def _column_ns(lasts: int) -> int:
    for column in (_SECOND // 10, _SECOND // 2, _SECOND):
        if lasts <= 30 * column:
            return column
    column = _SECOND
    for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600):
        column = step * _SECOND
        if lasts <= _MOST_COLUMNS * column:
            return column
    return column * -(-lasts // (_MOST_COLUMNS * column))


def grouped(node: Int64, weight: Int64, facets: Sequence[Facet]) -> Samples:
    """Sum the samples that no facet tells apart; those of no node (-1) are left out."""
    real = np.flatnonzero(node >= 0)
    key = node[real]
    for facet in facets:
        # Made dense at every step, as the product of all ranges would not fit into 64 bits.
        wide = int(facet.value.max(initial=0)) + 1
        _, key = np.unique(key * wide + facet.value[real], return_inverse=True)
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    sums = np.zeros(len(first), np.int64)
    np.add.at(sums, group, weight[real])
    at = real[first]
    return Samples(node[at], sums, [replace(f, value=f.value[at]) for f in facets])
