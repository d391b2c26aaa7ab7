"""Formats of tracepoints, as perf keeps them: the layout is that of `trace.dat(5)`, before its version 7.

In the Linux sources, `tools/perf/util/trace-event-info.c` writes it and `trace-event-read.c` reads it.
Only the formats are needed; kallsyms, printk's formats and the names of threads behind them are not read.
"""

import re
import struct
from collections.abc import Iterator

_MAGIC = b"\x17\x08\x44tracing"
_BIG_ENDIAN = 1
# Behind the version: byte order, bytes of a long, size of a page.
_HEAD_BYTES = 6
_LONG_BYTES = 8
_NAME_AND_ID = re.compile(rb"name: (.+)\nID: (\d{1,9})\n")


def formats_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Give system and format of each tracepoint, up to where the data is damaged or ends."""
    if not data.startswith(_MAGIC):
        return
    try:
        yield from _formats(data)
    except (struct.error, ValueError):
        return


def head_of(text: bytes) -> tuple[str, int] | None:
    """Return the name and the number of a tracepoint, None if its format does not begin as one does."""
    found = _NAME_AND_ID.match(text)
    return (found[1].decode(errors="surrogateescape"), int(found[2])) if found else None


def long_bytes(data: bytes) -> int:
    """Return the bytes of a `long` of the kernel that was recorded; 8 if the data does not tell."""
    at = data.find(b"\0", len(_MAGIC)) + 2
    size = data[at] if data.startswith(_MAGIC) and 1 < at < len(data) else 0
    return size if size in {4, 8} else _LONG_BYTES


def _formats(data: bytes) -> Iterator[tuple[str, bytes]]:
    # Counts and sizes may be anything: each step moves on, and what lies outside ends it.
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
