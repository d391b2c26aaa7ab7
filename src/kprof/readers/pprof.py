"""Reader of pprof: `profile.proto`, as a rule packed with gzip.

Source: https://github.com/google/pprof/blob/main/proto/profile.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile
from kprof.readers.interning import Interner, Row
from kprof.readers.modules import kind_of_module
from kprof.readers.options import ReadOptions
from kprof.readers.protobuf import DamagedMessageError, content, fields, numbers, plain, signed
from kprof.readers.source import Source
from kprof.readers.statements import facts_and_quality
from kprof.wire import pprof as wire

_CHUNK = 1 << 20
_ENOUGH = 3
_UNITS = {"nanoseconds": "ns", "nanosecond": "ns", "bytes": "bytes", "byte": "bytes"}
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
    except (DamagedMessageError, KeyError, IndexError, OverflowError) as error:
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
    samples: list[bytes] = field(default_factory=list)
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
            wire.SAMPLE: tables.samples,
            wire.MAPPING: tables.mappings,
            wire.LOCATION: tables.locations,
            wire.FUNCTION: tables.functions,
            wire.STRING_TABLE: tables.strings,
        }
        for number, value in fields(data):
            if (place := places.get(number)) is not None:
                place.append(content(value))
            elif number == wire.COMMENT:
                tables.comments += numbers(value)
        self._strings = [text.decode(errors="surrogateescape") for text in tables.strings]
        self._paths: list[str] = []
        self._build_ids: list[str] = []
        self._mappings = dict(self._mapping(row, data) for row, data in enumerate(tables.mappings))
        self._functions = dict(self._function(data) for data in tables.functions)
        # The labels of samples are few, and come again and again.
        self._labels: dict[bytes, tuple[str, int | str]] = {}
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
        paths: dict[tuple[int, ...], int] = {}
        for data in self._tables.samples:
            self._sample(data, len(types), events, paths)
        mappings = Mappings(self._paths, self._build_ids)
        facts, quality = facts_and_quality([self._text(row) for row in self._tables.comments])
        return self._interner.build(mappings, tuple(event for event, _, _ in events), facts, quality)

    def _sample(
        self,
        data: bytes,
        width: int,
        events: list[tuple[Event, int, int]],
        paths: dict[tuple[int, ...], int],
    ) -> None:
        where, values, labels = self._parts(data)
        if len(values) != width:
            raise DamagedMessageError(f"a sample has {len(values)} values, but there are {width} types")
        key = tuple(where)
        if (stack := paths.get(key)) is None:
            frames = [frame for place in reversed(where) for frame in self._locations[place]]
            stack = paths[key] = self._interner.stack(frames)
        for event, (_, count_at, weight_at) in enumerate(events):
            weight = signed(values[weight_at])
            count = signed(values[count_at]) if count_at >= 0 else int(weight != 0)
            if weight < 0 or count < 0:
                raise DamagedMessageError("a value is negative, as in the difference of two profiles")
            if weight or count:
                self._interner.sample(Row(stack, event, weight, count, **labels))  # type: ignore[arg-type]

    def _parts(self, data: bytes) -> tuple[list[int], list[int], dict[str, int | str]]:
        """Return locations, values and labels of a sample."""
        where: list[int] = []
        values: list[int] = []
        labels: dict[str, int | str] = {}
        for number, value in fields(data):
            if number == wire.SAMPLE_LOCATION_ID:
                where += numbers(value)
            elif number == wire.SAMPLE_VALUE:
                values += numbers(value)
            elif number == wire.SAMPLE_LABEL:
                data = content(value)
                if (label := self._labels.get(data)) is None:
                    label = self._labels[data] = self._label(data)
                labels[label[0]] = label[1]
        labels.pop("", None)
        return where, values, labels

    def _label(self, data: bytes) -> tuple[str, int | str]:
        """Return column and value of a label; no column if it is not known."""
        found = plain(data)
        key, row = self._text(found.get(wire.LABEL_KEY, 0)), found.get(wire.LABEL_STR, 0)
        name = "comm" if key in _COMM else wire.LABELS.get(key, "")
        if name in {"comm", "cgroup"}:
            return name, self._text(row)
        return ("", 0) if row else (name, signed(found.get(wire.LABEL_NUM, 0)))


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
