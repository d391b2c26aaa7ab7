"""Which boxes of a tree can be seen, and where they stand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flamegraph.tree import Int32, Int64, Tree, sum_to_root


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Visible boxes, parents before children.

    Attributes:
        node: (n,) int64; index into the tree, -1 for a filler that stands for boxes too narrow to draw.
        depth: (n,) int32; row, 0 for the root's.
        left: (n,) float64; left edge in pixels.
        width: (n,) float64; width in pixels.
        hidden: (n,) int64; nodes behind a filler, 0 for a box.
    """

    node: Int64
    depth: Int32
    left: NDArray[np.float64]
    width: NDArray[np.float64]
    hidden: Int64


def starts(tree: Tree) -> Int64:
    """Left edge of every node, in weight: children stand side by side, the self weight to their right."""
    before = np.cumsum(tree.self_weight) - tree.self_weight
    above = np.maximum(tree.parent, 0).astype(np.int64)
    # The self weight of the nodes above comes earlier in preorder, yet stands to the right.
    of_ancestors = sum_to_root(np.concatenate(([0], tree.self_weight[above[1:]])), above)
    edges: Int64 = before - of_ancestors
    return edges


def visible_boxes(tree: Tree, width: float, zoom: int = 0, min_width: float = 0.5) -> Boxes:
    """Lay out the subtree of `zoom` over `width` pixels, with its ancestors drawn over the whole width.

    Args:
        tree: the tree.
        width: pixels there are.
        zoom: the node that fills the width.
        min_width: a box narrower than that many pixels is not drawn; runs of them become a filler.
    """
    if int(tree.total[zoom]) == 0:
        return _boxes(np.array([zoom]), tree.depth[[zoom]], np.zeros(1), np.full(1, float(width)))
    scale = width / float(tree.total[zoom])
    inside = np.arange(zoom, zoom + int(tree.size[zoom]))
    wide = tree.total[inside] * scale >= min_width
    shown = inside[wide]
    start = starts(tree)
    ancestors = np.array([0, *tree.path(zoom)], np.int64)[:-1] if zoom else np.empty(0, np.int64)
    boxes = _boxes(
        np.concatenate((ancestors, shown)),
        np.concatenate((tree.depth[ancestors], tree.depth[shown])),
        np.concatenate((np.zeros(len(ancestors)), (start[shown] - start[zoom]) * scale)),
        np.concatenate((np.full(len(ancestors), float(width)), tree.total[shown] * scale)),
    )
    narrow = inside[~wide]
    narrow = narrow[tree.total[tree.parent[narrow]] * scale >= min_width]
    return _joined(boxes, _fillers(tree, narrow, start), start[zoom], scale, min_width)


def _boxes(
    node: Int64,
    depth: Int32,
    left: NDArray[np.float64],
    width: NDArray[np.float64],
    hidden: Int64 | None = None,
) -> Boxes:
    return Boxes(node, depth, left, width, np.zeros(len(node), np.int64) if hidden is None else hidden)


def _fillers(tree: Tree, narrow: Int64, start: Int64) -> tuple[Int32, Int64, Int64, Int64]:
    """Merge runs of narrow neighbours in one row: (depth, start, total, hidden nodes) of each run."""
    ordered = narrow[np.lexsort((start[narrow], tree.depth[narrow]))]
    depth, begin, total = tree.depth[ordered], start[ordered], tree.total[ordered]
    joins = (depth[1:] == depth[:-1]) & (begin[1:] == begin[:-1] + total[:-1])
    first = np.flatnonzero(np.concatenate(([True], ~joins))[: len(ordered)])
    if len(first) == 0:
        return depth, begin, total, total
    hidden = tree.size[ordered].astype(np.int64)
    return depth[first], begin[first], np.add.reduceat(total, first), np.add.reduceat(hidden, first)


def _joined(
    boxes: Boxes,
    fillers: tuple[Int32, Int64, Int64, Int64],
    origin: np.int64,
    scale: float,
    min_width: float,
) -> Boxes:
    depth, begin, total, hidden = fillers
    kept = total * scale >= min_width
    count = int(kept.sum())
    return Boxes(
        np.concatenate((boxes.node, np.full(count, -1, np.int64))),
        np.concatenate((boxes.depth, depth[kept])),
        np.concatenate((boxes.left, (begin[kept] - origin) * scale)),
        np.concatenate((boxes.width, total[kept] * scale)),
        np.concatenate((boxes.hidden, hidden[kept])),
    )
