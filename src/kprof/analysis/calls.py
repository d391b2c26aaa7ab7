"""Who calls whom: the tree of calls, and the neighbours of one function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprof.analysis.groups import Groups, functions
from kprof.analysis.nesting import intervals, outermost
from kprof.analysis.table import Column, Table
from kprof.analysis.top import check_sum, own_weights, sum_by, table
from kprof.errors import UsageError
from kprof.model import Profile
from kprof.model.tables import Int32, Int64
from kprof.model.tree import merged_paths, subtree_sum

ROOT = "[root]"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class CallTree:
    """A tree of functions, equal paths merged.

    Attributes:
        parent: Row of the caller, -1 for a root; always below the own row, shape (n,). int32.
        table: `function`, `module`, `self`, `total` and the rest, one row a node.
    """

    parent: Int32
    table: Table


def call_tree(profile: Profile) -> CallTree:
    """Return the tree of calls of a profile of one event.

    Raises:
        FormatError: The weights do not add up within int64.
    """
    check_sum(profile)
    found = functions(profile)
    parent, key, node = merged_paths(profile.stacks.parent, found.of[profile.stacks.frame])
    own, seen = (sum_by(node, values, len(parent)) for values in own_weights(profile))
    columns = {name: column[key] for name, column in found.columns.items()}
    sums = {"self": own, "total": subtree_sum(parent, own)}
    return CallTree(parent, table(profile, columns, sums, subtree_sum(parent, seen)))


def outline(tree: CallTree, least: float = 0.0, deepest: int = 0) -> Table:
    """Return the tree as rows in reading order: a node, then what it calls, heaviest first.

    Args:
        tree: The tree.
        least: Leave out nodes whose share of the total is less than this, from 0 to 1.
        deepest: How many frames deep to go, 0 for all.

    Returns:
        The columns of the tree's table behind `depth`, which is 0 for a root.
    """
    total, share = tree.table.columns["total"], tree.table.columns["total_share"]
    names = tree.table.columns["function"].tolist()
    parent = tree.parent.tolist()
    children: dict[int, list[int]] = {}
    # Lightest first, so that the stack below gives the heaviest first.
    for row in sorted(np.flatnonzero(share >= least).tolist(), key=lambda i: (int(total[i]), names[i])):
        children.setdefault(parent[row], []).append(row)
    rows, depth = [], []
    waiting = [(row, 0) for row in children.get(-1, ())]
    while waiting:
        row, level = waiting.pop()
        rows.append(row)
        depth.append(level)
        if not deepest or level + 1 < deepest:
            waiting += [(child, level + 1) for child in children.get(row, ())]
    shown = tree.table.take(np.array(rows, np.int64))
    columns = {"depth": np.array(depth, np.int64), **shown.columns}
    return Table(columns, shown.unit, shown.total)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """One function among those that call it and that it calls.

    Attributes:
        function: Its own row.
        callers: Who calls it, with the part of its total that each brings: these add up to its total.
        callees: Whom it calls, with the weight of the samples in which it does. Recursion can make these
            overlap.
    """

    function: Table
    callers: Table
    callees: Table


def neighbours(profile: Profile, name: str) -> Neighbours:
    """Return callers and callees of a function.

    Args:
        profile: Of one event.
        name: Its name, or a part of the name if no other function has it.

    Raises:
        UsageError: No function is called so, or several are.
        FormatError: The weights do not add up within int64.
    """
    check_sum(profile)
    found = functions(profile)
    wanted = np.isin(found.of, _named(found, name))[profile.stacks.frame]
    start, end = intervals(profile.stacks.parent)
    rows = np.flatnonzero(wanted)
    outer = rows[outermost(start[rows], end[rows], np.zeros(len(rows), np.int64))]
    called = np.flatnonzero(np.append(wanted, False)[profile.stacks.parent])
    key = found.of[profile.stacks.frame]
    first = called[outermost(start[called], end[called], key[called])]
    above = np.append(key, len(found.columns["function"]))[profile.stacks.parent]
    one = np.zeros(len(profile.stacks), np.int64) + _named(found, name)[0]
    return Neighbours(
        _sums(profile, found, one, outer, rows),
        _sums(profile, found, above, outer),
        _sums(profile, found, key, first),
    )


def _named(found: Groups, name: str) -> Int64:
    """Return the groups of the function that a name means; several files may have one of this name."""
    names: Column = found.columns["function"]
    if len(exact := np.flatnonzero(names == name)):
        return exact.astype(np.int64)
    parts = np.array([i for i, text in enumerate(names.tolist()) if name in text], np.int64)
    distinct = sorted(set(names[parts].tolist()))
    if len(distinct) == 1:
        return parts
    if not distinct:
        raise UsageError(f"no function is called {name}", "look for it with kprof report --filter")
    shown = ", ".join(distinct[:_SHOWN]) + (", …" if len(distinct) > _SHOWN else "")
    raise UsageError(f"{len(distinct)} functions have {name} in their name: {shown}", "give one in full")


def _sums(
    profile: Profile, found: Groups, group: Int64, nodes: npt.NDArray[np.int64], leaves: Int64 | None = None
) -> Table:
    """Add up what grows out of the chosen stacks, by group; `leaves` gives a self weight, too."""
    own, seen = own_weights(profile)
    parent = profile.stacks.parent
    columns = {name: np.append(column, "") for name, column in found.columns.items()}
    columns["function"][-1] = ROOT
    size = len(columns["function"])
    total = sum_by(group[nodes], subtree_sum(parent, own)[nodes], size)
    counts = sum_by(group[nodes], subtree_sum(parent, seen)[nodes], size)
    sums = {"total": total}
    if leaves is not None:
        sums = {"self": sum_by(group[leaves], own[leaves], size), "total": total}
    made = table(profile, columns, sums, counts)
    return made.take(np.flatnonzero(total | counts)).sort(["total", "function"])
