"""Exporter of Chrome's trace events, for Perfetto and the DevTools of Chromium.

Source: the Trace Event Format, and `Profile` and `ProfileChunk` events as V8 writes them. That is the one
form of samples that Perfetto's importer of JSON reads; its `cpu_profile_stack_sample` has a row for each.
One profile an event and thread. The form knows no weights: what it has no place for stands beside it, in the
member `kprof`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from kprof.exporters.beside import beside, thread_title, threads
from kprof.model import Profile
from kprof.model.labels import frame_labels, split_source
from kprof.model.tables import Int64

_CATEGORY = "disabled-by-default-v8.cpu_profiler"
_US, _MS = 1000, 1_000_000
_ROOT = 1
# Ids of Linux are below that.
_FIRST_MADE_UP = (1 << 22) + 1


def render(profile: Profile, name: str = "") -> bytes:
    """Return a profile, all its events included.

    Args:
        profile: The profile.
        name: What it is called among the facts of the file.
    """
    groups = threads(profile)
    trees = _Trees(profile)
    taken: set[tuple[int, int]] = set()
    events = [e for number, rows in enumerate(groups) for e in _thread(profile, rows, number, trees, taken)]
    # The first thread of a process is its heaviest: later names would take its place.
    named = {event["pid"]: event for event in reversed(events) if event["name"] == "process_name"}
    events = [event for event in events if event["name"] != "process_name" or event is named[event["pid"]]]
    document = {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"exporter": "kprof", "name": name, **profile.meta.facts},
        "kprof": _beside(profile, groups),
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def _beside(profile: Profile, groups: list[Int64]) -> dict[str, Any]:
    """Return the member: the number of a script is that of a frame, whose source may be no line."""
    found = beside(profile, groups)
    found["frames"]["source"] = list(profile.frames.source or [""] * len(profile.frames))
    return found


class _Trees:
    """Nodes of V8's profiles, each made when it is first asked for."""

    def __init__(self, profile: Profile) -> None:
        frames = profile.frames
        self._parent, self._frame = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
        labels = frame_labels(frames, profile.mappings)
        sources = frames.source or [""] * len(frames)
        self._calls = [
            _call(label, source, profile.mappings.path[m] if m >= 0 else "") | {"scriptId": row}
            for row, (label, source, m) in enumerate(
                zip(labels, sources, frames.mapping.tolist(), strict=True)
            )
        ]

    def nodes(self, stacks: list[int]) -> list[dict[str, Any]]:
        """Return the nodes of some stacks and of all on their paths, parents first, under one root."""
        used: set[int] = set()
        for stack in stacks:
            at = stack
            while at >= 0 and at not in used:
                used.add(at)
                at = self._parent[at]
        found: list[dict[str, Any]] = [{"id": _ROOT, "callFrame": _call("(root)", "", "")}]
        for at in sorted(used):
            call = self._calls[self._frame[at]]
            found.append({"id": node_of(at), "parent": node_of(self._parent[at]), "callFrame": call})
        return found


def node_of(stack: int) -> int:
    """Return the number of a stack's node; -1, no stack, is the root."""
    return stack + 1 + _ROOT


def _call(label: str, source: str, module: str) -> dict[str, Any]:
    file, line = split_source(source)
    call: dict[str, Any] = {"functionName": label, "codeType": "other"}
    if file or module:
        call["url"] = file or module
    # Counted from 0.
    return call | ({"lineNumber": line - 1, "columnNumber": 0} if line else {})


def _thread(
    profile: Profile, rows: Int64, number: int, trees: _Trees, taken: set[tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    samples, first = profile.samples, int(rows[0])
    pid, tid = (-1 if ids is None else int(ids[first]) for ids in (samples.pid, samples.tid))
    pid = pid if pid >= 0 else _FIRST_MADE_UP + number
    if int(samples.event[first]) or tid < 0 or (pid, tid) in taken:
        # A thread has one profile: those of other events, and before an exec, are threads of their own.
        tid = _FIRST_MADE_UP + number
    taken.add((pid, tid))
    title = thread_title(profile, first, with_ids=False)
    who = {"pid": pid, "tid": tid}
    for what in ("process_name", "thread_name"):
        yield {"ph": "M", "ts": 0, "name": what, "args": {"name": title}, **who}
    times, end = _times(profile, rows)
    stacks = samples.stack[rows].tolist()
    base = {"ph": "P", "cat": _CATEGORY, "id": hex(number + 1), **who}
    yield base | {"name": "Profile", "ts": times[0], "args": {"data": {"startTime": times[0]}}}
    data = {
        "cpuProfile": {"nodes": trees.nodes(stacks), "samples": [node_of(stack) for stack in stacks]},
        "timeDeltas": [now - before for before, now in zip([times[0], *times], times, strict=False)],
        "endTime": end,
    }
    yield base | {"name": "ProfileChunk", "ts": end, "args": {"data": data}}


def _times(profile: Profile, rows: Int64) -> tuple[list[int], int]:
    """Return microseconds of each sample, in order, and of the end.

    Without times, samples follow each other: each lasts its weight, if that is a time, or a millisecond.
    """
    samples = profile.samples
    weights, unit = samples.weight[rows].tolist(), profile.meta.events[int(samples.event[rows[0]])].unit
    if samples.time_ns is not None and int(samples.time_ns[rows].max()) >= 0:
        known = [max(time, 0) // _US for time in samples.time_ns[rows].tolist()]
        return known, known[-1] + (weights[-1] // _US if unit == "ns" else _MS // _US)
    lasts = [w // _US for w in weights] if unit == "ns" else (samples.count[rows] * (_MS // _US)).tolist()
    ends = list(accumulate(lasts))
    return [0, *ends[:-1]], ends[-1]
