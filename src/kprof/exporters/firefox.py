"""Exporter of the Firefox Profiler's processed format, version 60.

Source: docs-developer/CHANGELOG-formats.md and src/types/profile.ts of
https://github.com/firefox-devtools/profiler; the viewer upgrades older versions itself. Each thread of each
event is a thread. Its weights are milliseconds or bytes where the event's unit is time or bytes, else numbers
of samples, since the viewer knows nothing else; what it has no place for stands beside it, in `kprof`.
"""

import json
from typing import Any

import numpy as np

from kprof.exporters.beside import beside, thread_title, threads
from kprof.model import Kind, Profile
from kprof.model.labels import frame_labels, module_name, split_source
from kprof.model.tables import Int64

VERSION = 60
_GECKO_VERSION = 30
_LARGEST = 1 << 53  # of whole numbers that JavaScript holds exactly
_MS = 1_000_000
_CATEGORIES = ("Other", "User", "Kernel", "JIT", "Inlined")
_COLORS = ("grey", "yellow", "orange", "blue", "lightblue")
_CATEGORY_OF = {
    Kind.UNKNOWN: 0, Kind.USER: 1, Kind.KERNEL: 2, Kind.MODULE: 2, Kind.VDSO: 1, Kind.JIT: 3,
    Kind.PYTHON: 3, Kind.JS: 3, Kind.JAVA: 3, Kind.INLINED: 4,
}  # fmt: skip
_LIBRARY = 1  # a type of resource


