"""How much the maps of a recording hold: their memory is taken at once, and does not grow."""

import mmap
from dataclasses import dataclass
from typing import Any

import numpy as np

from kprof.recorders.bpf.libbpf import possible_cpus
from kprof.wire import bpf_events as layout

_ROWS = (1 << 14, 1 << 18)
_RECORDS = 1 << 23
# Copies for so many seconds, if each is of half the size that it may have.
_COPIES, _COPIES_SECONDS = (1 << 24, 1 << 26), 1
# As programs/maps.h, scope.h and count.h have them.
_OPEN, _TARGETS, _COPIERS, _SCRATCHES = 1 << 15, 1 << 14, 3, 8
# What an element takes besides key and value, in a hash map of the kernel.
_ELEMENT = 64
# One of `blocks` with all that, rounded up as the kernel's allocator does.
_BLOCK = 128


@dataclass(frozen=True, slots=True)
class Rooms:
    """Room for what programs count.

    Attributes:
        rows: How many rows, and as many stacks.
        records: Bytes of rows with time stamps, which take the place of the rows; 0 for none.
        copies: Bytes of copies of stacks; 0 for none.
        blocks: Blocks of memory that are not freed; their memory is taken as they come.
    """

    rows: int
    records: int = 0
    copies: int = 0
    blocks: int = 0

    @property
    def memory(self) -> int:
        """Bytes that the maps take in the kernel, at most."""
        row = layout.KEY.itemsize + layout.ROW.itemsize + _ELEMENT
        stack = 8 + layout.STACK.itemsize + _ELEMENT
        begun = layout.OPEN_KEY.itemsize + layout.OPEN.itemsize + _ELEMENT
        copiers = layout.COPY.itemsize * (_COPIERS if self.copies else 1)
        each_cpu = (copiers + _SCRATCHES * layout.STACK.itemsize) * possible_cpus()
        tasks = (1 + bool(self.copies)) * _TARGETS * (8 + _ELEMENT)
        counted = self.records or 2 * self.rows * row
        counted += self.blocks * _BLOCK
        return counted + self.copies + self.rows * stack + _OPEN * begun + tasks + each_cpu

    def of_maps(self) -> dict[str, int]:
        """Return how many elements maps hold, or bytes buffers: what is not used takes little."""
        rows = 1 if self.records else self.rows
        return {
            "rows_a": rows,
            "rows_b": rows,
            "stacks": self.rows,
            "joins": self.rows,
            "blocks": self.blocks or 1,
            "records": self.records or mmap.PAGESIZE,
            "copies": self.copies or mmap.PAGESIZE,
            "copiers": _COPIERS if self.copies else 1,
            "framed": _TARGETS if self.copies else 1,
        }


def rooms_for(settings: np.ndarray[Any, Any], rate: int) -> Rooms:
    """Return what suits a recording.

    Args:
        settings: One `bpf_events.SETTINGS`.
        rate: About how many rows a second may come at most; 0 if that is not known.
    """
    rows = min(max(_ROWS[0], 1 << (rate - 1).bit_length()), _ROWS[1])
    copied = int(settings["copy_bytes"][0]) // 2 if settings["events"]["copies"].any() else 0
    asked = 1 << (rate * copied * _COPIES_SECONDS).bit_length()
    copies = min(max(asked, _COPIES[0]), _COPIES[1]) if copied else 0
    return Rooms(rows, _RECORDS if settings["timestamps"][0] else 0, copies)
