"""A tree as compact text for the page: varint columns, zlib, base64."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flamegraph import colors
from flamegraph.overview import GAP
from flamegraph.samples import Samples
from flamegraph.tree import Labels, Tree

_ZLIB_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Payload:
    """What the page decodes.

    Attributes:
        meta: JSON-able: `nodes`, `columns` (bytes of each column), `total` (a string, as JavaScript numbers
            are exact to 2**53 only), `maxDepth`, and `other`, the total of the fourth column if there is one.
        columns: base64 of zlib of varint columns in preorder: how far the depth falls short of one more than
            the node before, label id, self weight, and maybe the self weight in the profile to compare with.
        labels: base64 of zlib of JSON: `name`, `source`, `modules` and `module` (index into modules), and
            `schemes`, colour classes by scheme name. Label ids are renumbered, most frequent first.
    """

    meta: dict[str, Any]
    columns: str
    labels: str


def encode(*trees: Tree) -> list[Payload]:
    """Encode trees that have their labels in common; those of the first are the labels of all.

    Args:
        trees: of one `Labels` object each, equal in content.

    Raises:
        ValueError: the labels differ.
    """
    if any(tree.labels.name != trees[0].labels.name for tree in trees):
        raise ValueError("trees side by side must have the same labels")
    used, counts = np.unique(np.concatenate([tree.label for tree in trees]), return_counts=True)
    by_count = used[np.argsort(-counts, kind="stable")]
    new_id = np.zeros(len(trees[0].labels.name), np.int64)
    new_id[by_count] = np.arange(len(by_count))
    labels = _labels(trees, by_count, int(new_id[-1]) if _has_gap(trees[0]) else -1)
    return [_payload(tree, new_id, labels) for tree in trees]


def _has_gap(tree: Tree) -> bool:
    return tree.labels.kind[-1] == GAP


def _payload(tree: Tree, new_id: NDArray[np.int64], labels: str) -> Payload:
    fall = np.zeros(len(tree), np.int64)
    fall[1:] = tree.depth[:-1] + 1 - tree.depth[1:]
    numbers = [fall, new_id[tree.label], tree.self_weight]
    meta = {
        "nodes": len(tree),
        "total": str(int(tree.total[0])),
        "maxDepth": int(tree.depth.max()),
    }
    if tree.other_weight is not None:
        numbers.append(tree.other_weight)
        meta["other"] = str(sum(tree.other_weight.tolist()))
    columns = [varints(column) for column in numbers]
    meta["columns"] = [len(column) for column in columns]
    return Payload(meta, pack(b"".join(column.tobytes() for column in columns)), labels)


def _labels(trees: Sequence[Tree], order: NDArray[np.int32], gap: int) -> str:
    labels = trees[0].labels
    importance = np.zeros(len(labels.name), np.int64)
    seen = np.zeros(len(labels.name), np.int64)
    for tree in trees:
        np.add.at(importance, tree.label, tree.self_weight)
        seen += np.bincount(tree.label[1:], minlength=len(labels.name))
    # A kind that is only passed through, such as a process, still belongs in the legend.
    weights = np.where(importance > 0, importance, np.minimum(seen, 1)).tolist()
    modules = sorted({labels.module[at] for at in order})
    index = {module: at for at, module in enumerate(modules)}
    content = {
        "name": [labels.name[at] for at in order],
        "source": [labels.source[at] for at in order] if any(labels.source) else [],
        "modules": modules,
        "module": [index[labels.module[at]] for at in order],
        "schemes": {color: _scheme(labels, color, weights, order) for color in colors.COLORS},
        "gap": gap,
    }
    return pack(json.dumps(content, separators=(",", ":")).encode("ascii"))


def _scheme(labels: Labels, color: str, weights: Sequence[int], order: NDArray[np.int32]) -> dict[str, Any]:
    scheme = colors.scheme(labels, color, weights)
    return {
        "of": [scheme.of_label[at] for at in order] if scheme.of_label else [],
        "light": scheme.light,
        "dark": scheme.dark,
        "legend": scheme.legend,
    }


def encode_samples(samples: Samples) -> tuple[dict[str, Any], str]:
    """Encode samples: what the page needs to know of the columns, and the columns, packed."""
    order = np.argsort(samples.node, kind="stable")
    steps = np.diff(samples.node[order], prepend=0)
    numbers = [steps, samples.weight[order], *(facet.value[order] for facet in samples.facets)]
    columns = [varints(column) for column in numbers]
    meta = {
        "rows": len(order),
        "columns": [len(column) for column in columns],
        "total": str(sum(samples.weight.tolist())),
        "facets": [facet.described() for facet in samples.facets],
    }
    return meta, pack(b"".join(column.tobytes() for column in columns))


def pack(data: bytes) -> str:
    """Compress bytes to text that is safe inside a script element."""
    return base64.b64encode(zlib.compress(data, _ZLIB_LEVEL)).decode("ascii")


def unpack(text: str) -> bytes:
    """Undo `pack`."""
    return zlib.decompress(base64.b64decode(text))


def varints(values: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Encode non-negative integers as LEB128: seven bits a byte, low ones first, the top bit says more."""
    rest = values.astype(np.uint64)
    length = np.ones(len(rest), np.int64)
    high = rest >> np.uint64(7)
    while high.any():
        length += high > 0
        high >>= np.uint64(7)
    offset = np.cumsum(length) - length
    out = np.empty(int(length.sum()), np.uint8)
    active = np.arange(len(rest))
    for place in range(int(length.max(initial=0))):
        active = active[length[active] > place]
        more = (length[active] > place + 1).astype(np.uint8) << 7
        out[offset[active] + place] = (rest[active] & np.uint64(127)).astype(np.uint8) | more
        rest[active] >>= np.uint64(7)
    return out


def read_varints(data: bytes) -> list[int]:
    """Decode what `varints` wrote."""
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:  # noqa: PLR2004 - the top bit of a varint byte
            values.append(value)
            value, shift = 0, 0
    return values
