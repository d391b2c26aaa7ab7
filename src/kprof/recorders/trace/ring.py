"""The ring buffer of BPF programs, read in place; see Documentation/bpf/ringbuf.rst."""

import mmap
import struct
from collections.abc import Iterator
from typing import Self

import numpy as np

_HEAD = struct.Struct("=II")
_BUSY, _DISCARDED = 1 << 31, 1 << 30
_LENGTH = _DISCARDED - 1


class Ring:
    """A ring buffer.

    The kernel maps its data twice, one behind the other, so that no record is cut.

    Args:
        descriptor: Of the map.
        size: Of the data, in bytes.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor, self._size = descriptor, size
        page = mmap.PAGESIZE
        self._own = mmap.mmap(descriptor, page)
        self._theirs = mmap.mmap(descriptor, page + 2 * size, prot=mmap.PROT_READ, offset=page)
        # Numbers that are written and read whole.
        self._read_to = np.frombuffer(self._own, np.uint64, 1)
        self._written_to = np.frombuffer(self._theirs, np.uint64, 1)
        self._data = memoryview(self._theirs)[page:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> Iterator[bytes]:
        """Give the complete records; the room of each is given back when the next one is asked for."""
        at = int(self._read_to[0])
        while at < int(self._written_to[0]):
            place = at % self._size
            (length, _) = _HEAD.unpack_from(self._data, place)
            if length & _BUSY:
                return
            if not length & _DISCARDED:
                yield bytes(self._data[place + _HEAD.size : place + _HEAD.size + (length & _LENGTH)])
            at += _HEAD.size + ((length & _LENGTH) + 7 & ~7)
            self._read_to[0] = at

    def close(self) -> None:
        """Give the memory back."""
        self._data.release()
        del self._read_to, self._written_to
        self._theirs.close()
        self._own.close()
