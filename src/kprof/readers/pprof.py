"""Reader of pprof: `profile.proto`, as a rule packed with gzip.

Source: https://github.com/google/pprof/blob/main/proto/profile.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprof._native import _pprof
from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile
from kprof.model.tables import Int64
from kprof.readers.interning import Interner
from kprof.readers.modules import kind_of_module
from kprof.readers.options import ReadOptions
from kprof.readers.protobuf import DamagedMessageError, content, fields, numbers, plain, signed
from kprof.readers.source import Source
from kprof.readers.statements import facts_and_quality
from kprof.wire import pprof as wire

_CHUNK = 1 << 20
_ENOUGH = 3
_UNITS = {"nanoseconds": "ns", "nanosecond": "ns", "bytes": "bytes", "byte": "bytes"}
# Columns of rows, as `samples_of_rows` takes them.
_STACK, _EVENT, _WEIGHT, _COUNT = range(4)
_LABELS = {"pid": 4, "tid": 5, "comm": 6, "cpu": 7, "cgroup": 8, "time_ns": 9}
_COLUMNS = 10
_COMM = ("comm", "thread", "thread_comm", "thread_name")


def sniff(head: bytes) -> bool:
    """Say whether the first fields are those of a profile."""
    seen = 0
    try:
        for number, value in fields(head):
            if number not in wire.PROFILE_FIELDS:
                return False
            if number == wire.SAMPLE_TYPE and not set(plain(content(value))) <= {1, 2}:
                return False
            if seen == 0 and number not in {wire.SAMPLE_TYPE, wire.STRING_TABLE, wire.SAMPLE}:
                return False
            seen += 1
    except DamagedMessageError:
        # A head ends anywhere.
        return seen >= _ENOUGH
    return seen >= _ENOUGH


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read a profile. A type of value is an event; one that counts samples belongs to the type behind it.

    Labels other than those of threads, processes, CPUs, times and control groups are left out.

    Raises:
        FormatError: It is damaged, or has negative values, as the difference of two profiles has.
    """
    parts = []
    while part := source.read(_CHUNK):
        parts.append(part)
    try:
        return _Reading(b"".join(parts)).profile()
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        reason = f"{error} is not there" if isinstance(error, LookupError) else str(error)
        raise FormatError(f"{source.name}: damaged pprof: {reason}") from None


@dataclass(slots=True)
class _Mapping:
    row: int
    start: int
    offset: int
    path: str


@dataclass(slots=True)
class _Tables:
    """Messages by field, as they came."""

    types: list[bytes] = field(default_factory=list)
    mappings: list[bytes] = field(default_factory=list)
    locations: list[bytes] = field(default_factory=list)
    functions: list[bytes] = field(default_factory=list)
    strings: list[bytes] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)


