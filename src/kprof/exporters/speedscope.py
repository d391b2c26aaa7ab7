"""Exporter of speedscope's JSON.

Source: https://www.speedscope.app/file-format-schema.json. A profile of the file is one event of one thread,
as that is what its picker chooses from; the heaviest comes first. The format knows one weight a sample; how
many samples that were, and what else it has no place for, stands beside it in the member `kprof`, which other
readers pass over.
"""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from kprof.model import Profile
from kprof.model.labels import frame_labels, unknown_frames
from kprof.model.tables import Int64

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_UNITS = {"ns": "nanoseconds", "bytes": "bytes"}
_KEYS = ("event", "comm", "pid", "tid", "cgroup")
_COLUMNS = ("count", "cpu", "time_ns")


def render(profile: Profile, name: str = "") -> bytes:
    """Return a profile, all its events included.

    Args:
        profile: The profile.
        name: What the file is called in the viewer.
    """
    groups = _groups(profile)
    document = {
        "$schema": SCHEMA,
        "exporter": "kprof",
        "name": name or profile.meta.facts.get("command", "profile"),
        "activeProfileIndex": 0,
        "shared": {"frames": _frames(profile)},
        "profiles": [_profile(profile, rows) for rows in groups],
        "kprof": _beside(profile, groups),
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def _frames(profile: Profile) -> list[dict[str, Any]]:
    found = []
    frames = profile.frames
    sources = frames.source or [""] * len(frames)
    for label, source in zip(frame_labels(frames, profile.mappings), sources, strict=True):
        entry: dict[str, Any] = {"name": label}
        file, colon, line = source.rpartition(":")
        if colon and line.isascii() and line.isdigit():
            entry |= {"file": file, "line": int(line)}
        elif source:
            entry["file"] = source
        found.append(entry)
    return found


def _groups(profile: Profile) -> list[Int64]:
    """Return the rows of each event and thread, the heaviest thread of the first event first."""
    samples = profile.samples
    nothing = np.full(len(samples), -1, np.int64)
    keys = [getattr(samples, name) for name in _KEYS]
    table = np.stack([nothing if key is None else key for key in keys], axis=1)
    distinct, of = np.unique(table, axis=0, return_inverse=True)
    of = of.reshape(-1)
    order = np.argsort(of, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(of[order])) + 1) if len(order) else []
    if samples.time_ns is not None:
        rows = [group[np.argsort(samples.time_ns[group], kind="stable")] for group in rows]
    weights = [int(samples.weight[group].astype(object).sum()) for group in rows]
    ranked = sorted(range(len(rows)), key=lambda i: (int(distinct[i, 0]), -weights[i]))
    return [rows[i] for i in ranked]


def _profile(profile: Profile, rows: Int64) -> dict[str, Any]:
    event = profile.meta.events[int(profile.samples.event[rows[0]])]
    weights = profile.samples.weight[rows].tolist()
    return {
        "type": "sampled",
        "name": _title(profile, int(rows[0]), event.name),
        "unit": _UNITS.get(event.unit, "none"),
        "startValue": 0,
        "endValue": sum(weights),
        "samples": _paths(profile, rows),
        "weights": weights,
    }


def _title(profile: Profile, row: int, event: str) -> str:
    samples, title = profile.samples, event
    comm = -1 if samples.comm is None else int(samples.comm[row])
    who = profile.comms[comm] if comm >= 0 else ""
    ids = [int(column[row]) for column in (samples.pid, samples.tid) if column is not None]
    who = " ".join(part for part in (who, "/".join(map(str, ids))) if part)
    if who:
        title = who if len(profile.meta.events) == 1 else f"{event}: {who}"
    return title


def _paths(profile: Profile, rows: Int64) -> list[list[int]]:
    parent, frame = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
    known: dict[int, list[int]] = {-1: []}
    found = []
    for stack in profile.samples.stack[rows].tolist():
        if stack not in known:
            path, at = [], stack
            while at >= 0:
                path.append(frame[at])
                at = parent[at]
            known[stack] = path[::-1]
        found.append(known[stack])
    return found


def _beside(profile: Profile, groups: list[Int64]) -> dict[str, Any]:
    """Return what the format has no place for."""
    frames, samples, mappings = profile.frames, profile.samples, profile.mappings
    columns = {name: getattr(samples, name) for name in _COLUMNS}
    threads = []
    for rows in groups:
        first = int(rows[0])
        thread: dict[str, Any] = {
            name: int(getattr(samples, name)[first])
            for name in ("event", "pid", "tid")
            if getattr(samples, name) is not None
        }
        for name, texts in (("comm", profile.comms), ("cgroup", profile.cgroups)):
            column = getattr(samples, name)
            if column is not None and column[first] >= 0:
                thread[name] = texts[int(column[first])]
        threads.append(
            thread | {name: column[rows].tolist() for name, column in columns.items() if column is not None}
        )
    return {
        "events": [asdict(event) for event in profile.meta.events],
        "facts": profile.meta.facts,
        "quality": asdict(profile.meta.quality),
        "mappings": {
            "path": list(mappings.path),
            "build_id": list(mappings.build_id or [""] * len(mappings)),
        },
        "frames": {
            "mapping": frames.mapping.tolist(),
            "address": frames.address.tolist(),
            "kind": frames.kind.tolist(),
            "unknown": unknown_frames(frames),
        },
        "profiles": threads,
    }
