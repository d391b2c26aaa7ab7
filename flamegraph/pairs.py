"""Two trees made comparable: side by side with the same labels, or as one differential tree."""

from dataclasses import replace

import numpy as np

from flamegraph.tree import Int32, Labels, Tree, build_tree


def align(first: Tree, second: Tree) -> tuple[Tree, Tree]:
    """Return both trees with the same `Labels`, as a page that draws them beside each other needs them."""
    labels, of_first, of_second = _joined_labels(first.labels, second.labels)
    # The root's label comes last.
    whole = labels.with_root(first.labels.name[-1])
    return (
        replace(first, label=of_first[first.label], labels=whole),
        replace(second, label=of_second[second.label], labels=whole),
    )


def differential(before: Tree, after: Tree) -> Tree:
    """Return the tree of all stacks of both: widths are those of `after`, `other_weight` those of `before`.

    Frames that only `before` had are in it too, with no width of their own.

    Raises:
        OverflowError: the weights of one of them sum to more than int64 holds.
    """
    labels, of_before, of_after = _joined_labels(before.labels, after.labels)
    count = len(after) - 1
    # Without the roots, which are made anew; a child of a root has no parent in a stack table.
    parent = np.concatenate((after.parent[1:] - 1, _below(before.parent[1:] - 1, count)))
    label = np.concatenate((of_after[after.label[1:]], of_before[before.label[1:]]))
    nothing = (np.zeros(len(before) - 1, np.int64), np.zeros(count, np.int64))
    return build_tree(
        parent.astype(np.int32),
        label,
        np.concatenate((after.self_weight[1:], nothing[0])),
        labels,
        after.labels.name[-1],
        other=np.concatenate((nothing[1], before.self_weight[1:])),
    )


def _below(parent: Int32, offset: int) -> Int32:
    return np.where(parent >= 0, parent + np.int32(offset), parent)


def _joined_labels(first: Labels, second: Labels) -> tuple[Labels, Int32, Int32]:
    """Return the labels of both but the roots', and where each label of each is among them."""
    ids: dict[tuple[str, str, str, str], int] = {}
    places = []
    for labels in (first, second):
        source = labels.source or [""] * len(labels.name)
        rows = list(zip(labels.name, labels.kind, labels.module, source, strict=True))[:-1]
        places.append([ids.setdefault(row, len(ids)) for row in rows])
    columns: list[list[str]] = [list(column) for column in zip(*ids, strict=True)] or [[], [], [], []]
    joined = Labels(columns[0], columns[1], columns[2], columns[3] if any(columns[3]) else ())
    of_first, of_second = (np.array([*place, len(ids)], np.int32) for place in places)
    return joined, of_first, of_second
