"""What the native reader of perf's records gives, as tables of a Profile: frames have places, not names."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kprof.model import Frames, Kind, Mappings
from kprof.model.labels import UNKNOWN
from kprof.model.tree import path_any

Tables = dict[str, Any]
_TRUNCATED = b"[truncated]"
_KINDS = np.array(
    [Kind.USER, Kind.KERNEL, Kind.MODULE, Kind.VDSO, Kind.JIT, Kind.USER, Kind.UNKNOWN, Kind.UNKNOWN],
    np.uint8,
)
_KERNEL_MODE = 1


def text(data: bytes) -> str:
    """Return text whose bytes need not be UTF-8."""
    return data.decode("utf-8", "surrogateescape")


def mappings_of(tables: Tables, build_ids: Mapping[str, str]) -> Mappings:
    """Return the files; build-ids that they do not tell themselves are given by path."""
    paths = [text(path) for path in tables["paths"]]
    own = [build_id for _, _, build_id in tables["mappings"]]
    all_ids = [b or build_ids.get(path, "") for b, path in zip(own, paths, strict=True)]
    return Mappings(paths, all_ids, [pid for _, pid, _ in tables["mappings"]])


def frames_of(tables: Tables) -> Frames:
    """Return the places, without names but for those that the recording itself gives."""
    places = tables["places"]
    names = [text(name) for name in tables["names"]]
    kinds = np.array([kind for kind, _, _ in tables["mappings"]] + [len(_KINDS) - 1], np.int64)
    kind = _KINDS[kinds[places["mapping"]]]
    named = places["name"] >= 0
    kind[named] = np.where(places["mode"][named] == _KERNEL_MODE, Kind.KERNEL, Kind.USER)
    return Frames(
        [names[i] if i >= 0 else UNKNOWN for i in places["name"].tolist()],
        np.ascontiguousarray(places["mapping"]),
        np.ascontiguousarray(places["address"]),
        kind,
    )


def count_truncated(tables: Tables) -> int:
    """Count the samples whose stack is marked as cut at its root."""
    if _TRUNCATED not in tables["names"]:
        return 0
    marks = tables["places"]["name"] == tables["names"].index(_TRUNCATED)
    # Row -1 is for samples without a stack.
    cut = np.append(path_any(tables["parent"], marks[tables["leaf"]]), np.False_)
    rows = tables["rows"]
    return int(rows["count"][cut[rows["stack"]]].sum())
