"""Protocol buffers, as far as reading pprof needs them.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator

from kprof.wire.pprof import BYTES, FIXED32, FIXED64, VARINT

Value = int | bytes
_LONGEST = 10
# The highest bit of a byte says that more follow.
_MORE = 0x80
_SIGN_BIT, _SIGN = 1 << 63, 1 << 64
_FIXED = {FIXED64: 8, FIXED32: 4}


class DamagedMessageError(ValueError):
    """The bytes are no message."""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift, end = 0, 0, at + _LONGEST
    while at < end:
        if at >= len(data):
            raise DamagedMessageError("it ends within a number")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < _MORE:
            return value % _SIGN, at
        shift += 7
    raise DamagedMessageError("a number is longer than ten bytes")


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Give number and value of each field of a message.

    Raises:
        DamagedMessageError: It ends within a field, or has one of a kind that is not known.
    """
    at, end = 0, len(data)
    while at < end:
        # Most numbers are of one byte: what is spelt out here halves the time of reading.
        tag, at = (data[at], at + 1) if data[at] < _MORE else _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = (data[at], at + 1) if at < end and data[at] < _MORE else _varint(data, at)
            yield number, value
            continue
        if kind == BYTES:
            size, at = (data[at], at + 1) if at < end and data[at] < _MORE else _varint(data, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise DamagedMessageError(f"field {number} is of an unknown kind, {kind}")
        if at + size > end:
            raise DamagedMessageError(f"it ends within field {number}")
        part = data[at : at + size]
        at += size
        yield number, part if kind == BYTES else int.from_bytes(part, "little")


def numbers(value: Value) -> list[int]:
    """Return the numbers of a repeated field: one, or many packed together."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        if (byte := value[at]) < _MORE:
            found.append(byte)
            at += 1
        else:
            number, at = _varint(value, at)
            found.append(number)
    return found


def signed(value: int) -> int:
    """Return a number of 64 bits as one with a sign."""
    return value - _SIGN if value >= _SIGN_BIT else value


def content(value: Value) -> bytes:
    """Return the bytes of a field that must hold some.

    Raises:
        DamagedMessageError: It holds a number.
    """
    if isinstance(value, int):
        raise DamagedMessageError("a number stands where a message belongs")
    return value


def plain(data: bytes) -> dict[int, int]:
    """Return the fields of a message that holds only numbers, the last of each; others are passed over."""
    return {number: value for number, value in fields(data) if isinstance(value, int)}
