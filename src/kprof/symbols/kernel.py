"""The kernel's symbols: /proc/kallsyms, a copy of it, or vmlinux."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kprof._native._symbols import SymbolTable
from kprof.elf.layout import NT_GNU_BUILD_ID, native_notes
from kprof.elf.search import FileFinder
from kprof.model.tables import Int64, UInt64
from kprof.symbols.elf_symbols import read_symbols
from kprof.symbols.options import KALLSYMS, SymbolOptions

_MODULES, _BOOT = "/proc/modules", "/proc/sys/kernel/random/boot_id"
_PASSING = (b"[bpf", b"[__builtin__")
NOTES = "/sys/kernel/notes"
HIDDEN = "the kernel hides its addresses (sysctl kernel.kptr_restrict=0 and root show them)"
ANOTHER = "another kernel was recorded, and no symbols of it are here"
MOVED = "the kernel was started anew since, and where it lay is not known"


@dataclass(frozen=True, slots=True)
class KernelSymbols:
    """Symbols of a kernel.

    Attributes:
        table: By address.
        shift: To be added to the table's addresses.
        is_running: Whether the kernel at hand itself told them, and not a copy, perhaps of another boot.
    """

    table: SymbolTable
    shift: int = 0
    is_running: bool = False

    def find(self, addresses: UInt64) -> npt.NDArray[np.int64]:
        """Return rows of `table`, -1 where nothing is known."""
        return self.table.find(addresses - np.uint64(self.shift % (1 << 64)))


def kernel_symbols(
    build_id: str, options: SymbolOptions, finder: FileFinder, *, notes: str = NOTES
) -> tuple[KernelSymbols | None, str]:
    """Return the symbols of the kernel that was recorded, or None and why there are none.

    Args:
        build_id: That of the kernel in hex, empty if not known.
        options: Where to look.
        finder: Knows archives and perf's store.
        notes: File in which the running kernel tells its build-id.
    """
    problem = ""
    for path in _places(build_id, options, finder, notes):
        try:
            text = Path(path).read_bytes()
        except (OSError, ValueError):
            continue
        table = SymbolTable()
        table.add_kallsyms(text)
        table.finish(as_perf=True)
        if len(table) <= 1:  # all at address 0
            problem = problem or HIDDEN
            continue
        return KernelSymbols(table, _shift(_text_of(text), options.kernel_text), path == KALLSYMS), ""
    found = _vmlinux(build_id, options, finder)
    if found is not None:
        return found, ""
    return None, problem or ANOTHER


def running_build_id(notes: str = NOTES) -> str:
    """Return the build-id of the running kernel in hex, empty if it does not tell."""
    with suppress(OSError):
        content = memoryview(Path(notes).read_bytes())
        for owner, kind, value in native_notes(content):
            if owner == b"GNU" and kind == NT_GNU_BUILD_ID:
                return value.hex()
    return ""


def running_key(build_id: str, options: SymbolOptions, finder: FileFinder) -> str:
    """Return what tells symbols of the running kernel from those of others, empty if it was not recorded.

    A kernel lies elsewhere after every boot, and so do modules when they are loaded again.
    """
    own = options.kallsyms == KALLSYMS and finder.archive is None and not options.kernel_text
    if not (own and options.cache and not options.compat and build_id) or build_id != running_build_id():
        return ""
    modules: list[list[bytes]] = []
    with suppress(FileNotFoundError):  # a kernel without modules has no list of them
        modules = sorted(line.split()[::5] for line in Path(_MODULES).read_bytes().splitlines())
    with suppress(OSError):
        boot = Path(_BOOT).read_text("ascii").strip()
        return f"kernel-{boot}-{zlib.crc32(repr(modules).encode()):08x}"
    return ""


def lasting(table: SymbolTable, rows: Int64) -> npt.NDArray[np.bool_]:
    """Say of symbols of the running kernel whether they stay: programs of BPF come and go.

    Nor does a symbol stay whose end is where those of another module begin.
    """
    last = len(table) - 1
    owners = [(table.module(row), table.module(min(row + 1, last))) for row in rows.tolist()]
    return np.array([own == next_ and not own.startswith(_PASSING) for own, next_ in owners], np.bool_)


def _places(build_id: str, options: SymbolOptions, finder: FileFinder, notes: str) -> Iterator[str]:
    if options.kallsyms != KALLSYMS:
        yield options.kallsyms
        return
    if finder.archive is not None:
        yield str(finder.archive / "kallsyms")
    # Without a build-id in the recording, the kernel at hand is the best guess.
    if not build_id or build_id == running_build_id(notes):
        yield KALLSYMS
    yield from finder.kept_places(build_id, "kallsyms")


def _text_of(text: bytes) -> int:
    """Return the address of `_text` in kallsyms, 0 if it is not there."""
    at = text.find(b" T _text\n")
    line = text[text.rfind(b"\n", 0, at) + 1 : at] if at > 0 else b""
    return int(line, 16) if line and line.isalnum() else 0


def _shift(here: int, recorded: int) -> int:
    return recorded - here if here and recorded else 0


def _vmlinux(build_id: str, options: SymbolOptions, finder: FileFinder) -> KernelSymbols | None:
    """Return the symbols of an uncompressed kernel, if it is known where it lay in memory."""
    elf = finder.find_by_build_id(build_id)
    if elf is None or not options.kernel_text:
        return None
    table = read_symbols(elf, None, as_perf=options.compat)
    base = elf.section_address(".text")
    return KernelSymbols(table, options.kernel_text - base) if base and len(table) else None
