"""Exporter of speedscope's JSON.

Source: https://www.speedscope.app/file-format-schema.json. A profile of the file is one event of one thread,
as that is what its picker chooses from; the heaviest comes first. The format knows one weight a sample; how
many samples that were, and what else it has no place for, stands beside it in the member `kprof`, which other
readers pass over.
"""

import json
from typing import Any

from kprof.exporters.beside import beside, thread_title, threads
from kprof.model import Profile
from kprof.model.labels import frame_labels, split_source
from kprof.model.tables import Int64

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_UNITS = {"ns": "nanoseconds", "bytes": "bytes"}


def render(profile: Profile, name: str = "") -> bytes:
    """Return a profile, all its events included.

    Args:
        profile: The profile.
        name: What the file is called in the viewer.
    """
    groups = threads(profile)
    document = {
        "$schema": SCHEMA,
        "exporter": "kprof",
        "name": name or profile.meta.facts.get("command", "profile"),
        "activeProfileIndex": 0,
        "shared": {"frames": _frames(profile)},
        "profiles": [_profile(profile, rows) for rows in groups],
        "kprof": beside(profile, groups),
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def _frames(profile: Profile) -> list[dict[str, Any]]:
    found = []
    frames = profile.frames
    sources = frames.source or [""] * len(frames)
    for label, source in zip(frame_labels(frames, profile.mappings), sources, strict=True):
        entry: dict[str, Any] = {"name": label}
        file, line = split_source(source)
        if file:
            entry["file"] = file
        if line:
            entry["line"] = line
        found.append(entry)
    return found


def _profile(profile: Profile, rows: Int64) -> dict[str, Any]:
    event = profile.meta.events[int(profile.samples.event[rows[0]])]
    weights = profile.samples.weight[rows].tolist()
    return {
        "type": "sampled",
        "name": thread_title(profile, int(rows[0])),
        "unit": _UNITS.get(event.unit, "none"),
        "startValue": 0,
        "endValue": sum(weights),
        "samples": _paths(profile, rows),
        "weights": weights,
    }


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
