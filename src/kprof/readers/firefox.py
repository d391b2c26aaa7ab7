"""Reader of the Firefox Profiler's processed format, as Firefox, samply and kprof write it.

Source: docs-developer/CHANGELOG-formats.md and src/types/profile.ts of
https://github.com/firefox-devtools/profiler. Tables moved from the threads to `shared` in versions 56 to 60,
`prefix` became `prefixOffset` in 66, and `lib` went from resources to frames in 70; all of these are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile
from kprof.readers.beside import Beside
from kprof.readers.interning import Interner, Row
from kprof.readers.json_input import ShapeError, array, index, load, member, optional, text, whole
from kprof.readers.modules import kind_of_module
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

_MS = 1_000_000
_EVENTS = {
    "samples": (Event("samples", "samples"), 1),
    "tracing-ms": (Event("time", "ns"), _MS),
    "bytes": (Event("bytes", "bytes"), 1),
}
_LARGEST_ID = (1 << 31) - 1


def sniff(head: bytes) -> bool:
    """Say whether it is JSON with the version of the processed format, or with its first tables."""
    if head.lstrip()[:1] != b"{":
        return False
    return b'"preprocessedProfileVersion"' in head or all(key in head for key in (b'"meta"', b'"stackwalk"'))


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read a file. Markers, counters and allocations are left out.

    Raises:
        FormatError: It is damaged, or as Firefox hands it over before it is processed.
    """
    try:
        return _Reading(load(source)).profile()
    except (ShapeError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged profile of the Firefox Profiler: {error}") from None


class _Tables:
    """The tables of one thread, or those that all threads share.

    Attributes:
        named: Name and source of each frame.
        stacks: Number of each stack of the file, once `intern` was called.
    """

    def __init__(self, thread: Any, shared: Any, libs: int) -> None:
        self._thread, self._shared = thread, shared
        texts = self._find("stringArray", required=True)
        if not isinstance(texts, list):
            raise ShapeError("stringArray is no list")
        self._texts = [str(entry) for entry in texts]
        self._frame = self._find("frameTable", required=True)
        self._func = self._find("funcTable", required=True)
        self.func = [
            index(row, len(array(self._func, "name")), "a function") for row in array(self._frame, "func")
        ]
        self.libs = list(self._libs(libs))
        self.named = list(self._named())
        self.stacks: list[int] = []

    def _find(self, name: str, *, required: bool = False) -> Any:
        for place in (self._thread, self._shared):
            if isinstance(place, dict) and name in place:
                return place[name]
        if required:
            raise ShapeError(f"{name} is missing")
        return None

    def _text(self, row: Any) -> str:
        return self._texts[index(row, len(self._texts), "a text")]

    def _libs(self, libs: int) -> Iterator[int]:
        if isinstance(self._frame, dict) and "lib" in self._frame:
            yield from optional(array(self._frame, "lib", len(self.func)), libs, "a library")
            return
        resources = self._find("resourceTable") or {"lib": []}
        of_resource = list(optional(array(resources, "lib"), libs, "a library"))
        of_func = [
            of_resource[row] if row >= 0 else -1
            for row in optional(array(self._func, "resource"), len(of_resource), "a resource")
        ]
        for func in self.func:
            yield of_func[index(func, len(of_func), "a function")]

    def _named(self) -> Iterator[tuple[str, str]]:
        size = len(array(self._func, "name"))
        names = [self._text(row) for row in array(self._func, "name")]
        files = [""] * size
        if "source" in self._func:
            paths = [self._text(row) for row in array(self._find("sources", required=True), "filename")]
            rows = optional(array(self._func, "source", size), len(paths), "a source")
            files = [paths[row] if row >= 0 else "" for row in rows]
        elif "fileName" in self._func:
            rows = optional(array(self._func, "fileName", size), len(self._texts), "a text")
            files = [self._texts[row] if row >= 0 else "" for row in rows]
        lines = array(self._frame, "line", len(self.func))
        for func, line in zip(self.func, lines, strict=True):
            number = line if isinstance(line, int) and line > 0 else 0
            yield names[func], f"{files[func]}:{number}" if files[func] and number else files[func]

    def frames(self, paths: list[str]) -> Iterator[Frame]:
        """Give the frames, as far as the format tells."""
        size = len(self.func)
        addresses, depths = array(self._frame, "address", size), array(self._frame, "inlineDepth", size)
        is_js = array(self._func, "isJS", len(array(self._func, "name")))
        rows = zip(self.named, self.func, self.libs, addresses, depths, strict=True)
        for (name, source), func, lib, address, depth in rows:
            kind = kind_of_module(paths[lib]) if lib >= 0 else Kind.USER
            kind = Kind.JIT if is_js[func] else Kind.INLINED if depth else kind
            place = whole(address, 1, "an address") if isinstance(address, int) and address > 0 else 0
            yield Frame(name, "", kind, place, source)

    def intern(self, interner: Interner, frames: list[int]) -> None:
        """Number the stacks."""
        table = self._find("stackTable", required=True)
        rows = array(table, "frame")
        column = "prefixOffset" if "prefixOffset" in table else "prefix"
        for own, (row, above) in enumerate(zip(rows, array(table, column, len(rows)), strict=True)):
            if column == "prefixOffset":
                parent = own - above if isinstance(above, int) and above else -1
            else:
                parent = -1 if above is None else above
            if parent != -1:
                parent = self.stacks[index(parent, own, "a prefix")]
            self.stacks.append(interner.grow(parent, frames[index(row, len(frames), "a frame")]))


class _Reading:
    """One file on its way to a profile."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._threads = array(document, "threads")
        self._shared = document.get("shared")
        self._libs = array(document, "libs")
        self._interner = Interner()
        self._events: list[Event] = []
        found = document.get("kprof")
        self._beside = Beside(found, self._interner, len(self._threads)) if isinstance(found, dict) else None
        self._paths = [text(lib, "path") or text(lib, "name") for lib in self._libs]

    def profile(self) -> Profile:
        """Return the profile, checked."""
        shared = self._tables({}) if self._is_shared() else None
        for number, thread in enumerate(self._threads):
            self._add(thread, shared or self._tables(thread), number)
        if beside := self._beside:
            return self._interner.build(beside.mappings, beside.events, beside.facts, beside.quality)
        ids = [text(lib, "codeId") for lib in self._libs]
        return self._interner.build(Mappings(self._paths, ids), tuple(self._events), {})

    def _is_shared(self) -> bool:
        return isinstance(self._shared, dict) and "stackTable" in self._shared

    def _tables(self, thread: Any) -> _Tables:
        tables = _Tables(thread, self._shared, len(self._libs))
        if self._beside:
            frames = self._beside.frames(tables.named)
        else:
            found = zip(tables.frames(self._paths), tables.libs, strict=True)
            frames = [self._interner.frame(frame, lib) for frame, lib in found]
        tables.intern(self._interner, frames)
        return tables

    def _add(self, thread: Any, tables: _Tables, number: int) -> None:
        samples = member(thread, "samples")
        rows = list(optional(array(samples, "stack"), len(tables.stacks), "a stack"))
        stacks = [tables.stacks[row] if row >= 0 else -1 for row in rows]
        if self._beside:
            self._beside.samples(number, stacks)
            return
        event, factor = _EVENTS.get(text(samples, "weightType", "samples"), _EVENTS["samples"])
        if event not in self._events:
            self._events.append(event)
        at, size, counts = self._events.index(event), len(stacks), event.unit == "samples"
        weights = array(samples, "weight", size) if samples.get("weight") is not None else [1] * size
        who = {"comm": text(thread, "name"), "pid": _id(thread.get("pid")), "tid": _id(thread.get("tid"))}
        for stack, weight, time in zip(stacks, weights, _times(samples, size), strict=True):
            own = whole(weight, factor)
            self._interner.sample(Row(stack, at, own, own if counts else 1, time_ns=time, **who))  # type: ignore[arg-type]


def _times(samples: Any, size: int) -> Iterator[int]:
    """Give the time of each sample in nanoseconds."""
    if "time" in samples:
        yield from (whole(time, _MS, "a time") for time in array(samples, "time", size))
        return
    now = 0.0
    for delta in array(samples, "timeDeltas", size) if "timeDeltas" in samples else [0] * size:
        whole(delta, _MS, "a time")
        now += delta
        yield whole(now, _MS, "a time")


def _id(value: Any) -> int:
    """Return a process or thread id, -1 if it is none: the format allows any text."""
    number = int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else -1
    return number if 0 <= number <= _LARGEST_ID else -1
