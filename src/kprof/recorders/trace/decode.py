"""Records of events as rows."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kprof.recorders.trace.events import TracedEvent
from kprof.recorders.trace.fields import Field
from kprof.recorders.trace.values import Value, value_of
from kprof.wire import trace_events as wire

HEAD = struct.Struct("=IIQ")
_RECORD = struct.Struct(f"=IIQQQ6I16s6I{wire.MAX_FIELDS}Q")
_PIECE = struct.Struct("=IIQII")
# Places in a record that is unpacked.
_TIME, _DURATION, _WHO, _COMM, _FRAMES, _CUT, _UNREAD, _VALUES = 3, 4, 5, 11, 12, 15, 16, 18
_IN_WHO = {
    wire.FROM_PID: 0, wire.FROM_TID: 1, wire.FROM_PPID: 2, wire.FROM_UID: 3, wire.FROM_GID: 4,
    wire.FROM_CPU: 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """What is told of one event.

    Attributes:
        event: The event's name.
        time_ns: When, in nanoseconds since 1970; of an interval, when it ended.
        values: The fields that were asked for, by name; None for what could not be read.
        cut: Names of fields of which only a part was kept.
        pid: The process.
        user_stack: Addresses, leaf first.
        kernel_stack: Those of the kernel.
    """

    event: str
    time_ns: int
    values: Mapping[str, Value]
    cut: Sequence[str] = ()
    pid: int = 0
    user_stack: Sequence[int] = ()
    kernel_stack: Sequence[int] = ()


def piece_of(record: bytes) -> bytes:
    """Return what a piece of arguments holds."""
    size = _PIECE.unpack_from(record)[3]
    return record[_PIECE.size : _PIECE.size + size]


class Decoder:
    """Decodes the records of one event.

    Args:
        event: The event.
        wanted: The fields that are shown.
        numbers: Where their values are, by name; what is not there is part of every record.
        since_epoch: What is to be added to the kernel's time.
    """

    def __init__(
        self, event: TracedEvent, wanted: Sequence[Field], numbers: Mapping[str, int], since_epoch: int
    ) -> None:
        self._event, self._wanted, self._numbers, self._since = event, wanted, numbers, since_epoch

    def row(self, record: bytes, words: bytes = b"") -> Row:
        """Return what a record says.

        Args:
            record: The record.
            words: The arguments of a program, which came before it.
        """
        parts = _RECORD.unpack_from(record)
        data = record[_RECORD.size :]
        values: dict[str, Value] = {}
        cut = []
        for each in self._wanted:
            number = self._numbers.get(each.name, -1)
            if each.form == "words":
                values[each.name] = words_of(words)
                is_cut = self._number(parts, "cut") or len(words) < self._number(parts, "args_bytes")
            else:
                values[each.name] = _value(each, parts, data, number)
                is_cut = number >= 0 and parts[_CUT] >> number & 1
            if is_cut:
                cut.append(each.name)
        user, kernel = parts[_FRAMES : _FRAMES + 2]
        frames = user + kernel
        stack = struct.unpack_from(f"={frames}Q", data, len(data) - 8 * frames) if frames else ()
        time_ns = parts[_TIME] + self._since
        return Row(self._event.name, time_ns, values, cut, parts[_WHO], stack[:user], stack[user:])

    def _number(self, parts: Sequence[Any], name: str) -> int:
        return int(parts[_VALUES + self._numbers[name]]) if name in self._numbers else 0


def words_of(words: bytes) -> Value:
    """Return the arguments of a program, each of which has a zero behind it."""
    found = words.split(b"\0")
    # The last one ends with a zero, too, unless it is cut.
    return [word.decode(errors="replace") for word in (found[:-1] if not found[-1] else found)]


def _value(each: Field, parts: Sequence[Any], data: bytes, number: int) -> Value:
    origin = each.place.origin
    if number < 0:
        if origin == wire.FROM_COMM:
            return value_of(each, bytes(parts[_COMM]))
        raw = parts[_DURATION] if origin == wire.FROM_DURATION else parts[_WHO + _IN_WHO[origin]]
        return value_of(each, raw)
    raw = parts[_VALUES + number]
    if not each.is_text:
        return None if parts[_UNREAD] >> number & 1 else value_of(each, raw)
    if raw == wire.UNREADABLE:
        return None
    start = raw >> 32
    return value_of(each, data[start : start + (raw & 0xFFFFFFFF)])
