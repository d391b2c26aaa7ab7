"""Reader of OpenTelemetry's profiles (OTLP), an experimental format, in the version of opentelemetry-proto.

Source: see `kprof.wire.otlp`. A `ProfilesData`, or a request that sends one, as protocol buffers or as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kprof.errors import FormatError, NotAvailableError
from kprof.model import Event, Frame, Kind, Mappings, Profile, Quality
from kprof.model.labels import UNKNOWN
from kprof.readers.interning import Interner, Row
from kprof.readers.json_input import ShapeError, index
from kprof.readers.modules import kind_of_module
from kprof.readers.names import kind_of_name
from kprof.readers.options import ReadOptions
from kprof.readers.protobuf import DamagedMessageError, fields
from kprof.readers.source import Source
from kprof.readers.statements import quality_of
from kprof.wire import otlp as wire

_CHUNK = 1 << 20
_TOP, _INNER = {1, 2}, {1, 2, 3}
_UNITS = {"nanoseconds": "ns", "nanosecond": "ns", "bytes": "bytes", "byte": "bytes", "count": "events"}
_TYPES = {"kernel": Kind.KERNEL, "cpython": Kind.PYTHON, "v8js": Kind.JS, "jvm": Kind.JAVA}
_NATIVE = ("", "native", "go", "rust")
_LARGEST, _LARGEST_ID = (1 << 63) - 1, (1 << 31) - 1


def sniff(head: bytes) -> bool:
    """Say whether its first field holds messages of resources, where pprof has numbers, or JSON says so."""
    if head.lstrip()[:1] == b"{":
        return b'"resourceProfiles"' in head
    if head[:1] != b"\x0a":
        return False
    try:
        number, first = next(fields(head))
    except (DamagedMessageError, StopIteration):
        return _begins_as_one(head)
    return number == 1 and isinstance(first, bytes) and bool(first) and _holds_messages(first)


def _begins_as_one(head: bytes) -> bool:
    """Say so of a first field that is longer than a head."""
    at = 1
    while at < len(head) and head[at] & 0x80:
        at += 1
    return len(head) > 1 << 14 and head[at + 1 : at + 2] in {b"\x0a", b"\x12"}


def _holds_messages(data: bytes) -> bool:
    try:
        return all(number in _INNER and isinstance(value, bytes) for number, value in fields(data))
    except DamagedMessageError:
        return False


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read the profiles; a type of value is an event.

    Raises:
        FormatError: It is damaged, or holds no profile.
        NotAvailableError: opentelemetry-proto is not installed.
    """
    try:
        from google.protobuf.json_format import ParseDict, ParseError  # noqa: PLC0415 - an extra
        from google.protobuf.message import DecodeError  # noqa: PLC0415
        from opentelemetry.proto.profiles.v1development import profiles_pb2  # noqa: PLC0415
    except ImportError:
        raise NotAvailableError("OTLP needs opentelemetry-proto", f"install it: {wire.EXTRA}") from None
    parts = []
    while part := source.read(_CHUNK):
        parts.append(part)
    data, message = b"".join(parts), profiles_pb2.ProfilesData()
    try:
        if data.lstrip()[:1] == b"{":
            ParseDict(json.loads(data), message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(data)
        return _Reading(message).profile()
    except (DecodeError, ParseError, ShapeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"{source.name}: damaged OTLP profile: {str(error)[:200]}") from None


@dataclass(frozen=True, slots=True)
class _Value:
    """One observation."""

    weight: int
    count: int
    time: int


class _Reading:
    """One message on its way to a profile."""

    def __init__(self, message: Any) -> None:
        self._message, self._dictionary = message, message.dictionary
        self._texts = list(message.dictionary.string_table)
        self._interner = Interner()
        self._events: list[Event] = []
        self._attributes = [self._key_value(entry) for entry in self._dictionary.attribute_table]
        # Row 0 of every table is none.
        self._mappings = list(self._dictionary.mapping_table)[1:]
        self._paths = [self._text(mapping.filename_strindex) for mapping in self._mappings]
        frames = [self._frames(location) for location in self._dictionary.location_table]
        self._stacks = [
            self._interner.stack([
                frame
                for row in reversed(stack.location_indices)
                for frame in frames[index(row, len(frames), "a location")]
            ])
            for stack in self._dictionary.stack_table
        ]  # fmt: skip

    def profile(self) -> Profile:
        """Return the profile, checked."""
        facts: dict[str, str] = {}
        quality: Quality | None = None
        for resource in self._message.resource_profiles:
            for attribute in resource.resource.attributes:
                key, value = attribute.key, _plain(attribute.value)
                if key == wire.QUALITY:
                    quality = quality_of(json.loads(str(value)))
                elif value is not None:
                    facts[_fact(key)] = str(value)
            for scope in resource.scope_profiles:
                for profile in scope.profiles:
                    self._add(profile)
        if not self._events:
            raise ShapeError("it holds no profile")
        ids = [str(self._of(mapping).get(wire.BUILD_ID, "")) for mapping in self._mappings]
        return self._interner.build(Mappings(self._paths, ids), tuple(self._events), facts, quality)

    def _text(self, row: int) -> str:
        return str(self._texts[index(row, len(self._texts), "a text")])

    def _key_value(self, entry: Any) -> tuple[str, str | int | None]:
        return self._text(entry.key_strindex) if self._texts else "", _plain(entry.value)

    def _of(self, message: Any) -> dict[str, str | int | None]:
        """Return the attributes of a message."""
        rows = [index(row, len(self._attributes), "an attribute") for row in message.attribute_indices]
        return dict(self._attributes[row] for row in rows)

    def _frames(self, location: Any) -> list[int]:
        """Return the frames of a location, root first: all lines but the last were inlined into the next."""
        attributes = self._of(location)
        mapping = index(location.mapping_index, len(self._mappings) + 1, "a mapping") - 1
        kind = self._kind(attributes, mapping)
        address = location.address
        if mapping >= 0:
            where = self._mappings[mapping]
            address = max(address - where.memory_start + where.file_offset, 0)
        lines = list(location.lines)
        if not lines:
            return [self._interner.frame(Frame(UNKNOWN, "", kind, address), mapping)]
        found = []
        for depth, line in enumerate(reversed(lines)):
            row = index(line.function_index, len(self._dictionary.function_table), "a function")
            function = self._dictionary.function_table[row]
            file, name = self._text(function.filename_strindex), self._text(function.name_strindex)
            source = f"{file}:{line.line}" if file and line.line > 0 else file
            own = Kind.INLINED if depth else kind
            if own == Kind.USER and wire.FRAME_KIND not in attributes:
                own = kind_of_name(name)
            found.append(self._interner.frame(Frame(name, "", own, address, source), mapping))
        return found

    def _kind(self, attributes: dict[str, str | int | None], mapping: int) -> Kind:
        named = str(attributes.get(wire.FRAME_KIND, "")).upper()
        if named in Kind.__members__:
            return Kind[named]
        of_type = str(attributes.get(wire.FRAME_TYPE, ""))
        if of_type not in _NATIVE:
            return _TYPES.get(of_type, Kind.JIT)
        return kind_of_module(self._paths[mapping]) if mapping >= 0 else Kind.USER

    def _add(self, profile: Any) -> None:
        name, unit = (
            self._text(row) if self._texts else ""
            for row in (profile.sample_type.type_strindex, profile.sample_type.unit_strindex)
        )
        counts = name == "samples" and unit == "count"
        event = Event(
            name or "samples", "samples" if counts or not name else _UNITS.get(unit, unit or "events")
        )
        if event not in self._events:
            self._events.append(event)
        at = self._events.index(event)
        for sample in profile.samples:
            stack = (
                self._stacks[index(sample.stack_index, len(self._stacks), "a stack")] if self._stacks else -1
            )
            attributes = self._of(sample)
            who: dict[str, Any] = {
                column: attributes[key]
                for key, column in wire.TEXTS.items()
                if isinstance(attributes.get(key), str)
            }
            for key, column in wire.NUMBERS.items():
                value = attributes.get(key)
                if isinstance(value, int) and column != "count" and 0 <= value <= _LARGEST_ID:
                    who[column] = value
            count = attributes.get("kprof.sample.count", 1)
            for seen in _values(sample, count if isinstance(count, int) else 1, counts=counts):
                self._interner.sample(Row(stack, at, seen.weight, seen.count, time_ns=seen.time, **who))


def _values(sample: Any, count: int, *, counts: bool) -> Iterator[_Value]:
    """Give the observations of a sample: each has a value, a time, or both."""
    values: Sequence[int] = sample.values
    times = [time if time <= _LARGEST else -1 for time in sample.timestamps_unix_nano]
    if values and times and len(values) != len(times):
        raise ShapeError(f"a sample has {len(values)} values, but {len(times)} times")
    if any(value < 0 for value in values) or count < 0:
        raise ShapeError("a value is negative, as the difference of two profiles has them")
    for row in range(max(len(values), len(times))):
        weight = values[row] if values else 1
        yield _Value(weight, weight if counts and values else count, times[row] if times else -1)


def _fact(key: str) -> str:
    own = {name: fact for fact, name in wire.FACTS.items()}
    return own.get(key, key.removeprefix(wire.OTHER_FACTS))


def _plain(value: Any) -> str | int | None:
    """Return a text or a number; lists and the like are left out."""
    which = value.WhichOneof("value")
    if which in {"string_value", "int_value"}:
        found: str | int = getattr(value, which)
        return found
    return str(getattr(value, which)) if which in {"bool_value", "double_value"} else None
