"""The tree of a flame graph: columns in preorder, equal paths merged, no recursion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Labels:
    """What a box is called. All columns are parallel; a label id is an index into them.

    Attributes:
        name: the function, never cut.
        kind: "user", "kernel", "module", "vdso", "jit", "python", "js", "java", "inlined", "unknown" or
            "process"; "" means unknown.
        module: the file or library the function lives in, "" if none.
        source: "file:line" or "", or an empty sequence where no label has one.
    """

    name: Sequence[str]
    kind: Sequence[str]
    module: Sequence[str]
    source: Sequence[str] = ()

    def __post_init__(self) -> None:
        count = len(self.name)
        if len(self.kind) != count or len(self.module) != count or len(self.source) not in (0, count):
            raise ValueError("the columns of Labels must be equally long")

    def with_root(self, name: str) -> "Labels":
        """Return the labels with one more, for the root box, at the end."""
        source = [*self.source, ""] if self.source else ()
        return Labels([*self.name, name], [*self.kind, "process"], [*self.module, ""], source)


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A tree in preorder; node 0 is the root and holds every weight.

    The subtree of node i is the slice i to i + size[i], so that a reader can skip it in one step.

    Attributes:
        depth: int32; 0 for the root.
        label: int32; index into labels.
        self_weight: int64; weight of the stacks that end at the node.
        total: int64; self_weight summed over the subtree.
        size: int32; nodes in the subtree, the node itself included.
        parent: int32; index of the node above, -1 for the root.
        labels: the names; the last one is the root's.
        other_weight: int64 or None; like self_weight, of the profile that this one is compared with. A node
            may have no weight of its own here, but some there.
    """

    depth: Int32
    label: Int32
    self_weight: Int64
    total: Int64
    size: Int32
    parent: Int32
    labels: Labels
    other_weight: Int64 | None = None

    def __len__(self) -> int:
        return len(self.depth)

    def path(self, node: int) -> list[int]:
        """Return the nodes from the root's child down to `node`; empty for the root."""
        nodes: list[int] = []
        while node > 0:
            nodes.append(node)
            node = int(self.parent[node])
        return nodes[::-1]


def build_tree(
    parent: Int32,
    label: Int32,
    weight: Int64,
    labels: Labels,
    root_name: str = "all",
    *,
    other: Int64 | None = None,
) -> Tree:
    """Build the tree of stacks that are given as nodes of a stack table.

    Args:
        parent: (n,) the node one frame nearer to the root, smaller than the own index; -1 at a root.
        label: (n,) index into labels.
        weight: (n,) weight of the stacks that end at the node; zero or more.
        labels: names of the labels.
        root_name: name of the synthetic root box.
        other: (n,) weight of the same stacks in a profile to compare with.

    Returns:
        A tree without zero-weight subtrees. Nodes with equal paths are one node; siblings are in name order.

    Raises:
        OverflowError: the weights sum to more than int64 holds.
        ValueError: the columns do not describe stacks.
    """
    return build_tree_with_places(parent, label, weight, labels, root_name, other=other)[0]


def build_tree_with_places(
    parent: Int32,
    label: Int32,
    weight: Int64,
    labels: Labels,
    root_name: str = "all",
    *,
    other: Int64 | None = None,
) -> tuple[Tree, Int64]:
    """Like `build_tree`; also return (n,) the node of the tree for each node of the table, -1 if left out."""
    _check(parent, label, weight, len(labels.name))
    owns = [np.asarray(weight, np.int64)]
    if other is not None:
        _check(parent, label, other, len(labels.name))
        owns.append(np.asarray(other, np.int64))
    # Shifted by one, the root is node 0 and its own parent: pointer doubling then needs no special case.
    above = np.concatenate(([0], np.asarray(parent, np.int64) + 1))
    mark = np.concatenate(([len(labels.name)], np.asarray(label, np.int64)))
    own = np.array([np.concatenate(([0], column)) for column in owns])
    above, mark, own, merged = _merge_equal_paths(above, mark, own)
    position, size = _preorder(above, _name_rank(labels.name)[mark])
    order = np.empty(len(position), np.int64)
    order[position] = np.arange(len(position))
    tree, kept = _without_empty(
        depth=sum_to_root(np.ones(len(above), np.int64), above)[order],
        label=mark[order],
        own=own[:, order],
        size=size[order],
        parent=position[above[order]],
        labels=labels.with_root(root_name),
    )
    return tree, kept[position[merged]][1:]


def sum_to_root(values: Int64, above: Int64) -> Int64:
    """Sum `values` along each node's path, the root's own value left out.

    Pointer doubling: as many rounds as the depth has bits, whatever the shape of the tree.

    Args:
        values: (n,) one value a node.
        above: (n,) parent of each node; node 0 is the root and its own parent.
    """
    sums = values.copy()
    sums[0] = 0
    far = above
    while far.any():
        sums = sums + sums[far]
        far = far[far]
    return sums


