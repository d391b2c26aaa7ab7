"""A ring buffer of BPF programs, read where the kernel writes it.

Its layout (kernel/bpf/ringbuf.c): a page with the reader's position, a page with the writer's, and the data,
which is mapped twice in a row, so that what runs over the end lies in one piece. Each record has a head of 8
bytes, whose first 4 are its length, and two bits: it is still being written; it was given up.
"""

import mmap
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

_POSITION = struct.Struct("=Q")
_LENGTH = struct.Struct("=I")
_HEAD, _ALIGN = 8, 8
_BUSY, _GIVEN_UP = 1 << 31, 1 << 30


class RingBuffer:
    """A ring buffer.

    Args:
        descriptor: Of the map.
        size: Its bytes.

    Attributes:
        size: As given.
        copied: Bytes that were read so far.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor, self.copied, self.size = descriptor, 0, size
        page = mmap.PAGESIZE
        self._reader = mmap.mmap(descriptor, page)
        self._writer = mmap.mmap(descriptor, page + 2 * size, prot=mmap.PROT_READ, offset=page)

    @property
    def waiting(self) -> int:
        """Bytes that are there to be read."""
        begin, end = self._positions()
        return end - begin

    def read(self, most: int) -> Iterator[list[memoryview]]:
        """Take the records that are there, in their order, so many at once.

        They lie where the kernel wrote them, which gets the room back when the next ones are asked for.
        """
        begin, end = self._positions()
        at, found = begin, list[memoryview]()
        with memoryview(self._writer) as data:
            while at < end:
                place = mmap.PAGESIZE + at % self.size
                (length,) = _LENGTH.unpack_from(data, place)
                if length & _BUSY:
                    break
                length &= ~_GIVEN_UP
                found.append(data[place + _HEAD : place + _HEAD + length])
                at += _HEAD + length + -length % _ALIGN
                if len(found) == most:
                    yield found
                    begin = self._done(begin, at, found)
            if found:
                yield found
            self._done(begin, at, found)

    def read_all(self, layout: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """Take the records that are there, where all are of one layout, whose size is a multiple of 8."""
        begin, end = self._positions()
        whole = np.dtype([("length", "u4"), ("page", "u4"), ("record", layout)])
        found = np.frombuffer(
            self._writer, whole, (end - begin) // whole.itemsize, mmap.PAGESIZE + begin % self.size
        )
        busy = found["length"] >= _BUSY
        ready = int(busy.argmax()) if busy.any() else len(found)
        taken = found["record"][:ready].copy()
        self._done(begin, begin + ready * whole.itemsize, [])
        return taken

    def _positions(self) -> tuple[int, int]:
        (begin,), (end,) = _POSITION.unpack_from(self._reader, 0), _POSITION.unpack_from(self._writer, 0)
        return begin, end

    def _done(self, begin: int, end: int, found: list[memoryview]) -> int:
        """Give room back; return where what is left begins."""
        while found:
            found.pop().release()
        self.copied += end - begin
        _POSITION.pack_into(self._reader, 0, end)
        return end

    def close(self) -> None:
        """Let go of the memory."""
        self._reader.close()
        self._writer.close()
