"""Inlined functions of a file, from its debug information or from what is remembered of it."""

from __future__ import annotations

import numpy as np

from kprof.elf import ElfFile
from kprof.elf.layout import SHF_COMPRESSED
from kprof.elf.search import FileFinder
from kprof.model.tables import UInt64

# Name, whether it is mangled, and `file:line`.
Function = tuple[bytes, bool, str]
# Reading smaller files is about as fast as remembering what they held.
_LARGE = 8 << 20


def inlined_functions(
    elf: ElfFile, finder: FileFinder, addresses: UInt64, *, remember: bool
) -> list[list[Function]]:
    """Return the function at each address and what was inlined into it, outermost first.

    Args:
        elf: The file that was mapped.
        finder: Finds its debug files.
        addresses: Virtual addresses of the file, in any order, shape (n,).
        remember: Use the cache, if the debug file is a large or compressed one.

    Returns:
        One list an address, empty where nothing is known; an empty list if there is no debug information.
    """
    debug = elf if elf.has_debug_information else finder.find_debug(elf)
    if debug is None or not debug.has_debug_information or not len(addresses):
        return []
    distinct, inverse = np.unique(addresses, return_inverse=True)
    if remember and elf.build_id and _is_costly(debug):
        found = _remembered(elf, debug, finder, distinct)
    else:
        found = _read(debug, finder, distinct)
    return [found[i] for i in inverse.reshape(-1).tolist()]


def _read(debug: ElfFile, finder: FileFinder, addresses: UInt64) -> list[list[Function]]:
    from kprof.symbols.inlines import chains  # noqa: PLC0415 - most files have no debug information

    return chains(debug, finder.find_alt(debug), addresses)


def _remembered(elf: ElfFile, debug: ElfFile, finder: FileFinder, addresses: UInt64) -> list[list[Function]]:
    from kprof.symbols.cache import ChainCache, cache_folder  # noqa: PLC0415 - seldom needed

    folder = cache_folder()
    if folder is None:
        return _read(debug, finder, addresses)
    cache = ChainCache(folder)
    known = cache.load(elf.build_id)
    missing = np.array([a for a in addresses.tolist() if a not in known], np.uint64)
    if len(missing):
        known.update(zip(missing.tolist(), _read(debug, finder, missing), strict=True))
        cache.store(elf.build_id, known)
    return [known[a] for a in addresses.tolist()]


def _is_costly(debug: ElfFile) -> bool:
    header = debug.section_header(".debug_info")
    return header is None or bool(header.flags & SHF_COMPRESSED) or header.size > _LARGE
