"""Names of events that a recording does not list: of tracepoints by their formats, and simpleperf's own."""

import re
import struct
from collections.abc import Iterator

_MAGIC = b"\x17\x08\x44tracing"
_BIG_ENDIAN = 1
# Behind the version: byte order, bytes of a long, size of a page.
_HEAD_BYTES = 6
_NAME_AND_ID = re.compile(rb"name: (.+)\nID: (\d+)\n")
_EVENT_TYPES = b"event_type_info"


def names_of_tracepoints(data: bytes) -> dict[int, str]:
    """Return the name of each tracepoint by its number, as far as the formats are whole.

    Args:
        data: What perf keeps of the formats; see `trace.dat(5)`, whose version 0.5 this is.
    """
    names: dict[int, str] = {}
    if not data.startswith(_MAGIC):
        return names
    try:
        for system, text in _formats(data):
            if found := _NAME_AND_ID.match(text):
                names[int(found[2])] = f"{system}:{found[1].decode(errors='surrogateescape')}"
    except (struct.error, ValueError):
        pass
    return names


def _formats(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the system and the format of each tracepoint."""
    at = data.index(b"\0", len(_MAGIC)) + 1
    order = ">" if data[at : at + 1] == bytes([_BIG_ENDIAN]) else "<"
    at += _HEAD_BYTES
    for _ in range(2):
        at = _sized(data, data.index(b"\0", at) + 1, order)[1]
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    for _ in range(count):
        at = _sized(data, at, order)[1]
    (systems,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    for _ in range(systems):
        end = data.index(b"\0", at)
        system = data[at:end].decode(errors="surrogateescape")
        (count,) = struct.unpack_from(f"{order}I", data, end + 1)
        at = end + 5
        for _ in range(count):
            text, at = _sized(data, at, order)
            yield system, text


def _sized(data: bytes, at: int, order: str) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(f"{order}Q", data, at)
    at += 8
    if size > len(data) - at:
        raise ValueError("cut off")
    return data[at : at + size], at + size


def names_by_simpleperf(section: bytes) -> dict[tuple[int, int], str]:
    """Return the name of each event by its type and config, from simpleperf's section of keys and values."""
    words = section.split(b"\0")
    values = dict(zip(words[::2], words[1::2], strict=False))
    names = {}
    for line in values.get(_EVENT_TYPES, b"").decode(errors="surrogateescape").splitlines():
        name, *numbers = line.rsplit(",", 2)
        if len(numbers) == 2 and all(number.isdecimal() for number in numbers):  # noqa: PLR2004 - type, config
            names[int(numbers[0]), int(numbers[1])] = name
    return names
