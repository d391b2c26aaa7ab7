"""The symbols of an ELF file, its debug file and its procedure linkage table, as one table."""

import sys

import numpy as np

from kprof._native._symbols import SECTION_CODE, SECTION_LOADED, SECTION_NAMED, SymbolTable
from kprof.elf import ElfFile
from kprof.elf.layout import SHF_EXECINSTR, SHT_DYNSYM, SHT_SYMTAB
from kprof.symbols.plt import add_plt

_SHF_ALLOC = 0x2
_LARGE = 1 << 19
_EM_ARM, _EM_AARCH64 = 40, 183


def read_symbols(elf: ElfFile, debug: ElfFile | None, *, as_perf: bool, plt: bool = True) -> SymbolTable:
    """Read all symbols that may name code.

    Args:
        elf: The file that was mapped.
        debug: Its debug file, if any; its symbol table is used where `elf` has none.
        as_perf: Choose among several names of one address as perf does.
        plt: Name the slots of the procedure linkage table, too.

    Returns:
        A table by the addresses that the ELF file gives.
    """
    table = SymbolTable()
    whole = elf if has_symtab(elf) or debug is None else debug
    _add(table, whole, SHT_SYMTAB, as_perf=as_perf)
    if as_perf:
        # perf tidies the table between the two, so that what is chosen depends on it.
        table.finish(as_perf=True)
    _add(table, elf, SHT_DYNSYM, as_perf=as_perf)
    if as_perf:
        table.finish(as_perf=True)
        if add_plt(table, elf, as_perf=True):
            table.sort()
    else:
        if plt:
            add_plt(table, elf, as_perf=False)
        table.finish()
    return table


def has_symtab(elf: ElfFile) -> bool:
    """Say whether a file has a symbol table that is more than what the dynamic linker needs."""
    return any(header.type == SHT_SYMTAB and header.size for header in elf.headers)


def is_large(elf: ElfFile) -> bool:
    """Say whether reading the file's symbols takes longer than remembering those that were met."""
    return sum(header.size for header in elf.headers if header.type in (SHT_SYMTAB, SHT_DYNSYM)) > _LARGE


def _add(table: SymbolTable, elf: ElfFile, kind: int, *, as_perf: bool) -> None:
    """Add the first symbol table of a kind."""
    header = next((h for h in elf.headers if h.type == kind), None)
    if header is None or header.link >= len(elf.headers):
        return
    names = elf.content(elf.headers[header.link])
    if not len(names):
        return
    kinds, ends = _sections(elf, named=as_perf)
    table.add_elf(
        elf.content(header),
        header.entsize or (24 if elf.bits == 64 else 16),  # noqa: PLR2004
        names,
        bits=elf.bits,
        swap=elf.byteorder != sys.byteorder,
        mapping_symbols=elf.machine in (_EM_ARM, _EM_AARCH64),
        thumb=elf.machine == _EM_ARM,
        section_kind=kinds,
        section_end=ends,
        as_perf=as_perf,
    )


def _sections(elf: ElfFile, *, named: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return what each section holds, and where it ends."""
    headers = elf.headers
    ends = np.array([min(h.address + h.size, (1 << 64) - 1) for h in headers], np.uint64)
    kinds = np.zeros(len(headers), np.uint8)
    for i, header in enumerate(headers):
        kinds[i] |= SECTION_LOADED if header.flags & _SHF_ALLOC else 0
        kinds[i] |= SECTION_CODE if header.flags & SHF_EXECINSTR else 0
        if named:
            name = elf.name_of(header)
            kinds[i] |= SECTION_NAMED if "text" in name or "data" in name else 0
    return kinds, ends
