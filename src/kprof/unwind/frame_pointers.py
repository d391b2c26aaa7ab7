"""Whether the functions of a file keep a frame pointer: its call frame information tells."""

import struct
from collections.abc import Iterator
from itertools import pairwise

from kprof.elf import ElfFile
from kprof.unwind.table import table_of

# Head of .eh_frame_hdr as linkers write it: version, place of .eh_frame, a count, pairs of 32-bit distances
# from the head itself (Linux Standard Base 5.0, 10.6).
_HEAD = b"\x01\x1b\x03\x3b"
_PAIRS_AT, _COUNT_AT = 12, 8
# DWARF numbers of frame pointers: the CFA is counted from it on x86; on ARM it is saved.
_X86_64, _AARCH64 = 62, 183
_RBP, _X29 = 6, 29
# Shorter functions often need no frame.
_LEAST_BYTES, _FEWEST = 64, 10
MOST_FUNCTIONS = 2000
# Of the functions of a file: from here on, frame pointers lead through it.
ENOUGH = 0.6


def share_with_frame_pointers(elf: ElfFile, most: int = MOST_FUNCTIONS) -> float | None:
    """Return the share of functions that keep a frame pointer; None if that cannot be told.

    The call frame information tells it, in the middle of each function.

    Args:
        elf: The file.
        most: How many functions are looked at, of all parts of the file.
    """
    table = table_of(elf)
    if table is None or elf.machine not in {_X86_64, _AARCH64}:
        return None
    seen = kept = 0
    for middle in _middles(elf, most):
        row = table.row(middle)
        if row is not None:
            (kind, register, _), rules = row[0], row[1]
            seen += 1
            kept += register == _RBP and kind != "expression" if elf.machine == _X86_64 else _X29 in rules
    return kept / seen if seen >= _FEWEST else None


def _middles(elf: ElfFile, most: int) -> Iterator[int]:
    """Give addresses in the middle of functions, of some of them if there are many."""
    header, data = elf.section_header(".eh_frame_hdr"), elf.section(".eh_frame_hdr")
    if header is None or data is None or bytes(data[:4]) != _HEAD:
        return
    order = "<" if elf.byteorder == "little" else ">"
    (count,) = struct.unpack_from(f"{order}I", data, _COUNT_AT)
    count = min(count, (len(data) - _PAIRS_AT) // 8)
    pairs = struct.unpack_from(f"{order}{2 * count}i", data, _PAIRS_AT)
    starts = [header.address + distance for distance in pairs[::2]]
    long = [(a + b) // 2 for a, b in pairwise(starts) if b - a >= _LEAST_BYTES]
    yield from long[:: max(len(long) // most, 1)]
