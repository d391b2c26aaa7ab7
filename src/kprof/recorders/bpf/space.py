"""The log of address spaces: what was mapped where, by which process, when.

A dummy event on each CPU gets the kernel's records of mappings, names, forks and exits. They
are kept as they are; a reader replays them. So a process that lived for a millisecond is known as well as one
that still runs.
"""

import mmap
import os
import struct
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

import numpy as np

from kprof.recorders.bpf import libbpf
from kprof.wire import perf_abi as abi

_PAGES = 128
_FLAGS = (
    abi.MMAP | abi.MMAP2 | abi.COMM | abi.COMM_EXEC | abi.TASK | abi.KSYMBOL
    | abi.SAMPLE_ID_ALL | abi.USE_CLOCKID | abi.WATERMARK
)  # fmt: skip


class SpaceLog:
    """The log of some CPUs, from its opening on.

    Args:
        cpus: The CPUs.

    Raises:
        OSError: The kernel refuses.
    """

    def __init__(self, cpus: Sequence[int]) -> None:
        self._rings: list[_Ring] = []
        with ExitStack() as stack:
            stack.callback(self.close)
            for cpu in cpus:
                self._rings.append(_Ring(cpu))
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def descriptors(self) -> list[int]:
        """What is ready to be read when a ring is half full."""
        return [ring.descriptor for ring in self._rings]

    def read(self) -> bytes:
        """Return all records that came since the last call."""
        return b"".join(ring.read() for ring in self._rings)

    def close(self) -> None:
        """End the log."""
        while self._rings:
            self._rings.pop().close()


class _Ring:
    def __init__(self, cpu: int) -> None:
        self._size = _PAGES * mmap.PAGESIZE
        attr = np.zeros(1, abi.ATTR)
        attr["type"], attr["size"], attr["config"] = abi.TYPE_SOFTWARE, abi.ATTR.itemsize, abi.SOFTWARE_DUMMY
        attr["period"], attr["flags"], attr["sample_type"] = 1, _FLAGS, abi.ID_BITS
        attr["clockid"], attr["wakeup"] = time.CLOCK_MONOTONIC, self._size // 2
        self.descriptor = libbpf.perf_event_open(attr, cpu=cpu)
        try:
            self._map = mmap.mmap(self.descriptor, mmap.PAGESIZE + self._size)
        except OSError:
            os.close(self.descriptor)
            raise

    def read(self) -> bytes:
        """Return what the kernel wrote, and give it the room back."""
        head, tail = struct.unpack_from("=QQ", self._map, abi.RING_HEAD)
        if head == tail:
            return b""
        start, end = tail % self._size, head % self._size
        data = memoryview(self._map)[mmap.PAGESIZE :]
        try:
            found = bytes(data[start:end]) if start < end else bytes(data[start:]) + bytes(data[:end])
        finally:
            data.release()
        struct.pack_into("=Q", self._map, abi.RING_TAIL, head)
        return found

    def close(self) -> None:
        self._map.close()
        os.close(self.descriptor)