def _check(parent: Int32, label: Int32, weight: Int64, label_count: int) -> None:
    count = len(parent)
    if len(label) != count or len(weight) != count:
        raise ValueError("parent, label and weight must be equally long")
    if any(np.asarray(column).dtype.kind not in "iu" for column in (parent, label, weight) if count):
        raise ValueError("parent, label and weight must be integers")
    if count == 0:
        return
    if np.any(np.asarray(parent) >= np.arange(count)) or np.min(parent) < -1:
        raise ValueError("a parent must be -1 or smaller than the index of its child")
    if np.min(label) < 0 or np.max(label) >= label_count:
        raise ValueError("a label is not in labels")
    if np.min(weight) < 0:
        raise ValueError("a weight is negative")
    # Halves of 32 bits cannot wrap while they are summed; their exact sum is a Python int.
    wide = np.asarray(weight).astype(np.uint64)
    total = (int((wide >> np.uint64(32)).sum()) << 32) + int((wide & np.uint64(0xFFFFFFFF)).sum())
    if total > INT64_MAX:
        raise OverflowError(f"the weights sum to {total}, more than int64 holds")


def _name_rank(names: Sequence[str]) -> Int64:
    """Rank of each label by name, then by id; the root's label, which comes last, ranks last."""
    rank = np.empty(len(names) + 1, np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    rank[-1] = len(names)
    return rank


def _merge_equal_paths(above: Int64, mark: Int64, own: Int64) -> tuple[Int64, Int64, Int64, Int64]:
    """Make one node of all nodes whose labels from the root down are the same; last, where each node went."""
    width = int(mark[0]) + 1
    siblings = np.sort(above[1:] * width + mark[1:])
    if not np.any(siblings[1:] == siblings[:-1]):
        return above, mark, own, np.arange(len(above))
    # Prefix doubling: after k rounds, equal ids mean that the nearest 2**k labels are equal. It is exact,
    # where a hash would merge strangers once in a while. The root keeps id 0, being its own ancestor.
    path = (mark + 1) % (width + 1)
    path[0] = 0
    far = above
    while True:
        _, path = np.unique(path[far] * (int(path.max()) + 1) + path, return_inverse=True)
        if not far.any():
            break
        far = far[far]
    _, first = np.unique(path, return_index=True)
    merged = np.zeros((len(own), len(first)), np.int64)
    for sums, column in zip(merged, own, strict=True):
        np.add.at(sums, path, column)
    return path[above[first]], mark[first], merged, path


def _preorder(above: Int64, rank: Int64) -> tuple[Int64, Int64]:
    """Return each node's place in preorder (siblings by rank), and the size of its subtree."""
    size = _subtree_sizes(above)
    children = 1 + np.argsort(above[1:] * (int(rank[0]) + 1) + rank[1:])
    parents = above[children]
    # A child stands behind its parent and behind the subtrees of the siblings before it.
    before = np.cumsum(size[children]) - size[children]
    starts = np.flatnonzero(np.concatenate(([True], parents[1:] != parents[:-1]))[: len(children)])
    run_length = np.diff(np.concatenate((starts, [len(children)])))
    step = np.zeros(len(above), np.int64)
    step[children] = 1 + before - np.repeat(before[starts], run_length)
    return sum_to_root(step, above), size


def _subtree_sizes(above: Int64) -> Int64:
    size = np.ones(len(above), np.int64)
    nodes = np.flatnonzero(above)
    far = above
    while len(nodes):
        # size[i] counts the descendants nearer than 2**k; those of the 2**k-th descendants come on top.
        size = size + np.bincount(far[nodes], weights=size[nodes], minlength=len(above)).astype(np.int64)
        far = far[far]
        nodes = nodes[far[nodes] != 0]
    size[0] = len(above)
    return size


def _without_empty(
    *, depth: Int64, label: Int64, own: Int64, size: Int64, parent: Int64, labels: Labels
) -> tuple[Tree, Int64]:
    """Drop the subtrees whose total is zero and narrow the columns; also return each node's new place."""
    end = np.arange(len(size)) + size
    totals = np.array([slice_sums(column, end) for column in own])
    keep: NDArray[np.bool_] = np.any(totals > 0, axis=0)
    keep[0] = True
    kept_before = np.concatenate(([0], np.cumsum(keep)))
    parents = kept_before[parent[keep]]
    parents[0] = -1
    tree = Tree(
        depth=depth[keep].astype(np.int32),
        label=label[keep].astype(np.int32),
        self_weight=own[0][keep],
        total=totals[0][keep],
        size=(kept_before[end] - kept_before[:-1])[keep].astype(np.int32),
        parent=parents.astype(np.int32),
        labels=labels,
        other_weight=own[1][keep] if len(own) > 1 else None,
    )
    return tree, np.where(keep, kept_before[:-1], -1)


def slice_sums(column: Int64, end: Int64) -> Int64:
    """Sum of column[i:end[i]] for every i."""
    summed = np.concatenate(([0], np.cumsum(column)))
    sums: Int64 = summed[end] - summed[:-1]
    return sums
