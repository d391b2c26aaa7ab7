"""Names for the procedure linkage table, which has none in symbol tables: `puts@plt`.

Every slot jumps through a cell of the global offset table that a relocation fills. On x86-64 slots are
decoded, so that each is named after the cell it uses, whatever the linker's layout (.plt, .plt.sec with
indirect branch tracking, .plt.got). Elsewhere slots stand in the order of the relocations behind a header.
See the psABIs of x86-64 (5.2) and AArch64 (9).
"""

import numpy as np
import numpy.typing as npt

from kprof._native._symbols import SymbolTable
from kprof.elf import ElfFile
from kprof.elf.layout import SHT_DYNSYM, SHT_RELA

UInt64 = npt.NDArray[np.uint64]
Columns = tuple[UInt64, UInt64, UInt64]
_EM_ARM, _EM_X86_64, _EM_AARCH64 = 40, 62, 183
# Sizes of the header and of a slot, in bytes, where they are not the section's entry size.
_LAYOUTS = {_EM_ARM: (20, 12), _EM_AARCH64: (32, 16)}
_JUMP = b"\xff\x25"  # jmp *disp32(%rip)
_JUMP_SIZE = 6
_MOST = 1 << 20
_LONGEST = 4096
_SUFFIX = b"@plt"
_SECTIONS = (".plt", ".plt.sec", ".plt.got")
_TOP = (1 << 64) - 1


def add_plt(table: SymbolTable, elf: ElfFile, *, as_perf: bool) -> bool:
    """Add a symbol for every slot; returns whether there are any.

    Args:
        table: Where to.
        elf: The file that was mapped.
        as_perf: Name only the slots of `.plt`, in the order of the relocations.
    """
    decode = elf.machine == _EM_X86_64 and not as_perf
    starts, ends, symbols = _decoded(elf) if decode else _in_order(elf)
    if not len(starts):
        return False
    names = [name + _SUFFIX for name in _names(elf, symbols)]
    lengths = np.array([len(name) for name in names], np.uint32)
    behind = np.cumsum(lengths, dtype=np.uint64)
    table.add(starts, ends, b"".join(names), behind - lengths, lengths)
    return True


def in_plt(elf: ElfFile, addresses: UInt64) -> bool:
    """Say whether any of the addresses may lie in a procedure linkage table."""
    headers = [elf.section_header(name) for name in _SECTIONS]
    spans = [
        (h.address, min(h.address + h.size, _TOP)) for h in headers if h is not None and h.address <= _TOP
    ]
    return any(bool(((addresses >= low) & (addresses <= high)).any()) for low, high in spans)


def _relocations(elf: ElfFile, names: tuple[str, ...]) -> tuple[UInt64, UInt64]:
    """Return the cells that relocations fill, and the numbers of the symbols that they fill them with."""
    cells, symbols = [], []
    for name in names:
        header = elf.section_header(name)
        if header is None:
            continue
        word = "u8" if elf.bits == 64 else "u4"  # noqa: PLR2004
        fields = [("cell", elf.order + word), ("info", elf.order + word)]
        if header.type == SHT_RELA:
            fields.append(("addend", elf.order + word))
        layout = np.dtype(fields)
        content = elf.content(header)
        rows = np.frombuffer(content, layout, min(len(content) // layout.itemsize, _MOST))
        cells.append(rows["cell"].astype(np.uint64))
        symbols.append(rows["info"].astype(np.uint64) >> np.uint64(32 if word == "u8" else 8))
    empty = np.empty(0, np.uint64)
    return (np.concatenate(cells), np.concatenate(symbols)) if cells else (empty, empty)


def _in_order(elf: ElfFile) -> Columns:
    """Return start, end and symbol of the slots of `.plt`, in the order of their relocations."""
    plt = elf.section_header(".plt")
    wide = elf.section_header(".rela.plt") is not None
    _, symbols = _relocations(elf, (".rela.plt" if wide else ".rel.plt",))
    if plt is None:
        return symbols[:0], symbols[:0], symbols[:0]
    header, slot = _LAYOUTS.get(elf.machine, (plt.entsize, plt.entsize))
    fit = max(0, plt.size - header) // slot if slot else 0
    symbols = symbols[:fit]
    starts = np.uint64(plt.address + header) + np.arange(len(symbols), dtype=np.uint64) * np.uint64(slot)
    return starts, starts + np.uint64(slot), symbols


def _decoded(elf: ElfFile) -> Columns:
    """Return start, end and symbol of all slots, by the cells that they jump through."""
    slots = [_jumps(elf, name) for name in _SECTIONS]
    starts, ends, targets = (np.concatenate(column) for column in zip(*slots, strict=True))
    if not len(starts):
        return starts, ends, targets
    sections = (".rela.plt", ".rela.dyn") if len(slots[2][0]) else (".rela.plt",)
    cells, symbols = _relocations(elf, sections)
    # Programs have many relocations that are none of our cells.
    near = (cells >= targets.min()) & (cells <= targets.max()) & (symbols > 0)
    cells, symbols = cells[near], symbols[near]
    order = np.argsort(cells, kind="stable")
    cells, symbols = np.append(cells[order], np.uint64(0)), np.append(symbols[order], np.uint64(0))
    rows = np.searchsorted(cells[:-1], targets)
    known = (cells[rows] == targets) & (symbols[rows] > 0)
    return starts[known], ends[known], symbols[rows[known]]


def _jumps(elf: ElfFile, name: str) -> Columns:
    """Return start and end of the slots of a section, and the address of the cell that each uses."""
    header = elf.section_header(name)
    content = bytes(elf.content(header)[: _MOST * 16]) if header is not None else b""
    empty = np.empty(0, np.uint64)
    if header is None or len(content) < _JUMP_SIZE or header.address + header.size >= 1 << 63:
        return empty, empty, empty
    code = np.frombuffer(content, np.uint8)
    jumps = np.flatnonzero((code[:-5] == _JUMP[0]) & (code[1:-4] == _JUMP[1]))
    distance = sum(code[jumps + 2 + i].astype(np.int64) << 8 * i for i in range(4))
    distance = np.asarray(distance, np.int64).astype(np.int32).astype(np.int64)
    targets = (header.address + jumps + _JUMP_SIZE + distance).astype(np.uint64)
    slot = header.entsize if header.entsize in (8, 16) else (8 if name == ".plt.got" else 16)
    starts = (header.address + jumps // slot * slot).astype(np.uint64)
    return starts, starts + np.uint64(slot), targets


def _names(elf: ElfFile, symbols: UInt64) -> list[bytes]:
    """Return the names of dynamic symbols; empty where the number is none."""
    header = next((h for h in elf.headers if h.type == SHT_DYNSYM), None)
    if header is None or header.link >= len(elf.headers):
        return [b""] * len(symbols)
    content, texts = elf.content(header), elf.content(elf.headers[header.link])
    size = 24 if elf.bits == 64 else 16  # noqa: PLR2004
    offsets = np.frombuffer(content, np.dtype((elf.order + "u4", (size // 4,))), len(content) // size)[:, 0]
    rows = symbols[symbols < len(offsets)]
    if len(rows) < len(symbols):
        return [b""] * len(symbols)
    return [bytes(texts[at : at + _LONGEST]).partition(b"\0")[0] for at in offsets[rows].tolist()]
