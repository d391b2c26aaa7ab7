"""Addresses of one mapping -> raw names, from whatever knows them."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import numpy as np
import numpy.typing as npt

from kprof._native._symbols import SymbolTable
from kprof.elf import ElfFile
from kprof.elf.debug_files import debuginfod_folder
from kprof.elf.search import FileFinder
from kprof.errors import FormatError
from kprof.model.tables import Int64, Kind, Mappings, UInt64
from kprof.symbols.answer import Answer, named, spread
from kprof.symbols.elf_symbols import has_symtab, is_large, read_symbols
from kprof.symbols.inlined import inlined_functions
from kprof.symbols.jit import jit_symbols
from kprof.symbols.kernel import KernelSymbols, kernel_symbols, lasting, running_key
from kprof.symbols.options import SymbolOptions
from kprof.symbols.plt import in_plt
from kprof.symbols.remembered import remembered

# To where handlers of signals return, in C libraries and vDSOs.
_TRAMPOLINES = {b"__restore_rt", b"__restore", b"__kernel_rt_sigreturn", b"__kernel_sigreturn"}


class Lookup:
    """Knows where names come from. What was read is kept.

    Args:
        mappings: The mappings of the profile.
        options: What is wanted.
        finder: Finds the files.

    Attributes:
        problems: Why mappings have no names, by path; those of `finder` are not repeated.
    """

    def __init__(self, mappings: Mappings, options: SymbolOptions, finder: FileFinder) -> None:
        self._mappings = mappings
        self._options = options
        self._finder = finder
        # The file is kept beside its table, so that its id stays its own.
        self._tables: dict[tuple[int, bool], tuple[ElfFile, SymbolTable]] = {}
        self._kernels: dict[str, KernelSymbols | None] = {}
        self._jits: dict[tuple[str, int], SymbolTable | None] = {}
        self.problems: dict[str, str] = {}

    def find(self, kind: Kind, mapping: int, addresses: UInt64) -> Answer | None:
        """Return what is known of addresses of a mapping, None if nothing is.

        Args:
            kind: Kind of the frames.
            mapping: Row of the mappings.
            addresses: As `Frames.address` has them, sorted.
        """
        path = self._mappings.path[mapping]
        build_id = self._mappings.build_id[mapping] if self._mappings.build_id else ""
        pid = self._mappings.pid[mapping] if self._mappings.pid else -1
        if kind in (Kind.KERNEL, Kind.MODULE):
            return self._kernel(kind, path, build_id, addresses)
        if kind == Kind.JIT:
            return self._jit(path, pid, addresses)
        if kind == Kind.VDSO:
            elf = self._finder.find(path, build_id)
            base = elf.segments[0].vaddr if elf is not None and elf.segments else 0
            return None if elf is None else self._elf(elf, addresses + np.uint64(base))
        elf = self._finder.find(path, build_id, pid)
        if elf is None:
            return None
        places, known = elf.offsets_to_addresses(addresses)
        if known.all():
            return self._elf(elf, places)
        return spread(self._elf(elf, places[known]), known)

    def _kernel(self, kind: Kind, path: str, build_id: str, addresses: UInt64) -> Answer | None:
        # Modules have build-ids of their own, and stand in the kallsyms of the kernel.
        own = build_id if kind == Kind.KERNEL and path.startswith("[kernel") else self._kernel_build_id()
        key = running_key(own, self._options, self._finder)
        if key and own not in self._kernels:
            read = partial(self._kernel_table, own)
            return remembered((own, key), addresses, read, lasting=partial(self._lasting, own))
        kernel = self._kernel_symbols(own)
        if kernel is None or (kind == Kind.MODULE and kernel.shift):
            return None
        return named(kernel.table, kernel.find(addresses))

    def _kernel_symbols(self, build_id: str) -> KernelSymbols | None:
        if build_id not in self._kernels:
            self._kernels[build_id], problem = kernel_symbols(build_id, self._options, self._finder)
            if problem:
                self.problems["kernel"] = problem
        return self._kernels[build_id]

    def _kernel_table(self, build_id: str) -> SymbolTable | None:
        kernel = self._kernel_symbols(build_id)
        return None if kernel is None else kernel.table

    def _lasting(self, build_id: str, table: SymbolTable, rows: Int64) -> npt.NDArray[np.bool_]:
        """Say which symbols may be kept for this boot: none that a copy of another boot may have told."""
        kernel = self._kernels[build_id]
        if kernel is None or not kernel.is_running:
            return np.zeros(len(rows), np.bool_)
        return lasting(table, rows)

    def _kernel_build_id(self) -> str:
        paths = self._mappings.path
        row = next((i for i, path in enumerate(paths) if path.startswith("[kernel")), -1)
        return self._mappings.build_id[row] if row >= 0 and self._mappings.build_id else ""

    def _jit(self, path: str, pid: int, addresses: UInt64) -> Answer | None:
        key = (path, pid)
        if key not in self._jits:
            self._jits[key] = jit_symbols(path, pid, self._mappings.path, self._finder)
        table = self._jits[key]
        return None if table is None else named(table, table.find(addresses))

    def _elf(self, elf: ElfFile, addresses: UInt64) -> Answer:
        compat = self._options.compat
        # Decoding the linkage table takes longer than all else, and few recordings have been there.
        plt = compat or in_plt(elf, addresses)
        if (
            self._options.cache
            and not (compat or self._options.debuginfod)
            and elf.build_id
            and is_large(elf)
        ):
            variant = self._source(elf) + ("plt-" if plt else "") + "names"
            read = partial(self._table, elf, plt)
            found = remembered((elf.build_id, variant), addresses, read, _with_trampolines)
            answer = found or Answer()
        else:
            table = self._table(elf, plt)
            find = SymbolTable.find if compat else _with_trampolines
            answer = named(table, find(table, addresses))
        if (self._options.inline or self._options.source_lines) and not compat:
            answer.chains = inlined_functions(elf, self._finder, addresses, remember=self._options.cache)
            answer.chain = answer.chains.find(addresses)
        return answer

    def _source(self, elf: ElfFile) -> str:
        """Tell where its symbols come from: a debug file may be installed later."""
        if has_symtab(elf):
            return ""
        return "dynamic-" if self._finder.find_debug(elf) is None else "debug-"

    def _table(self, elf: ElfFile, plt: bool) -> SymbolTable:
        key = (id(elf), plt)
        if key not in self._tables:
            debug = self._finder.find_debug(elf)
            if debug is None and self._options.debuginfod and not elf.has_debug_information:
                debug = self._fetch(elf)
            self._tables[key] = (elf, read_symbols(elf, debug, as_perf=self._options.compat, plt=plt))
        return self._tables[key][1]

    def _fetch(self, elf: ElfFile) -> ElfFile | None:
        """Ask the servers for a debug file, and let the finder know it."""
        from kprof.system.debuginfod import fetch  # noqa: PLC0415 - only on request

        path = fetch(elf.build_id, debuginfod_folder())
        if path is None:
            return None
        with suppress(OSError, FormatError):
            self._finder.adopt_debug(elf, ElfFile.open(path))
        return self._finder.find_debug(elf)


def _with_trampolines(table: SymbolTable, addresses: UInt64) -> npt.NDArray[np.int64]:
    """Find addresses, and name what signal handlers return to.

    No call is before it, and so it is not there that its name is.
    """
    rows = table.find(addresses)
    gaps = np.flatnonzero(rows < 0)
    behind = table.find(addresses[gaps] + np.uint64(1))
    for row in set(behind.tolist()):
        if row >= 0 and table.name(row) in _TRAMPOLINES:
            rows[gaps[behind == row]] = row
    return rows
