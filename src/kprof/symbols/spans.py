"""Symbols that were looked up before: where each begins and ends, and the gaps between them that were met."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprof.model.tables import Int64, UInt64

_COUNTS = struct.Struct("<2Q")
_MOST = 1 << 31


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Names of ranges of addresses, none overlapping.

    Attributes:
        start: Where each begins, sorted, shape (n,). uint64.
        end: Where each ends, exclusive, shape (n,). uint64.
        text_end: Where the name of each ends in `text`; an empty one says that nothing is there. int64.
        text: Names.
    """

    start: UInt64
    end: UInt64
    text_end: Int64
    text: bytes

    @classmethod
    def of(cls, start: UInt64, end: UInt64, names: list[bytes]) -> Spans:
        """Make spans of columns in any order. Of those that begin at one address, the last is kept."""
        latest = dict(zip(start.tolist(), zip(end.tolist(), names, strict=True), strict=True))
        order = sorted(latest)
        ends = np.array([latest[at][0] for at in order], np.uint64)
        kept = [latest[at][1] for at in order]
        lengths = np.cumsum(np.array([len(name) for name in kept], np.int64))
        return cls(np.array(order, np.uint64), ends, lengths, b"".join(kept))

    def find(self, addresses: UInt64) -> Int64:
        """Return the row that holds each address, -1 where none does."""
        if not len(self.start):
            return np.full(len(addresses), -1, np.int64)
        at = np.searchsorted(self.start, addresses, "right") - 1
        return np.where((at >= 0) & (addresses < self.end[at]), at, -1).astype(np.int64)

    def names(self, rows: Int64) -> list[bytes]:
        """Return the names of rows."""
        begins = np.concatenate([[0], self.text_end])[rows].tolist()
        return [self.text[a:b] for a, b in zip(begins, self.text_end[rows].tolist(), strict=True)]

    def with_others(self, others: Spans) -> Spans:
        """Return these and others."""
        start, end = (np.concatenate([a, b]) for a, b in ((self.start, others.start), (self.end, others.end)))
        names = [name for spans in (self, others) for name in spans.names(np.arange(len(spans.start)))]
        return Spans.of(start, end, names)

    def encode(self) -> bytes:
        """Return all columns as bytes, little-endian: two counts, and then the columns."""
        columns = (self.start.astype("<u8"), self.end.astype("<u8"), self.text_end.astype("<i8"))
        counts = _COUNTS.pack(len(self.start), len(self.text))
        return counts + b"".join(column.tobytes() for column in columns) + self.text

    @classmethod
    def decode(cls, data: bytes) -> Spans:
        """Return what `encode` made bytes of.

        Raises:
            ValueError: It is something else.
        """
        if len(data) < _COUNTS.size:
            raise ValueError("too short")
        count, size = _COUNTS.unpack_from(data)
        if count > _MOST or len(data) != _COUNTS.size + 24 * count + size:
            raise ValueError("impossible counts")
        columns: list[npt.NDArray[np.uint64]] = [
            np.frombuffer(data, "<u8", count, _COUNTS.size + 8 * count * i).astype(np.uint64)
            for i in range(3)
        ]
        start, end, text_end = columns[0], columns[1], columns[2].astype(np.int64)
        bounds = np.concatenate([[0], text_end, [size]])
        if (start[1:] < end[:-1]).any() or (start >= end).any() or (np.diff(bounds) < 0).any():
            raise ValueError("its columns do not agree")
        return cls(start, end, text_end, data[_COUNTS.size + 24 * count :])


NO_SPANS = Spans.of(np.empty(0, np.uint64), np.empty(0, np.uint64), [])
