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
from flamegraph.tree import Tree

_ZLIB_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Payload:
    """What the page decodes.

    Attributes:
        meta: JSON-able: `nodes`, `columns` (bytes of each column), `total` (a string, as JavaScript numbers
            are exact to 2**53 only), `maxDepth`.
        columns: base64 of zlib of three varint columns in preorder: how far the depth falls short of one
            more than the node before, label id, self weight.
        labels: base64 of zlib of JSON: `name`, `source`, `modules` and `module` (index into modules), and
            `schemes`, colour classes by scheme name. Label ids are renumbered, most frequent first.
    """

    meta: dict[str, Any]
    columns: str
    labels: str


def encode(tree: Tree) -> Payload:
    """Encode a tree."""
    used, counts = np.unique(tree.label, return_counts=True)
    by_count = used[np.argsort(-counts, kind="stable")]
    new_id = np.zeros(len(tree.labels.name), np.int64)
    new_id[by_count] = np.arange(len(by_count))
    fall = np.zeros(len(tree), np.int64)
    fall[1:] = tree.depth[:-1] + 1 - tree.depth[1:]
    columns = [varints(column) for column in (fall, new_id[tree.label], tree.self_weight)]
    meta = {
        "nodes": len(tree),
        "columns": [len(column) for column in columns],
        "total": str(int(tree.total[0])),
        "maxDepth": int(tree.depth.max()),
    }
    return Payload(meta, pack(b"".join(column.tobytes() for column in columns)), _labels(tree, by_count))


def _labels(tree: Tree, order: NDArray[np.int32]) -> str:
    labels = tree.labels
    importance = np.zeros(len(labels.name), np.int64)
    np.add.at(importance, tree.label, tree.self_weight)
    # A kind that is only passed through, such as a process, still belongs in the legend.
    seen = np.bincount(tree.label[1:], minlength=len(labels.name))
    weights = np.where(importance > 0, importance, np.minimum(seen, 1)).tolist()
    modules = sorted({labels.module[at] for at in order})
    index = {module: at for at, module in enumerate(modules)}
    content = {
        "name": [labels.name[at] for at in order],
        "source": [labels.source[at] for at in order] if any(labels.source) else [],
        "modules": modules,
        "module": [index[labels.module[at]] for at in order],
        "schemes": {color: _scheme(tree, color, weights, order) for color in ("kind", "module")},
    }
    return pack(json.dumps(content, separators=(",", ":")).encode("ascii"))


def _scheme(tree: Tree, color: str, weights: Sequence[int], order: NDArray[np.int32]) -> dict[str, Any]:
    scheme = colors.scheme(tree.labels, color, weights)
    return {
        "of": [scheme.of_label[at] for at in order],
        "light": scheme.light,
        "dark": scheme.dark,
        "legend": scheme.legend,
    }


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
