"""`ElfFile`: an ELF file, read as far as it is asked for."""

from __future__ import annotations

import mmap
import os
import stat
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kprof.elf import layout
from kprof.elf.layout import Section, Segment
from kprof.errors import FormatError

UInt64 = npt.NDArray[np.uint64]
_GNU = b"GNU"
_MOST_NOTES = 64


class ElfFile:
    """Sections, segments and identity of an ELF file of either width and byte order.

    Nothing is trusted: what does not lie in the file is not there.

    Args:
        buffer: The whole file.
        path: Where it was found, for messages and for what lies beside it.

    Attributes:
        path: As given.
        machine: EM_ number of the instruction set.
        bits: 32 or 64.
        byteorder: `little` or `big`.

    Raises:
        FormatError: It is not an ELF file, or its header is cut.
    """

    def __init__(self, buffer: bytes | mmap.mmap | memoryview, path: str = "") -> None:
        self.data = memoryview(buffer)
        self.path = path
        self.header = layout.read_header(self.data)
        self.machine = self.header.machine
        self.bits = self.header.bits
        self.byteorder = self.header.byteorder
        self._texts = self.data[:0]
        self._unpacked: dict[str, memoryview | None] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> ElfFile:
        """Map a file into memory.

        Raises:
            OSError: It cannot be opened.
            FormatError: It is not an ELF file.
        """
        try:
            # Not to wait where the name is that of a pipe.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except ValueError:  # a zero byte, or what no file name can hold
            raise FormatError(f"{os.fspath(path)!r} is no file name") from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or not status.st_size:
                raise FormatError("not an ELF file")
            buffer = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        return cls(buffer, os.fspath(path))

    @property
    def order(self) -> str:
        """Byte order as `struct` and numpy write it."""
        return layout.order_of(self.header)

    @cached_property
    def _tables(self) -> tuple[list[Section], dict[str, int]]:
        sections, names = layout.read_sections(self.data, self.header)
        if names >= len(sections):
            return sections, {}
        texts = self._texts = self._content(sections[names])
        # The first of several that share a name wins.
        index: dict[str, int] = {}
        for i, section in enumerate(sections):
            index.setdefault(layout.name_at(texts, section.name), i)
        return sections, index

    @property
    def headers(self) -> list[Section]:
        """All section headers, in the order of the file."""
        return self._tables[0]

    @property
    def sections(self) -> list[str]:
        """Names of all sections."""
        return list(self._tables[1])

    @cached_property
    def segments(self) -> list[Segment]:
        """The PT_LOAD segments, in the order of the file."""
        return layout.read_segments(self.data, self.header, (layout.PT_LOAD,))

    def section_header(self, name: str) -> Section | None:
        """Return the header of a section, None if there is none."""
        sections, index = self._tables
        return sections[index[name]] if name in index else None

    def section_address(self, name: str) -> int | None:
        """Return where a section is loaded, None if there is none."""
        header = self.section_header(name)
        return None if header is None else header.address

    def section(self, name: str) -> memoryview | None:
        """Return the content of a section, unpacked; None if there is none, or it is damaged or cut.

        `.debug_*` is also found where old tools packed it into `.zdebug_*`.
        """
        if name not in self._unpacked:
            self._unpacked[name] = self._read_section(name)
        return self._unpacked[name]

    def _read_section(self, name: str) -> memoryview | None:
        header = self.section_header(name)
        if header is None:
            old = self.section_header(".z" + name[1:]) if name.startswith(".debug_") else None
            if old is None:
                return None
            from kprof.elf.compressed import unpack_old_section  # noqa: PLC0415 - seldom needed

            return unpack_old_section(self._content(old))
        if header.type == layout.SHT_NOBITS or header.offset + header.size > len(self.data):
            return None
        if header.flags & layout.SHF_COMPRESSED:
            from kprof.elf.compressed import unpack_section  # noqa: PLC0415 - as above

            return unpack_section(self._content(header), self.header)
        return self._content(header)

    @property
    def has_debug_information(self) -> bool:
        """Whether DWARF lies in this file."""
        header = self.section_header(".debug_info") or self.section_header(".zdebug_info")
        return header is not None and header.type != layout.SHT_NOBITS and header.size > 0

    def name_of(self, header: Section) -> str:
        """Return the name of a section."""
        return layout.name_at(self._texts, header.name) if self._tables[1] else ""

    def content(self, header: Section) -> memoryview:
        """Return the bytes of a section as they lie in the file; empty if they do not."""
        return self._content(header)

    def _content(self, header: Section) -> memoryview:
        if header.type == layout.SHT_NOBITS or header.offset + header.size > len(self.data):
            return self.data[:0]
        return self.data[header.offset : header.offset + header.size]

    @cached_property
    def build_id(self) -> str:
        """Build-id in hex, empty if there is none."""
        for header in [h for h in self.headers if h.type == layout.SHT_NOTE][:_MOST_NOTES]:
            if found := self._build_id_in(self._content(header), header.align):
                return found
        for segment in layout.read_segments(self.data, self.header, (layout.PT_NOTE,))[:_MOST_NOTES]:
            part = self.data[segment.offset : segment.offset + segment.filesz]
            # The alignment of notes is 4 even in most 64-bit files; 8 only for .note.gnu.property.
            if found := self._build_id_in(part, 4) or self._build_id_in(part, 8):
                return found
        return ""

    def _build_id_in(self, notes: memoryview, align: int) -> str:
        for owner, kind, content in layout.read_notes(notes, self.header, 8 if align == 8 else 4):  # noqa: PLR2004
            if owner == _GNU and kind == layout.NT_GNU_BUILD_ID and content:
                return content.hex()
        return ""

    def offset_to_address(self, offset: int) -> int | None:
        """Return the virtual address at which a byte of the file is loaded, None if it is not."""
        addresses, known = self.offsets_to_addresses(np.array([offset], np.uint64))
        return int(addresses[0]) if known[0] else None

    def offsets_to_addresses(self, offsets: UInt64) -> tuple[UInt64, npt.NDArray[np.bool_]]:
        """Return the virtual addresses of offsets in the file, and which of them are loaded at all.

        Args:
            offsets: Offsets in bytes, shape (n,).

        Returns:
            Addresses, shape (n,), 0 where unknown; and a mask, shape (n,).
        """
        addresses = np.zeros(len(offsets), np.uint64)
        known = np.zeros(len(offsets), bool)
        # Code last, so that it wins where pages of two segments overlap.
        for segment in sorted(self.segments, key=lambda s: s.flags & layout.PF_X):
            last = min(segment.offset + segment.filesz, 1 << 64) - 1
            if not segment.filesz or segment.offset > last:
                continue
            inside = (offsets >= np.uint64(segment.offset)) & (offsets <= np.uint64(last))
            shift = np.uint64((segment.vaddr - segment.offset) & (1 << 64) - 1)
            addresses[inside] = offsets[inside] + shift
            known |= inside
        return addresses, known

    def address_to_offset(self, address: int) -> int | None:
        """Return which byte of the file is loaded at a virtual address, None if none is."""
        for segment in self.segments:
            if segment.vaddr <= address < segment.vaddr + segment.filesz:
                return address - segment.vaddr + segment.offset
        return None

    @cached_property
    def debuglink(self) -> tuple[str, int] | None:
        """Name and CRC-32 of the file with the debug information, from `.gnu_debuglink` (gdb manual)."""
        data = bytes((self.section(".gnu_debuglink") or b"")[:4096])
        name, zero, _ = data.partition(b"\0")
        at = (len(name) + 4) & ~3
        if not name or not zero or at + 4 > len(data):
            return None
        crc = int.from_bytes(data[at : at + 4], "little" if self.byteorder == "little" else "big")
        return os.fsdecode(name), crc

    @cached_property
    def debugaltlink(self) -> tuple[str, str] | None:
        """Path and build-id of the file that dwz moved common debug information to."""
        data = bytes((self.section(".gnu_debugaltlink") or b"")[:4096])
        name, zero, build_id = data.partition(b"\0")
        return (os.fsdecode(name), build_id.hex()) if name and zero else None
