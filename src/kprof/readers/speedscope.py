"""Reader of speedscope's JSON, as kprof, py-spy, rbspy and others write it.

Source: https://www.speedscope.app/file-format-schema.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile, Quality
from kprof.readers.interning import Interner, Row
from kprof.readers.json_input import ShapeError, array, index, load, member, optional, text, whole
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

_UNITS = {
    "nanoseconds": ("ns", 1), "microseconds": ("ns", 1000), "milliseconds": ("ns", 1_000_000),
    "seconds": ("ns", 1_000_000_000), "bytes": ("bytes", 1), "none": ("events", 1),
}  # fmt: skip
_NAMES = {"ns": "time", "bytes": "bytes", "events": "weight"}
_LARGEST_ADDRESS = (1 << 64) - 1


def sniff(head: bytes) -> bool:
    """Say whether it is JSON that names speedscope."""
    return head.lstrip()[:1] == b"{" and b"speedscope" in head


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read a file. Each of its profiles is a thread, which is called as the profile is.

    Times become nanoseconds. The format does not tell samples from weights; files of kprof do, beside it.

    Raises:
        FormatError: It is damaged, or a profile closes frames that are not open.
    """
    try:
        return _Reading(load(source)).profile()
    except (ShapeError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged speedscope file: {error}") from None


class _Reading:
    """One file on its way to a profile."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._profiles = array(document, "profiles")
        self._beside = document["kprof"] if isinstance(document.get("kprof"), dict) else None
        self._interner = Interner()
        self._mappings = Mappings()
        self._events: list[Event] = []
        entries = array(member(document, "shared"), "frames")
        self._frames = self._known_frames(entries) if self._beside else self._plain_frames(entries)

    def _plain_frames(self, entries: list[Any]) -> list[int]:
        return [
            self._interner.frame(Frame(text(e, "name"), "", Kind.USER, 0, _source(e)), -1) for e in entries
        ]

    def _known_frames(self, entries: list[Any]) -> list[int]:
        """Return the frames with what kprof wrote beside them."""
        paths = [str(path) for path in array(member(self._beside, "mappings"), "path")]
        ids = [str(i) for i in array(member(self._beside, "mappings"), "build_id", len(paths))]
        self._mappings = Mappings(paths, ids)
        self._events = [
            Event(text(e, "name"), text(e, "unit", "samples")) for e in array(self._beside, "events")
        ]
        table, size = member(self._beside, "frames"), len(entries)
        kinds = [Kind(index(kind, len(Kind), "a kind")) for kind in array(table, "kind", size)]
        addresses = array(table, "address", size)
        mappings = optional(array(table, "mapping", size), len(paths), "a mapping")
        unknown = {index(row, size, "a frame") for row in array(table, "unknown")}
        found = []
        for row, (entry, kind, address, mapping) in enumerate(
            zip(entries, kinds, addresses, mappings, strict=True)
        ):
            name = "[unknown]" if row in unknown else text(entry, "name")
            place = index(address, _LARGEST_ADDRESS + 1, "an address")
            found.append(self._interner.frame(Frame(name, "", kind, place, _source(entry)), mapping))
        return found

    def profile(self) -> Profile:
        """Return the profile, checked."""
        beside = self._beside or {}
        threads = array(beside, "profiles", len(self._profiles)) if beside else [{}] * len(self._profiles)
        for number, (profile, thread) in enumerate(zip(self._profiles, threads, strict=True)):
            self._add(profile, thread, number)
        facts = beside.get("facts")
        texts = {str(k): str(v) for k, v in facts.items()} if isinstance(facts, dict) else {}
        return self._interner.build(
            self._mappings, tuple(self._events), texts, _quality(beside.get("quality"))
        )

    def _add(self, profile: Any, thread: Any, number: int) -> None:
        unit, factor = _UNITS.get(text(profile, "unit", "none"), ("events", 1))
        if self._beside:
            event = index(member(thread, "event"), len(self._events), "an event")
            known: dict[str, Any] = {
                name: thread[name] for name in ("comm", "cgroup") if isinstance(thread.get(name), str)
            }
            known |= {
                name: whole(thread[name], 1, f"a {name}")
                for name in ("pid", "tid")
                if thread.get(name, -1) != -1
            }
        else:
            event, known = self._event(unit), {"comm": text(profile, "name", f"profile {number + 1}")}
        found = _evented if text(profile, "type") == "evented" else _sampled
        rows = list(found(profile, factor))
        counts = array(thread, "count", len(rows)) if self._beside else [1] * len(rows)
        more = {name: array(thread, name, len(rows)) for name in ("cpu", "time_ns") if name in thread}
        for row, ((path, weight), count) in enumerate(zip(rows, counts, strict=True)):
            stack = self._interner.stack([self._frames[index(f, len(self._frames), "a frame")] for f in path])
            extra: dict[str, Any] = {
                name: whole(column[row], 1, name) for name, column in more.items() if column[row] != -1
            }
            self._interner.sample(Row(stack, event, weight, whole(count, 1, "a count"), **known, **extra))

    def _event(self, unit: str) -> int:
        event = Event(_NAMES[unit], unit)
        if event not in self._events:
            self._events.append(event)
        return self._events.index(event)


def _source(entry: Any) -> str:
    file = text(entry, "file")
    line = entry.get("line") if isinstance(entry, dict) else None
    return f"{file}:{line}" if file and isinstance(line, int) and line > 0 else file


def _sampled(profile: Any, factor: int) -> Iterator[tuple[list[Any], int]]:
    samples = array(profile, "samples")
    for path, weight in zip(samples, array(profile, "weights", len(samples)), strict=True):
        if not isinstance(path, list):
            raise ShapeError("a sample is no list of frames")
        yield path, whole(weight, factor)


def _evented(profile: Any, factor: int) -> Iterator[tuple[list[Any], int]]:
    """Give what was open between one event and the next, and for how long."""
    open_frames: list[Any] = []
    last = whole(profile.get("startValue", 0), factor, "a time") if isinstance(profile, dict) else 0
    for event in array(profile, "events"):
        at, frame = whole(member(event, "at"), factor, "a time"), member(event, "frame")
        if at < last:
            raise ShapeError("its events are not in the order of time")
        if at > last and open_frames:
            yield list(open_frames), at - last
        last = at
        if text(event, "type") == "O":
            open_frames.append(frame)
        elif not open_frames or open_frames.pop() != frame:
            raise ShapeError("a frame is closed that is not the innermost open one")


def _quality(found: Any) -> Quality | None:
    if not isinstance(found, dict):
        return None
    known: dict[str, Any] = {}
    for field in fields(Quality):
        value = found.get(field.name, 0)
        if isinstance(value, dict):
            known[field.name] = {str(cause): whole(n, 1, "a count") for cause, n in value.items()}
        elif value:
            known[field.name] = whole(value, 1, "a count")
    return Quality(**known)
