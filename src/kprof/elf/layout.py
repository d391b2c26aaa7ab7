"""Header, sections, segments and notes of an ELF file; see the System V gABI, chapters 4 and 5."""

import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from kprof.errors import FormatError

MAGIC = b"\x7fELF"
SHT_SYMTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS, SHT_REL, SHT_DYNSYM = 2, 4, 7, 8, 9, 11
SHF_EXECINSTR, SHF_COMPRESSED = 0x4, 0x800
PT_LOAD, PT_NOTE = 1, 4
PF_X = 1
NT_GNU_BUILD_ID = 3
_IDENT = 16
_PN_XNUM, _SHN_XINDEX = 0xFFFF, 0xFFFF
# Real files stay far below; what claims more is damaged.
_MOST_SECTIONS, _MOST_SEGMENTS = 1 << 16, 1 << 10
_LONGEST_NAME = 256
_LONGEST_NOTES = 1 << 16


class Header(NamedTuple):
    """What the file header says. Sizes and offsets in bytes."""

    bits: int
    byteorder: str
    type: int
    machine: int
    phoff: int
    shoff: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int


class Section(NamedTuple):
    """A section header; `name` is an offset in the table of section names."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entsize: int


class Segment(NamedTuple):
    """A part of the file that is loaded."""

    offset: int
    vaddr: int
    filesz: int
    memsz: int
    flags: int


def read_header(data: memoryview) -> Header:
    """Read the file header.

    Raises:
        FormatError: It is none, or is cut.
    """
    if bytes(data[:4]) != MAGIC or len(data) < _IDENT or data[4] not in (1, 2) or data[5] not in (1, 2):
        raise FormatError("not an ELF file")
    bits = 32 * data[4]
    order = "<" if data[5] == 1 else ">"
    layout = struct.Struct(order + ("HHIIIIIHHHHHH" if bits == 32 else "HHIQQQIHHHHHH"))  # noqa: PLR2004
    if len(data) < _IDENT + layout.size:
        raise FormatError("the ELF header is cut")
    fields = layout.unpack_from(data, _IDENT)
    kind, machine, _, _, phoff, shoff, _, _, *numbers = fields
    return Header(bits, "little" if order == "<" else "big", kind, machine, phoff, shoff, *numbers)


def order_of(header: Header) -> str:
    """Return the byte order as `struct` and numpy write it."""
    return "<" if header.byteorder == "little" else ">"


def read_sections(data: memoryview, header: Header) -> tuple[list[Section], int]:
    """Read the section headers; returns them and the number of the one that holds their names.

    A table that does not lie in the file, as in a cut one, counts as no sections.
    """
    layout = struct.Struct(order_of(header) + ("10I" if header.bits == 32 else "IIQQQQIIQQ"))  # noqa: PLR2004
    if header.shoff == 0 or header.shentsize < layout.size or header.shoff + layout.size > len(data):
        return [], 0
    first = Section._make(layout.unpack_from(data, header.shoff))
    # Large numbers stand in the first section, which is otherwise empty.
    count = header.shnum or first.size
    names = first.link if header.shstrndx == _SHN_XINDEX else header.shstrndx
    if count > _MOST_SECTIONS or header.shoff + count * header.shentsize > len(data):
        return [], 0
    starts = range(header.shoff, header.shoff + count * header.shentsize, header.shentsize)
    return [Section._make(layout.unpack_from(data, at)) for at in starts], names


def read_segments(data: memoryview, header: Header, kinds: tuple[int, ...]) -> list[Segment]:
    """Read the program headers of some kinds, those that lie in the file."""
    wide = header.bits == 64  # noqa: PLR2004
    layout = struct.Struct(order_of(header) + ("IIQQQQQQ" if wide else "8I"))
    count = header.phnum
    if count == _PN_XNUM:
        sections, _ = read_sections(data, header)
        count = sections[0].info if sections else 0
    if header.phentsize < layout.size or count > _MOST_SEGMENTS:
        return []
    found = []
    for i in range(count):
        at = header.phoff + i * header.phentsize
        if at + layout.size > len(data):
            break
        fields = layout.unpack_from(data, at)
        if fields[0] not in kinds:
            continue
        if wide:
            _, flags, offset, vaddr, _, filesz, memsz, _ = fields
        else:
            _, offset, vaddr, _, filesz, memsz, flags, _ = fields
        found.append(Segment(offset, vaddr, filesz, memsz, flags))
    return found


def name_at(names: memoryview, offset: int) -> str:
    """Return the text at an offset of a string table, cut at 256 bytes."""
    return bytes(names[offset : offset + _LONGEST_NAME]).partition(b"\0")[0].decode(errors="replace")


def read_notes(data: memoryview, header: Header, align: int = 4) -> Iterator[tuple[bytes, int, memoryview]]:
    """Give the owner, type and content of every note in the first 64 KiB."""
    data = data[:_LONGEST_NOTES]
    layout = struct.Struct(order_of(header) + "III")
    at = 0
    while at + layout.size <= len(data):
        name_size, size, kind = layout.unpack_from(data, at)
        start = at + layout.size
        content = start + _round_up(name_size, align)
        if content + size > len(data):
            return
        yield bytes(data[start : start + name_size]).rstrip(b"\0"), kind, data[content : content + size]
        at = content + _round_up(size, align)


def native_notes(data: memoryview) -> Iterator[tuple[bytes, int, memoryview]]:
    """Give the notes in a file of this machine that is nothing but notes, such as /sys/kernel/notes."""
    bits = 8 * struct.calcsize("P")
    return read_notes(data, Header(bits, sys.byteorder, *[0] * 9))


def _round_up(value: int, align: int) -> int:
    return (value + align - 1) // align * align
