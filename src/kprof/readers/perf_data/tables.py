"""What the native reader gives, as a Profile."""

from typing import Any

import numpy as np

from kprof._native._perf import PerfReader
from kprof.model import Frames, Kind, Mappings, Meta, Profile, Quality, Samples, Stacks
from kprof.model.events import event_of
from kprof.model.labels import UNKNOWN
from kprof.model.tree import path_any
from kprof.readers.options import ReadOptions
from kprof.readers.perf_data.features import Features

_TRUNCATED = b"[truncated]"
_KINDS = np.array(
    [Kind.USER, Kind.KERNEL, Kind.MODULE, Kind.VDSO, Kind.JIT, Kind.USER, Kind.UNKNOWN, Kind.UNKNOWN],
    np.uint8,
)
_KERNEL_MODE = 1
_TRACE = "there is one (of Intel PT, Arm SPE, CoreSight or the like), which is not decoded"


def profile_of(
    reader: PerfReader, features: Features, names: dict[int, str], options: ReadOptions, *, cut: bool
) -> Profile:
    """Return the profile of all that was read.

    Args:
        reader: At its end.
        features: What the recording says of itself.
        names: Names of events by number.
        options: What the reader was asked for.
        cut: Whether the file ends before it should.
    """
    tables, counts = reader.tables(), reader.counts()
    rows = tables["rows"]
    types = reader.event_types()
    events = tuple(event_of(names.get(i) or features.name_of(*types[i])) for i in range(len(types)))
    cut_rows = _cut(tables)
    facts = {**features.facts, **({"hardware trace": _TRACE} if counts["aux"] else {})}
    return Profile(
        _mappings(tables, features),
        _frames(tables),
        Stacks(tables["parent"], tables["leaf"]),
        _samples(rows, every_sample=options.every_sample),
        [_text(comm) for comm in tables["comms"]],
        Meta(events or (event_of("samples"),), _quality(counts, cut_rows, cut=cut), facts),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _mappings(tables: dict[str, Any], features: Features) -> Mappings:
    paths = [_text(path) for path in tables["paths"]]
    own = [build_id for _, _, build_id in tables["mappings"]]
    build_ids = [b or features.build_ids.get(path, "") for b, path in zip(own, paths, strict=True)]
    return Mappings(paths, build_ids, [pid for _, pid, _ in tables["mappings"]])


def _frames(tables: dict[str, Any]) -> Frames:
    places = tables["places"]
    names = [_text(name) for name in tables["names"]]
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


def _samples(rows: np.ndarray, *, every_sample: bool) -> Samples:
    columns = {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names or ()}
    alone = ("cpu", "time") if every_sample else ()
    optional = {n: columns[n] for n in ("pid", "tid", *alone) if np.any(columns[n] != -1)}
    return Samples(
        columns["stack"],
        columns["event"],
        columns["weight"],
        columns["count"],
        optional.get("pid"),
        optional.get("tid"),
        columns["comm"],
        optional.get("cpu"),
        optional.get("time"),
    )


def _cut(tables: dict[str, Any]) -> int:
    """Count the samples whose stack is marked as cut at its root."""
    if _TRUNCATED not in tables["names"]:
        return 0
    marks = tables["places"]["name"] == tables["names"].index(_TRUNCATED)
    cut = path_any(tables["parent"], marks[tables["leaf"]])
    present = tables["rows"]["stack"] >= 0
    rows = tables["rows"][present]
    return int(rows["count"][cut[rows["stack"]]].sum())


def _quality(counts: dict[str, int], truncated: int, *, cut: bool) -> Quality:
    # Counted twice: as gaps in the ring buffers, and (since Linux 6.1) by the events when they end.
    lost = max(counts["lost"], counts["lost_samples"])
    unread = counts["unknown_events"] + counts["unreadable_samples"]
    return Quality(
        read=counts["samples"],
        lost={"recorder": lost} if lost else {},
        without_stack=counts["without_stack"],
        truncated=truncated,
        skipped_lines=unread + counts["bad_records"] + (1 if cut or counts["cut_off"] else 0),
        filtered={"recorder's filter": counts["filtered"]} if counts["filtered"] else {},
    )
