"""Exporter of pprof: `profile.proto`, packed with gzip.

Source: https://github.com/google/pprof/blob/main/proto/profile.proto. Each event gives two values a sample:
how many samples, and what they weigh, so that neither is ever taken for the other. Inlined functions are the
lines of one location. `default_sample_type` stays unset: some readers stumble over it.
"""

import gzip
from dataclasses import fields

import numpy as np

from kprof.exporters.protobuf import Strings, message, number, packed, varint
from kprof.model import Event, Kind, Profile
from kprof.model.labels import UNKNOWN, split_source
from kprof.wire import pprof as wire

_PAGE = 0x1000
_LEVEL = 6
_FIRST_BASE = 0x400000


def render(profile: Profile) -> bytes:
    """Return a profile, all its events included, as a `.pb.gz` file.

    What it cannot hold: kinds of frames, other than by the names of files. Names that are not UTF-8 are
    changed.
    """
    # No time of writing: equal profiles are equal files.
    return gzip.compress(encode(profile), _LEVEL, mtime=0)


def encode(profile: Profile) -> bytes:
    """Return a profile as `profile.proto`, not packed."""
    strings = Strings()
    counted = profile.meta.knows_samples
    types = [pair for event in profile.meta.events for pair in _types(event, profile, counted=counted)]
    parts = [
        message(wire.SAMPLE_TYPE, _value_type(strings.row(name), strings.row(unit))) for name, unit in types
    ]
    places, mappings = _mappings(profile, strings)
    locations = _Locations(profile, places, strings)
    parts += _samples(profile, locations, strings, counted=counted)
    parts += [*mappings, *locations.encoded, *locations.functions]
    comments = [strings.row(text) for text in _comments(profile)]
    times = profile.samples.time_ns
    if times is not None and len(known := times[times >= 0]):
        parts.append(number(wire.DURATION_NANOS, int(known.max()) - int(known.min())))
    parts += [strings.encode(wire.STRING_TABLE), packed(wire.COMMENT, map(varint, comments))]
    return b"".join(parts)


def _value_type(name: int, unit: int) -> bytes:
    return number(wire.VALUE_TYPE, name) + number(wire.VALUE_UNIT, unit)


def _types(event: Event, profile: Profile, *, counted: bool) -> list[tuple[str, str]]:
    """Return name and unit of an event's values: the number of samples, if it is known, and the weight."""
    # The plain name is what every viewer knows; with several events, each needs its own.
    samples = "samples" if len(profile.meta.events) == 1 else f"{event.name}_samples"
    weight = event.name if event.name != "samples" else "weight"
    unit = wire.UNITS.get(event.unit, "count")
    return [(samples, "count"), (weight, unit)] if counted else [(weight, unit)]


