"""The call frame information of an ELF file, where the unwinder can use it."""

from __future__ import annotations

import struct
import sys

from kprof._native._unwind import CfiTable
from kprof.elf import ElfFile, layout

# A segment that holds .eh_frame_hdr, and is there without section headers (Linux Standard Base 5.0, 10.6.2).
_PT_GNU_EH_FRAME = 0x6474E550
# What linkers write for where .eh_frame is: four signed bytes, counted from themselves.
_HDR_HEAD = b"\x01\x1b"
_PLACE = 4
_EM_386, _EM_X86_64, _EM_AARCH64 = 3, 62, 183

_Section = tuple[memoryview, int]


def table_of(elf: ElfFile, debug_elf: ElfFile | None = None) -> CfiTable | None:
    """Return the call frame information of a file.

    Args:
        elf: The file that is mapped.
        debug_elf: The file with its debug information, in which `.debug_frame` may be.

    Returns:
        The table, None if there is nothing in it or the instruction set is not one that is unwound.
    """
    if elf.machine not in (_EM_386, _EM_X86_64, _EM_AARCH64):
        return None
    hdr = _section(elf, ".eh_frame_hdr") or _hdr_by_segment(elf)
    frame = _section(elf, ".eh_frame")
    if frame is None and hdr is not None:
        frame = _frame_by_hdr(elf, hdr)
    debug = _section(elf, ".debug_frame")
    if debug is None and debug_elf is not None and debug_elf.machine == elf.machine:
        debug = _section(debug_elf, ".debug_frame")
    if frame is None and debug is None:
        return None
    code = [(s.offset, s.vaddr, s.filesz) for s in elf.segments if s.flags & layout.PF_X]
    swap = elf.byteorder != sys.byteorder
    return CfiTable(elf.machine, swap, code, eh_frame=frame, eh_frame_hdr=hdr, debug_frame=debug)


def _section(elf: ElfFile, name: str) -> _Section | None:
    content = elf.section(name)
    return (content, elf.section_address(name) or 0) if content else None


def _hdr_by_segment(elf: ElfFile) -> _Section | None:
    for segment in layout.read_segments(elf.data, elf.header, (_PT_GNU_EH_FRAME,)):
        content = elf.data[segment.offset : segment.offset + segment.filesz]
        if content:
            return content, segment.vaddr
    return None


def _frame_by_hdr(elf: ElfFile, hdr: _Section) -> _Section | None:
    """Without section headers `.eh_frame` is known by its start; it ends in a zero, or with its segment."""
    content, address = hdr
    if bytes(content[:2]) != _HDR_HEAD or len(content) < 2 * _PLACE:
        return None
    (distance,) = struct.unpack_from(elf.order + "i", content, _PLACE)
    start = (address + _PLACE + distance) & (1 << 64) - 1
    for segment in elf.segments:
        inside = start - segment.vaddr
        if 0 <= inside < segment.filesz:
            return elf.data[segment.offset + inside : segment.offset + segment.filesz], start
    return None
