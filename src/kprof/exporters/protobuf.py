"""Protocol buffers, as far as writing pprof needs them.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterable

from kprof.wire.pprof import BYTES, VARINT

_SMALL = [bytes([value]) for value in range(128)]
_SIGN = 1 << 64


def varint(value: int) -> bytes:
    """Return a whole number, seven bits a byte, lowest first; a negative one takes ten bytes."""
    if 0 <= value < len(_SMALL):
        return _SMALL[value]
    value %= _SIGN
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """Return a field that holds a number; nothing for 0, which is what a missing field means."""
    return varint(field << 3 | VARINT) + varint(value) if value else b""


def message(field: int, content: bytes) -> bytes:
    """Return a field that holds bytes, a text or another message."""
    return varint(field << 3 | BYTES) + varint(len(content)) + content


def packed(field: int, values: Iterable[bytes]) -> bytes:
    """Return a field that holds many numbers, each encoded already; nothing if there are none."""
    content = b"".join(values)
    return message(field, content) if content else b""


class Strings:
    """A table of texts, each held once; row 0 is the empty one."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {"": 0}

    def row(self, text: str) -> int:
        """Return the row of a text."""
        return self._rows.setdefault(text, len(self._rows))

    def encode(self, field: int) -> bytes:
        """Return the whole table."""
        # A name that is not UTF-8 is no text in protocol buffers: readers refuse the whole file.
        return b"".join(message(field, text.encode(errors="replace")) for text in self._rows)