def _mappings(profile: Profile, strings: Strings) -> tuple[list[int], list[bytes]]:
    """Return what to add to the addresses of each mapping, and the mappings.

    An offset in a file becomes an address in a range of its own that no other file shares, an address stays
    what it is.
    """
    frames, added, encoded = profile.frames, [], []
    base = _FIRST_BASE
    for row, path in enumerate(profile.mappings.path):
        inside = frames.mapping == row
        addresses = frames.address[inside]
        low, high = (int(addresses.min()), int(addresses.max())) if len(addresses) else (0, 0)
        if np.all(np.isin(frames.kind[inside], (Kind.USER, Kind.INLINED, Kind.VDSO))) and high >> 63 == 0:
            start, offset, shift = base, 0, base
            base += (high // _PAGE + 1) * _PAGE
        else:
            start = offset = low - low % _PAGE
            shift = 0
        build_id = profile.mappings.build_id[row] if profile.mappings.build_id else ""
        added.append(shift)
        content = [
            number(wire.MAPPING_ID, row + 1),
            number(wire.MAPPING_START, start),
            number(wire.MAPPING_LIMIT, min((high + shift) // _PAGE * _PAGE + _PAGE, (1 << 64) - 1)),
            number(wire.MAPPING_OFFSET, offset),
            number(wire.MAPPING_FILENAME, strings.row(path)),
            number(wire.MAPPING_BUILD_ID, strings.row(build_id)),
            *(number(flag, 1) for flag in wire.MAPPING_HAS),
        ]
        encoded.append(message(wire.MAPPING, b"".join(content)))
    return added, encoded


class _Locations:
    """Locations and functions, numbered from 1 as they are met.

    Attributes:
        of: Location of each stack's leaf, encoded.
        above: Stack below which the location of each stack stands, -1 at a root.
        encoded: The locations.
        functions: The functions.
    """

    def __init__(self, profile: Profile, places: list[int], strings: Strings) -> None:
        self._profile, self._places, self._strings = profile, places, strings
        self._numbers: dict[tuple[int, ...], bytes] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self.encoded: list[bytes] = []
        self.functions: list[bytes] = []
        self.of: list[bytes] = []
        self.above: list[int] = []
        joined = _joined(profile).tolist()
        held: list[tuple[int, ...]] = []
        parents, leaves = profile.stacks.parent.tolist(), profile.stacks.frame.tolist()
        for node, (parent, frame) in enumerate(zip(parents, leaves, strict=True)):
            held.append((*held[parent], frame) if joined[node] else (frame,))
            self.above.append(self.above[parent] if joined[node] else parent)
            self.of.append(self._number(held[node]))

    def _number(self, frames: tuple[int, ...]) -> bytes:
        found = self._numbers.get(frames)
        if found is None:
            found = self._numbers[frames] = varint(len(self._numbers) + 1)
            self.encoded.append(message(wire.LOCATION, self._location(len(self._numbers), frames)))
        return found

    def _location(self, own: int, frames: tuple[int, ...]) -> bytes:
        table = self._profile.frames
        mapping = int(table.mapping[frames[0]])
        address = int(table.address[frames[0]])
        if mapping >= 0:
            address += self._places[mapping]
        # The innermost line comes first.
        lines = [self._line(frame) for frame in reversed(frames)]
        return b"".join((
            number(wire.LOCATION_ID, own),
            number(wire.LOCATION_MAPPING_ID, mapping + 1),
            number(wire.LOCATION_ADDRESS, address),
            *lines,
        ))  # fmt: skip

    def _line(self, frame: int) -> bytes:
        table = self._profile.frames
        name, source = table.name[frame], table.source[frame] if table.source else ""
        if name == UNKNOWN and (table.mapping[frame] >= 0 or table.address[frame]):
            return b""  # the address says more
        file, line = split_source(source)
        key = (name, file)
        own = self._functions.get(key)
        if own is None:
            own = self._functions[key] = len(self._functions) + 1
            row = self._strings.row(name)
            content = number(wire.FUNCTION_ID, own) + number(wire.FUNCTION_NAME, row)
            content += number(wire.FUNCTION_SYSTEM_NAME, row)
            content += number(wire.FUNCTION_FILENAME, self._strings.row(file))
            self.functions.append(message(wire.FUNCTION, content))
        return message(wire.LOCATION_LINE, number(wire.LINE_FUNCTION_ID, own) + number(wire.LINE_LINE, line))

    def path(self, stack: int) -> bytes:
        """Return the locations of a stack, leaf first."""
        found = []
        while stack >= 0:
            found.append(self.of[stack])
            stack = self.above[stack]
        return packed(wire.SAMPLE_LOCATION_ID, found)


def _joined(profile: Profile) -> np.ndarray:
    """Say of every stack whether its leaf was inlined into the frame above, at the same address."""
    frames, stacks = profile.frames, profile.stacks
    frame = stacks.frame
    above = stacks.frame[stacks.parent]  # of a root, some other frame
    same = (frames.mapping[frame] == frames.mapping[above]) & (frames.address[frame] == frames.address[above])
    inlined: np.ndarray = (frames.kind[frame] == Kind.INLINED) & same & (stacks.parent >= 0)
    return inlined


def _samples(profile: Profile, locations: _Locations, strings: Strings, *, counted: bool) -> list[bytes]:
    samples = profile.samples
    paths: dict[int, bytes] = {}
    labels = _labels(profile, strings)
    width = 2 if counted else 1
    zeros = [[b"\0"] * (width * e) for e in range(len(profile.meta.events))]
    out = []
    columns = (
        samples.stack.tolist(),
        samples.event.tolist(),
        samples.weight.tolist(),
        samples.count.tolist(),
    )
    for row, (stack, event, weight, count) in enumerate(zip(*columns, strict=True)):
        path = paths.get(stack)
        if path is None:
            path = paths[stack] = locations.path(stack)
        own = [varint(count), varint(weight)] if counted else [varint(weight)]
        values = packed(wire.SAMPLE_VALUE, [*zeros[event], *own, *zeros[len(zeros) - 1 - event]])
        out.append(message(wire.SAMPLE, b"".join((path, values, *(column[row] for column in labels)))))
    return out


def _labels(profile: Profile, strings: Strings) -> list[list[bytes]]:
    """Return the encoded labels of every sample, a list a column."""
    found = []
    texts = {"comm": profile.comms, "cgroup": profile.cgroups}
    for label, name in wire.LABELS.items():
        values = getattr(profile.samples, name)
        if values is None:
            continue
        key = number(wire.LABEL_KEY, strings.row(label))
        unit = number(wire.LABEL_NUM_UNIT, strings.row("nanoseconds")) if name == "time_ns" else b""
        distinct, of = np.unique(values, return_inverse=True)
        encoded = []
        for value in distinct.tolist():
            if name in texts:
                content = number(wire.LABEL_STR, strings.row(texts[name][value]) if value >= 0 else 0)
            else:
                content = number(wire.LABEL_NUM, value) + unit
            encoded.append(message(wire.SAMPLE_LABEL, key + content) if value >= 0 else b"")
        found.append([encoded[i] for i in of.tolist()])
    return found


def _comments(profile: Profile) -> list[str]:
    """Return what is known of the recording, as `key: value`."""
    quality = profile.meta.quality
    lines = [f"{key}: {value}" for key, value in profile.meta.facts.items()]
    for field in fields(quality):
        value = getattr(quality, field.name)
        if isinstance(value, dict):
            lines += [f"quality.{field.name}.{cause}: {n}" for cause, n in value.items()]
        elif value:
            lines.append(f"quality.{field.name}: {value}")
    return lines
