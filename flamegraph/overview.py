"""The heavy part of a tree: what a page draws while it still reads the rest."""

from dataclasses import replace

import numpy as np

from flamegraph.tree import Labels, Tree

GAP = "gap"
_PARTS = 4000


def overview(tree: Tree, parts: int = _PARTS) -> Tree:
    """Keep the nodes that hold at least one of so many parts of everything.

    Runs of siblings that are left out become one leaf of the last label, whose kind is GAP, so that what is
    kept stands where it stands in the whole tree.
    """
    light = tree.total * parts < tree.total[0]
    above = np.maximum(tree.parent, 0)
    # The outermost nodes left out; a run of them ends where the next one is no neighbour.
    cut = np.flatnonzero(light & ~light[above])
    ends = cut + tree.size[cut]
    begins = np.concatenate(([True], (cut[1:] != ends[:-1]) | (above[cut[1:]] != above[cut[:-1]])))[
        : len(cut)
    ]
    own = np.where(light, 0, tree.self_weight)
    run = np.cumsum(begins) - 1
    sums = np.zeros(int(begins.sum()), np.int64)
    np.add.at(sums, run, tree.total[cut])
    own[cut[begins]] = sums
    keep = ~light
    keep[cut[begins]] = True
    label = np.where(light, len(tree.labels.name), tree.label)
    before = np.concatenate(([0], np.cumsum(keep)))
    end = np.arange(len(tree)) + tree.size
    total = tree.total.copy()
    total[cut[begins]] = sums
    parent = before[above[keep]]
    parent[0] = -1
    size = np.where(light, 1, before[end] - before[:-1])
    return Tree(
        depth=tree.depth[keep],
        label=label[keep].astype(np.int32),
        self_weight=own[keep],
        total=total[keep],
        size=size[keep].astype(np.int32),
        parent=parent.astype(np.int32),
        labels=_with_gap(tree.labels),
    )


def _with_gap(labels: Labels) -> Labels:
    wider = labels.with_root("…")
    return replace(wider, kind=[*labels.kind, GAP])
