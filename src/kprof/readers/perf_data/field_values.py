"""Raw data of samples -> a column a field."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kprof.system.event_formats import LOCATION_BYTES, Field

# Numbers are an array, of two dimensions where each sample has several; what differs in length is a list.
Column = npt.NDArray[Any] | list[str] | list[npt.NDArray[Any]]
Places = npt.NDArray[np.int64]
_OWN_ORDER = "<" if sys.byteorder == "little" else ">"
_LOW = 0xFFFF


@dataclass(frozen=True, slots=True)
class RawData:
    """Raw data of samples of one tracepoint.

    Attributes:
        data: Bytes in which it lies.
        start: Where that of each sample begins. int64, shape (n,).
        size: How many bytes each has. int64, shape (n,).
        order: `<` or `>`, the byte order of the recording.
    """

    data: bytes
    start: Places
    size: Places
    order: str

    def take(self, rows: npt.NDArray[np.bool_]) -> "RawData":
        """Return the chosen samples."""
        return RawData(self.data, self.start[rows], self.size[rows], self.order)

    def whole(self, fields: Sequence[Field]) -> npt.NDArray[np.bool_]:
        """Say of every sample whether all its fields lie within it.

        So must what they point at, and in sum: else many fields could point at the same bytes, and a small
        recording fill all memory.
        """
        fits: npt.NDArray[np.bool_] = self.size >= max((field.end for field in fields), default=0)
        some = self.take(fits)
        pointed = np.zeros(len(some.size), np.int64)
        good = np.ones(len(some.size), bool)
        for field in fields:
            if field.location:
                at, size = some.located(field)
                good &= (size == 0) | (at + size <= some.size)
                pointed += size
        fits[fits] = good & (pointed <= some.size)
        return fits

    def located(self, field: Field) -> tuple[Places, Places]:
        """Return where in each sample the data of a field begins, and how many bytes it has."""
        word = self._fixed(field.offset, LOCATION_BYTES).view(f"{self.order}u4")[:, 0].astype(np.int64)
        return (word & _LOW) + (field.end if field.location == "rel" else 0), word >> 16

    def column(self, field: Field) -> Column:
        """Return a field of samples that are whole: a number, a text or an array of numbers each."""
        if field.location:
            return self._dynamic(field)
        if field.is_text:
            return _texts(self._fixed(field.offset, field.size).view(f"S{field.size}")[:, 0].tolist())
        kind = f"{'i' if field.signed else 'u'}{field.width}"
        numbers = self._fixed(field.offset, field.size).view(f"{self.order}{kind}")
        if self.order != _OWN_ORDER:
            numbers = numbers.astype(kind)
        return numbers if field.is_array else numbers[:, 0]

    def _fixed(self, offset: int, size: int) -> npt.NDArray[np.uint8]:
        """Return the bytes at an offset, a sample a row."""
        if not len(self.start):
            return np.zeros((0, size), np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(self.data, np.uint8), size)
        return np.ascontiguousarray(windows[self.start + offset])

    def _dynamic(self, field: Field) -> Column:
        at, size = self.located(field)
        parts = list(zip((self.start + at).tolist(), size.tolist(), strict=True))
        if field.is_text:
            return _texts(self.data[begin : begin + length] for begin, length in parts)
        kind = f"{'i' if field.signed else 'u'}{field.width}"
        foreign = np.dtype(f"{self.order}{kind}")
        found = []
        for begin, length in parts:
            count = length // field.width
            # What is empty may lie anywhere.
            here = np.frombuffer(self.data, foreign, count, begin) if count else np.zeros(0, foreign)
            found.append(here.astype(kind))
        return found


def _texts(parts: Iterable[bytes]) -> list[str]:
    """Return text up to the first zero byte of each."""
    # Most are met again and again.
    known: dict[bytes, str] = {}
    found = []
    for part in parts:
        text = known.get(part)
        if text is None:
            text = known[part] = part.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        found.append(text)
    return found
