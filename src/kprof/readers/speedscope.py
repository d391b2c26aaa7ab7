"""Reader of speedscope's JSON, as kprof, py-spy, rbspy and others write it.

Source: https://www.speedscope.app/file-format-schema.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile
from kprof.readers.beside import Beside
from kprof.readers.interning import Interner, Row
from kprof.readers.json_input import ShapeError, array, index, load, member, text, whole
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

_UNITS = {
    "nanoseconds": ("ns", 1), "microseconds": ("ns", 1000), "milliseconds": ("ns", 1_000_000),
    "seconds": ("ns", 1_000_000_000), "bytes": ("bytes", 1), "none": ("events", 1),
}  # fmt: skip
_NAMES = {"ns": "time", "bytes": "bytes", "events": "weight"}


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
        self._interner = Interner()
        self._events: list[Event] = []
        entries = array(member(document, "shared"), "frames")
        named = [(text(entry, "name"), _source(entry)) for entry in entries]
        found = document.get("kprof")
        if isinstance(found, dict):
            self._beside: Beside | None = Beside(found, self._interner, len(self._profiles))
            self._frames = self._beside.frames(named)
        else:
            self._beside = None
            frames = [Frame(name, "", Kind.USER, 0, source) for name, source in named]
            self._frames = [self._interner.frame(frame, -1) for frame in frames]

    def profile(self) -> Profile:
        """Return the profile, checked."""
        for number, profile in enumerate(self._profiles):
            self._add(profile, number)
        if beside := self._beside:
            return self._interner.build(beside.mappings, beside.events, beside.facts, beside.quality)
        return self._interner.build(Mappings(), tuple(self._events), {})

    def _add(self, profile: Any, number: int) -> None:
        unit, factor = _UNITS.get(text(profile, "unit", "none"), ("events", 1))
        found = _evented if text(profile, "type") == "evented" else _sampled
        rows = [(self._stack(path), weight) for path, weight in found(profile, factor)]
        if self._beside:
            self._beside.samples(number, [stack for stack, _ in rows])
            return
        event, comm = self._event(unit), text(profile, "name", f"profile {number + 1}")
        for stack, weight in rows:
            self._interner.sample(Row(stack, event, weight, 1, comm=comm))

    def _stack(self, path: list[Any]) -> int:
        size = len(self._frames)
        return self._interner.stack([self._frames[index(row, size, "a frame")] for row in path])

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
