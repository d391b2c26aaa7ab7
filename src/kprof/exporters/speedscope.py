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
    groups, paths = threads(profile), _Paths(profile)
    document = {
        "$schema": SCHEMA,
        "exporter": "kprof",
        "name": name or profile.meta.facts.get("command", "profile"),
        "activeProfileIndex": 0,
        "shared": {"frames": _frames(profile)},
        "profiles": [_profile(profile, rows, paths) for rows in groups],
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


class _Paths:
    """Frames of stacks, root first; those of equal stacks are found once, whatever thread asks."""

    def __init__(self, profile: Profile) -> None:
        self._parent, self._frame = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
        self._known: dict[int, list[int]] = {-1: []}

    def of(self, stacks: list[int]) -> list[list[int]]:
        """Return the frames of each stack."""
        for stack in stacks:
            if stack not in self._known:
                path, at = [], stack
                while at >= 0:
                    path.append(self._frame[at])
                    at = self._parent[at]
                self._known[stack] = path[::-1]
        return [self._known[stack] for stack in stacks]


def _profile(profile: Profile, rows: Int64, paths: _Paths) -> dict[str, Any]:
    event = profile.meta.events[int(profile.samples.event[rows[0]])]
    weights = profile.samples.weight[rows].tolist()
    return {
        "type": "sampled",
        "name": thread_title(profile, int(rows[0])),
        "unit": _UNITS.get(event.unit, "none"),
        "startValue": 0,
        "endValue": sum(weights),
        "samples": paths.of(profile.samples.stack[rows].tolist()),
        "weights": weights,
    }
