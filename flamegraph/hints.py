"""What keeps a flame graph from saying more, and what mends it."""

import numpy as np

from flamegraph.tree import Tree

_LEAST_SHARE = 0.005
_MOST = 5


def unknown_by_module(tree: Tree) -> list[str]:
    """Return a sentence a module whose functions have no names, heaviest first; small ones are left out."""
    labels = tree.labels
    total = int(tree.total[0])
    if not total:
        return []
    own = np.zeros(len(labels.name), np.int64)
    np.add.at(own, tree.label, tree.self_weight)
    by_module: dict[str, int] = {}
    for at, kind in enumerate(labels.kind):
        if kind in {"unknown", ""} and own[at] and labels.module[at]:
            by_module[labels.module[at]] = by_module.get(labels.module[at], 0) + int(own[at])
    heaviest = sorted(by_module.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
    return [
        f"{module}: {100 * weight / total:.1f}% without names; "
        "install its debug symbols, or build it with symbols"
        for module, weight in heaviest
        if weight >= _LEAST_SHARE * total
    ]
