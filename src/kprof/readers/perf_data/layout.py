"""The head of perf.data: where its events, records and feature sections lie."""

import struct
from dataclasses import dataclass

from kprof.errors import FormatError
from kprof.wire import perf_file as wire

_MIN_ATTR = 64
_ID_SECTION = 16


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in a file.

    Attributes:
        order: `<` or `>`, the byte order of the file.
        events: Of every event: its perf_event_attr, and its ids as bytes.
        start: Where records begin.
        end: Where they end.
        sections: Number, offset and size of the feature sections that are there.
        cut: Whether the file ends before it should.
    """

    order: str
    events: list[tuple[bytes, bytes]]
    start: int
    end: int
    sections: list[tuple[int, int, int]]
    cut: bool


def byte_order(head: bytes) -> str:
    """Return `<` or `>`."""
    return "<" if head.startswith(wire.MAGIC) else ">"


def is_pipe(head: bytes) -> bool:
    """Say whether the recording was written to a pipe: all that it holds are records."""
    if len(head) < wire.PIPE_HEADER_BYTES:
        return False
    (size,) = struct.unpack_from(f"{byte_order(head)}Q", head, 8)
    return bool(size == wire.PIPE_HEADER_BYTES)


def read_layout(data: memoryview, name: str) -> Layout:
    """Read the head of a file.

    Raises:
        FormatError: It is cut off or damaged.
    """
    order = byte_order(bytes(data[:8]))
    if len(data) < wire.FILE_HEADER_BYTES:
        raise FormatError(f"{name}: this perf.data ends within its head", "record it again")
    values = struct.unpack_from(f"{order}8Q", data, 8)
    attr_size, attrs_at, attrs_size, start, size = values[1:6]
    if attr_size < _MIN_ATTR + _ID_SECTION or attrs_at + attrs_size > len(data) or start > len(data):
        raise FormatError(f"{name}: this perf.data is cut off or damaged: its events lie outside of it")
    # perf writes the size when it ends; one that was killed leaves 0.
    end = start + size if size else len(data)
    cut = not size or end > len(data)
    end = min(end, len(data))
    events = []
    for at in range(attrs_at, attrs_at + attrs_size - attr_size + 1, attr_size):
        attr = bytes(data[at : at + attr_size - _ID_SECTION])
        ids_at, ids_size = struct.unpack_from(f"{order}2Q", data, at + attr_size - _ID_SECTION)
        events.append((attr, bytes(data[ids_at : ids_at + ids_size])))
    return Layout(order, events, start, end, [] if cut else _sections(data, order, end), cut)


def _sections(data: memoryview, order: str, at: int) -> list[tuple[int, int, int]]:
    words = struct.unpack_from(f"{order}{wire.FEATURE_BITS // 64}Q", data, wire.FEATURE_BITS_OFFSET)
    numbers = [64 * i + bit for i, word in enumerate(words) for bit in range(64) if word >> bit & 1]
    found = []
    for number in numbers:
        if at + _ID_SECTION > len(data):
            break
        offset, size = struct.unpack_from(f"{order}2Q", data, at)
        at += _ID_SECTION
        if offset + size <= len(data):
            found.append((number, offset, size))
    return found
