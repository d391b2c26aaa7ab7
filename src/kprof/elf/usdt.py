"""Probes that programs hold for tracers: `.note.stapsdt`, as SystemTap's sys/sdt.h writes it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from kprof.elf.file import ElfFile
from kprof.elf.layout import order_of

_SECTION, _BASE = ".note.stapsdt", ".stapsdt.base"
_OWNER, _KIND = b"stapsdt\0", 3
_HEAD = 12


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe.

    Attributes:
        provider: Who gives it.
        name: Its name.
        address: Where it lies, as the ELF file counts.
        arguments: Bytes (negative for signed ones) and place of each, as in `-4@%edi`.
        semaphore: Address of the counter of its tracers, without which it is passed over; 0 if it has none.
    """

    provider: str
    name: str
    address: int
    arguments: tuple[str, ...]
    semaphore: int = 0


def probes_of(elf: ElfFile) -> Iterator[Probe]:
    """Give the probes of a file, in its order; one name may have several places."""
    notes = elf.section(_SECTION)
    if notes is None:
        return
    order, wide = order_of(elf.header), elf.bits == 64  # noqa: PLR2004
    head, places = struct.Struct(f"{order}III"), struct.Struct(f"{order}{'QQQ' if wide else 'III'}")
    base = elf.section_header(_BASE)
    at = 0
    while at + _HEAD <= len(notes):
        name_size, size, kind = head.unpack_from(notes, at)
        start = at + _HEAD + (name_size + 3 & ~3)
        content = bytes(notes[start : start + size])
        if kind == _KIND and len(content) >= places.size and bytes(notes[at + _HEAD :][:name_size]) == _OWNER:
            address, written_base, semaphore = places.unpack_from(content)
            # prelink moves sections, but not what notes say.
            moved = base.address - written_base if base and written_base else 0
            texts = content[places.size :].decode(errors="replace").split("\0")
            if len(texts) > 2:  # noqa: PLR2004 - provider, name, arguments
                yield Probe(texts[0], texts[1], address + moved, tuple(texts[2].split()), semaphore)
        at = start + (size + 3 & ~3)
