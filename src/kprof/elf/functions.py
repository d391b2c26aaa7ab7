"""The functions that an ELF file names by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kprof.elf.file import ElfFile
from kprof.elf.layout import SHT_DYNSYM, SHT_SYMTAB, Section

_LAYOUTS = {
    64: [("name", "u4"), ("info", "u1"), ("other", "u1"), ("section", "u2"), ("value", "u8"), ("size", "u8")],
    32: [("name", "u4"), ("value", "u4"), ("size", "u4"), ("info", "u1"), ("other", "u1"), ("section", "u2")],
}
_STT_FUNC, _STB_WEAK = 2, 2


class ElfFunction(NamedTuple):
    """A function.

    Attributes:
        name: As it is linked.
        address: As the file counts.
        size: In bytes.
        namesakes: How many strong symbols have this name, itself among them, in the first table that has it.
    """

    name: str
    address: int
    size: int
    namesakes: int


def functions_of(elf: ElfFile) -> Iterator[ElfFunction]:
    """Give the functions that are defined in a file, each once; exported ones come first."""
    seen: set[tuple[str, int]] = set()
    counts: dict[str, int] = {}
    for kind in (SHT_DYNSYM, SHT_SYMTAB):
        symbols = [
            symbol for header in elf.headers if header.type == kind for symbol in _symbols(elf, header)
        ]
        strong = Counter(name for name, _, _, binding in symbols if binding != _STB_WEAK)
        # A dict of its own: Counter's operator would take the larger one.
        counts = {**strong, **counts}
        for name, address, size, _ in symbols:
            if name and (name, address) not in seen:
                seen.add((name, address))
                yield ElfFunction(name, address, size, counts.get(name, 0))


def _symbols(elf: ElfFile, header: Section) -> Iterator[tuple[str, int, int, int]]:
    """Give name, address, size and binding of the functions of a table."""
    if header.link >= len(elf.headers):
        return
    layout = np.dtype(_LAYOUTS[elf.bits]).newbyteorder("<" if elf.byteorder == "little" else ">")
    content = elf.content(header)
    table = np.frombuffer(content, layout, len(content) // layout.itemsize)
    names = bytes(elf.content(elf.headers[header.link]))
    found = table[((table["info"] & 0xF) == _STT_FUNC) & (table["section"] != 0)]
    columns = (found[name].tolist() for name in ("name", "value", "size", "info"))
    for at, address, size, info in zip(*columns, strict=True):
        yield names[at : names.find(b"\0", at)].decode(errors="replace"), address, size, info >> 4