class _Reading:
    """One file on its way to a profile."""

    def __init__(self, data: bytes) -> None:
        self._tables = tables = _Tables()
        places = {
            wire.SAMPLE_TYPE: tables.types,
            wire.MAPPING: tables.mappings,
            wire.LOCATION: tables.locations,
            wire.FUNCTION: tables.functions,
            wire.STRING_TABLE: tables.strings,
        }
        self._data = data
        for number, is_bytes, value, start in _pprof.fields(data).tolist():
            part = data[start : start + value] if is_bytes else value
            if (place := places.get(number)) is not None:
                place.append(content(part))
            elif number == wire.COMMENT:
                tables.comments += numbers(part)
        self._strings = [text.decode(errors="surrogateescape") for text in tables.strings]
        self._paths: list[str] = []
        self._build_ids: list[str] = []
        self._mappings = dict(self._mapping(row, data) for row, data in enumerate(tables.mappings))
        self._functions = dict(self._function(data) for data in tables.functions)
        self._interner = Interner()
        self._locations = dict(self._location(data) for data in tables.locations)

    def _text(self, row: int) -> str:
        return self._strings[row] if row else ""

    def _mapping(self, row: int, data: bytes) -> tuple[int, _Mapping]:
        found = plain(data)
        path = self._text(found.get(wire.MAPPING_FILENAME, 0))
        self._paths.append(path)
        self._build_ids.append(self._text(found.get(wire.MAPPING_BUILD_ID, 0)))
        start, offset = found.get(wire.MAPPING_START, 0), found.get(wire.MAPPING_OFFSET, 0)
        return found.get(wire.MAPPING_ID, 0), _Mapping(row, start, offset, path)

    def _function(self, data: bytes) -> tuple[int, tuple[str, str]]:
        found = plain(data)
        name = self._text(found.get(wire.FUNCTION_NAME, 0))
        name = name or self._text(found.get(wire.FUNCTION_SYSTEM_NAME, 0))
        return found.get(wire.FUNCTION_ID, 0), (name, self._text(found.get(wire.FUNCTION_FILENAME, 0)))

    def _location(self, data: bytes) -> tuple[int, list[int]]:
        """Return number and frames of a location, outermost first."""
        found = plain(data)
        lines = [plain(content(value)) for number, value in fields(data) if number == wire.LOCATION_LINE]
        address, mapping, kind = found.get(wire.LOCATION_ADDRESS, 0), None, Kind.USER
        if number := found.get(wire.LOCATION_MAPPING_ID, 0):
            mapping = self._mappings[number]
            kind = kind_of_module(mapping.path)
            if kind not in {Kind.KERNEL, Kind.MODULE} and address >= mapping.start:
                address += mapping.offset - mapping.start
        row = mapping.row if mapping else -1
        address %= 1 << 64
        frames = []
        for depth, line in enumerate(reversed(lines)):
            name, file = self._functions[line.get(wire.LINE_FUNCTION_ID, 0)]
            at = signed(line.get(wire.LINE_LINE, 0))
            text = f"{file}:{at}" if file and at > 0 else file
            own = Kind.INLINED if depth else kind
            frames.append(self._interner.frame(Frame(name or "[unknown]", "", own, address, text), row))
        if not frames:
            frames.append(self._interner.frame(Frame("[unknown]", "", kind, address), row))
        return found.get(wire.LOCATION_ID, 0), frames

    def profile(self) -> Profile:
        """Return the profile, checked."""
        types = [plain(data) for data in self._tables.types]
        names = [
            (self._text(t.get(wire.VALUE_TYPE, 0)), self._text(t.get(wire.VALUE_UNIT, 0))) for t in types
        ]
        events = _events(names)
        rows = self._rows(len(types), events)
        mappings = Mappings(self._paths, self._build_ids)
        facts, quality = facts_and_quality([self._text(row) for row in self._tables.comments])
        return self._interner.build(mappings, tuple(event for event, _, _ in events), facts, quality, rows)

    def _rows(self, width: int, events: list[tuple[Event, int, int]]) -> Int64:
        """Return the samples of all events, one after the other, as `samples_of_rows` takes them."""
        found = _pprof.samples(self._data)
        size = len(found["value_end"])
        given = np.diff(found["value_end"], prepend=np.uint64(0))
        if len(wrong := np.flatnonzero(given != width)):
            raise DamagedMessageError(f"a sample has {given[wrong[0]]} values, but there are {width} types")
        values = found["values"].reshape(size, width)
        rows = np.full((size, len(events), _COLUMNS), -1, np.int64)
        rows[:, :, _STACK] = self._stacks(found["locations"], found["location_end"])[:, None]
        for event, (_, count_at, weight_at) in enumerate(events):
            weight = values[:, weight_at]
            rows[:, event, _EVENT], rows[:, event, _WEIGHT] = event, weight
            rows[:, event, _COUNT] = values[:, count_at] if count_at >= 0 else weight != 0
        for column, at in _LABELS.items():
            self._label(found, column, rows[:, :, at])
        flat = rows.reshape(-1, _COLUMNS)
        if np.any(flat[:, [_WEIGHT, _COUNT]] < 0):
            raise DamagedMessageError("a value is negative, as in the difference of two profiles")
        counted: Int64 = flat[(flat[:, _WEIGHT] != 0) | (flat[:, _COUNT] != 0)]
        return counted

    def _stacks(self, locations: npt.NDArray[np.uint64], ends: npt.NDArray[np.uint64]) -> Int64:
        """Return the stack of each sample; equal ones are made once."""
        text, stacks = locations.tobytes(), np.empty(len(ends), np.int64)
        known: dict[bytes, int] = {}
        begin = 0
        for row, end in enumerate((ends * np.uint64(locations.itemsize)).tolist()):
            key = text[begin:end]
            if (stack := known.get(key)) is None:
                where = np.frombuffer(key, np.uint64)[::-1].tolist()
                frames = [frame for place in where for frame in self._locations[place]]
                stack = known[key] = self._interner.stack(frames)
            stacks[row] = stack
            begin = end
        return stacks

    def _label(self, found: dict[str, npt.NDArray[np.int64]], column: str, rows: Int64) -> None:
        """Fill a column, shape (samples, events), with what the labels of it say; the last one counts."""
        keys = {key: self._text(key) for key in np.unique(found["label_key"]).tolist()}
        own = [
            key
            for key, text in keys.items()
            if ("comm" if text in _COMM else wire.LABELS.get(text)) == column
        ]
        here = np.isin(found["label_key"], np.array(own, np.uint64))
        is_text = column in {"comm", "cgroup"}
        if not is_text:
            here &= found["label_text"] == 0
        sample = found["label_sample"][here].astype(np.int64)
        if is_text:
            texts, first, which = np.unique(found["label_text"][here], return_index=True, return_inverse=True)
            numbers = np.empty(len(texts), np.int64)
            for at in np.argsort(first).tolist():
                numbers[at] = self._interner.name(column, self._text(int(texts[at])))
            rows[sample] = numbers[which.reshape(-1)][:, None]
        else:
            rows[sample] = found["label_number"][here][:, None]


def _column(key: str) -> str:
    """Return the column that a label's key means; empty if it means none."""
    return "comm" if key in _COMM else wire.LABELS.get(key, "")


def _events(types: list[tuple[str, str]]) -> list[tuple[Event, int, int]]:
    """Return each event with the columns of its number of samples (-1: none) and of its weight."""
    events, at = [], 0
    while at < len(types):
        name, unit = types[at]
        behind = types[at + 1] if at + 1 < len(types) else ("", "")
        counts = name in {"samples", "sample"} or name == f"{behind[0]}_samples"
        if unit == "count" and behind[0] and (counts or behind[1] != "count"):
            named, measured = behind
            plain_unit = "events" if measured == "count" else _UNITS.get(measured, measured)
            if (named, measured) == ("weight", "count"):
                named, plain_unit = "samples", "samples"
            events.append((Event(named, plain_unit), at, at + 1))
            at += 2
            continue
        # A number of samples alone is a weight, too; of other counts nobody knows how many samples they are.
        is_samples = unit == "count" and name in {"samples", "sample"}
        plain_unit = "samples" if is_samples else "events" if unit == "count" else _UNITS.get(unit, unit)
        events.append((Event(name or "samples", plain_unit), at if is_samples else -1, at))
        at += 1
    return events
