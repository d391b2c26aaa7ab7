"""Which stacks hold which: the tree of stacks as intervals that are nested or apart."""

import numpy as np
import numpy.typing as npt

from kprof.model.tables import Int32, Int64
from kprof.model.tree import path_sum, subtree_sum


def intervals(parent: Int32) -> tuple[Int64, Int64]:
    """Number the stacks so that each is followed by all that grow out of it.

    Args:
        parent: Parents, shape (n,).

    Returns:
        Own number and the number behind the last descendant's, shape (n,) each: stack `a` lies within
        stack `b` exactly if `start[b] <= start[a] < end[b]`.
    """
    size = subtree_sum(parent, np.ones(len(parent), np.int64))
    # Children of one parent come one after the other; each begins behind the subtrees before it.
    order = np.argsort(parent, kind="stable")
    before = np.cumsum(size[order]) - size[order]
    sorted_parent = parent[order]
    first = np.flatnonzero(np.diff(sorted_parent, prepend=np.int32(-2)))
    run = np.repeat(before[first], np.diff(np.append(first, len(order))))
    offset = np.empty(len(parent), np.int64)
    offset[order] = before - run
    start = path_sum(parent, offset + 1) - 1
    return start, start + size


def outermost(start: Int64, end: Int64, key: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Say of every stack whether no other with the same key holds it.

    What recursion puts within itself is counted once by adding up outermost stacks alone.

    Args:
        start: As of `intervals`, any choice of stacks, shape (n,).
        end: As of `intervals`, of the same stacks, shape (n,).
        key: What the stacks are told apart by, 0 or more, shape (n,).
    """
    found = np.zeros(len(key), np.bool_)
    if not len(key):
        return found
    order = np.lexsort((start, key))
    # Intervals are nested or apart: one lies within an earlier one if it begins before the furthest end so
    # far. Keys are put apart by more than any end, so that the furthest end never reaches over to the next.
    shift = key[order].astype(np.int64) * (int(end.max()) + 1)
    begins, reach = start[order] + shift, np.maximum.accumulate(end[order] + shift)
    found[order] = np.append(True, begins[1:] >= reach[:-1])
    return found
