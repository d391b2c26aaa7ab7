"""Passes over a tree of stacks, without a loop in Python over its rows. A stack's parent stands before it."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from kprof._native._tree import sum_down, sum_up, sum_up_real
from kprof.model.distinct import distinct
from kprof.model.tables import Int32, Int64

Number = TypeVar("Number", np.int64, np.float64)


def path_sum(parent: Int32, values: npt.NDArray[np.int64]) -> Int64:
    """Sum a value per stack over the path to the root.

    Args:
        parent: Parents, shape (n,).
        values: One value a stack, for its leaf alone, shape (n,).

    Returns:
        Sums, own value included, shape (n,).
    """
    total = np.array(values, np.int64, order="C")
    sum_down(np.ascontiguousarray(parent, np.int32), total)
    return total


def depths(parent: Int32) -> Int64:
    """Return the number of frames of every stack, shape (n,)."""
    return path_sum(parent, np.ones(len(parent), np.int64))


def path_any(parent: Int32, marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say of every stack whether it, or a stack on its path to the root, is marked; shape (n,)."""
    return path_sum(parent, marked.astype(np.int64)) > 0


def subtree_sum(parent: Int32, values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Sum a value per stack over the stack and all that grow out of it, shape (n,).

    Sums of whole numbers are exact if that of all is within int64.
    """
    total = values.copy(order="C")
    sums = sum_up_real if total.dtype.kind == "f" else sum_up
    sums(np.ascontiguousarray(parent, np.int32), total)  # type: ignore[arg-type]
    return total


def merged_paths(parent: Int32, key: Int64) -> tuple[Int32, Int64, Int64]:
    """Merge children of one parent that have the same key.

    Args:
        parent: Parents, shape (n,).
        key: What the leaf of each stack is, 0 or more, shape (n,).

    Returns:
        Parents and keys of the m merged stacks, shape (m,) each, and which of them each stack became, (n,).
    """
    depth = depths(parent)
    order = np.argsort(depth, kind="stable")
    new = np.full(len(parent) + 1, -1, np.int64)  # the last one is what is above a root
    parents, keys, size = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    most = int(key.max(initial=0)) + 1
    for rows in np.split(order, np.flatnonzero(np.diff(depth[order])) + 1):
        pair = (new[parent[rows]] + 1) * most + key[rows]
        found, number = distinct(pair)
        new[rows] = size + number
        parents.append(found // most - 1)
        keys.append(found % most)
        size += len(found)
    return np.concatenate(parents).astype(np.int32), np.concatenate(keys), new[:-1]