def render(profile: Profile, name: str = "") -> bytes:
    """Return a profile, all its events included.

    Args:
        profile: The profile.
        name: What the viewer calls it.
    """
    groups = threads(profile)
    texts = _Texts()
    known = profile.samples.time_ns
    start = int(known[known >= 0].min()) if known is not None and np.any(known >= 0) else -1
    document = {
        "meta": _meta(profile, name),
        "libs": _libs(profile),
        "pages": [],
        "shared": _shared(profile, texts),
        "threads": [_thread(profile, rows, number, start) for number, rows in enumerate(groups)],
        "kprof": beside(profile, groups),
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


class _Texts:
    """Texts, each held once."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def row(self, text: str) -> int:
        return self.rows.setdefault(text, len(self.rows))


def _meta(profile: Profile, name: str) -> dict[str, Any]:
    facts = profile.meta.facts
    categories = [
        {"name": category, "color": color, "subcategories": ["Other"]}
        for category, color in zip(_CATEGORIES, _COLORS, strict=True)
    ]
    return {
        "version": _GECKO_VERSION,
        "preprocessedProfileVersion": VERSION,
        "interval": _interval(profile),
        "startTime": 0,
        "processType": 0,
        "product": name or facts.get("command", "kprof"),
        "importedFrom": "kprof",
        "stackwalk": 1,
        "debug": False,
        "categories": categories,
        "markerSchema": [],
        "extensions": {"id": [], "name": [], "baseURL": [], "length": 0},
        "platform": "Linux",
        "oscpu": f"Linux {facts.get('kernel', '')}".rstrip(),
        "symbolicated": True,
        "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "ns"},
        "usesOnlyOneStackType": True,
        "sourceCodeIsNotOnSearchfox": True,
    }


def _interval(profile: Profile) -> float:
    """Return the usual distance of samples in milliseconds, 1 if it is not known."""
    times = profile.samples.time_ns
    known = np.sort(times[times >= 0]) if times is not None else np.zeros(0, np.int64)
    return max(float(np.median(np.diff(known))) / _MS, 0.001) if len(known) > 1 else 1


def _libs(profile: Profile) -> list[dict[str, Any]]:
    mappings = profile.mappings
    found = []
    for path, build_id in zip(mappings.path, mappings.build_id or [""] * len(mappings), strict=True):
        name = module_name(path)
        # A breakpad id is the first 16 bytes of the build-id as a GUID, and an age of 0.
        guid = _guid(build_id)
        found.append({
            "arch": profile.meta.facts.get("arch", ""), "name": name, "path": path, "debugName": name,
            "debugPath": path, "breakpadId": f"{guid}0" if guid else "", "codeId": build_id or None,
        })  # fmt: skip
    return found


def _guid(build_id: str) -> str:
    raw = bytes.fromhex(build_id)[:16] if len(build_id) % 2 == 0 and _is_hex(build_id) else b""
    raw = raw.ljust(16, b"\0") if raw else b""
    return (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex().upper()


def _is_hex(text: str) -> bool:
    return bool(text) and set(text) <= set("0123456789abcdefABCDEF")


def _shared(profile: Profile, texts: _Texts) -> dict[str, Any]:
    parent = profile.stacks.parent.tolist()
    frames, funcs, sources = _frames(profile, texts)
    resources = [texts.row(module_name(path)) for path in profile.mappings.path]
    shared = {
        "stackTable": {
            "frame": profile.stacks.frame.tolist(),
            "prefix": [None if p < 0 else p for p in parent],
            "length": len(parent),
        },
        "frameTable": frames,
        "funcTable": funcs,
        "resourceTable": {
            "type": [_LIBRARY] * len(resources), "lib": list(range(len(resources))), "name": resources,
            "host": [None] * len(resources), "length": len(resources),
        },
        "nativeSymbols": {"libIndex": [], "address": [], "name": [], "functionSize": [], "length": 0},
        "sources": {"length": len(sources), "uuid": [None] * len(sources), "filename": sources},
    }  # fmt: skip
    return shared | {"stringArray": list(texts.rows)}


def _frames(profile: Profile, texts: _Texts) -> tuple[dict[str, Any], dict[str, Any], list[int]]:
    """Return the tables of frames and functions, and the texts that name source files."""
    table, size = profile.frames, len(profile.frames)
    labels = frame_labels(table, profile.mappings)
    sources: dict[int, int] = {}
    funcs: dict[tuple[int, int, int], int] = {}
    of, lines = [], []
    mappings = table.mapping.tolist()
    for row, label in enumerate(labels):
        file, line = split_source(table.source[row] if table.source else "")
        source = sources.setdefault(texts.row(file), len(sources)) if file else -1
        of.append(funcs.setdefault((texts.row(label), mappings[row], source), len(funcs)))
        lines.append(line or None)
    kinds = table.kind.tolist()
    categories = [_CATEGORY_OF[Kind(kind)] for kind in kinds]
    frames = {
        # A kernel's address is no offset in a file, and more than JavaScript can count.
        "address": [a if 0 < a < _LARGEST else -1 for a in table.address.tolist()],
        "inlineDepth": [int(kind == Kind.INLINED) for kind in kinds],
        "category": categories, "subcategory": [0] * size, "func": of,
        "nativeSymbol": [None] * size, "innerWindowID": [None] * size,
        "line": lines, "column": [None] * size, "length": size,
    }  # fmt: skip
    names, resources, files = list(zip(*funcs, strict=True)) or ((), (), ())
    count = len(funcs)
    return frames, {
        "name": list(names), "isJS": [False] * count, "relevantForJS": [False] * count,
        "resource": list(resources), "source": [None if s < 0 else s for s in files],
        "lineNumber": [None] * count, "columnNumber": [None] * count, "length": count,
    }, list(sources)  # fmt: skip


def _thread(profile: Profile, rows: Int64, number: int, start: int) -> dict[str, Any]:
    samples, first = profile.samples, int(rows[0])
    pid, tid = (-1 if ids is None else int(ids[first]) for ids in (samples.pid, samples.tid))
    times = _times(profile, rows, start)
    unit = profile.meta.events[int(samples.event[first])].unit
    weights, kind = samples.count[rows].tolist(), "samples"
    if unit == "ns":
        weights, kind = (samples.weight[rows] / _MS).tolist(), "tracing-ms"
    elif unit == "bytes":
        weights, kind = samples.weight[rows].tolist(), "bytes"
    stacks = samples.stack[rows].tolist()
    return {
        "processType": "default", "processStartupTime": 0, "processShutdownTime": None, "registerTime": 0,
        "unregisterTime": None, "pausedRanges": [], "name": thread_title(profile, first),
        "isMainThread": pid == tid and pid >= 0, "processName": "", "pid": str(max(pid, 0)),
        "tid": tid if tid >= 0 else number,
        "samples": {
            "stack": [None if s < 0 else s for s in stacks], "time": times, "weight": weights,
            "weightType": kind, "length": len(stacks),
        },
        "markers": {
            "data": [], "name": [], "startTime": [], "endTime": [], "phase": [], "category": [], "length": 0,
        },
    }  # fmt: skip


def _times(profile: Profile, rows: Int64, start: int) -> list[float]:
    """Return milliseconds since the first sample of all; without times, a millisecond a sample.

    Args:
        profile: The profile.
        rows: Those of a thread.
        start: Time of the first sample, -1 if it is not known.
    """
    if profile.samples.time_ns is None or start < 0:
        counts = profile.samples.count[rows]
        return [float(before) for before in (np.cumsum(counts) - counts).tolist()]
    return [max(time - start, 0) / _MS for time in profile.samples.time_ns[rows].tolist()]
