"""Inlined functions of a file, from its debug information or from what is remembered of it."""

from __future__ import annotations

from kprof.elf import ElfFile
from kprof.elf.layout import SHF_COMPRESSED
from kprof.elf.search import FileFinder
from kprof.model.distinct import distinct
from kprof.model.tables import UInt64
from kprof.symbols.chains import NOTHING, Chains, Function

# Reading smaller files is about as fast as remembering what they held.
_LARGE = 8 << 20


def inlined_functions(elf: ElfFile, finder: FileFinder, addresses: UInt64, *, remember: bool) -> Chains:
    """Return the function at each address and what was inlined into it.

    Args:
        elf: The file that was mapped.
        finder: Finds its debug files.
        addresses: Virtual addresses of the file, in any order, shape (n,).
        remember: Use the cache, if the debug file is a large or compressed one.

    Returns:
        Chains of these addresses, and perhaps of others; of none if there is no debug information.
    """
    debug = elf if elf.has_debug_information else finder.find_debug(elf)
    if debug is None or not debug.has_debug_information or not len(addresses):
        return NOTHING
    places, _ = distinct(addresses)
    if remember and elf.build_id and _is_costly(debug):
        return _remembered(elf, debug, finder, places)
    return Chains.of(places, _read(debug, finder, places))


def _read(debug: ElfFile, finder: FileFinder, addresses: UInt64) -> list[list[Function]]:
    from kprof.symbols.inlines import chains  # noqa: PLC0415 - most files have no debug information

    return chains(debug, finder.find_alt(debug), addresses)


def _remembered(elf: ElfFile, debug: ElfFile, finder: FileFinder, addresses: UInt64) -> Chains:
    from kprof.symbols.cache import Cache, cache_folder  # noqa: PLC0415 - seldom needed

    folder = cache_folder()
    if folder is None:
        return Chains.of(addresses, _read(debug, finder, addresses))
    cache = Cache(folder, "chains", Chains.decode)
    known = cache.load(elf.build_id) or NOTHING
    missing = addresses[known.find(addresses) < 0]
    if len(missing):
        known = known.with_others(missing, _read(debug, finder, missing))
        cache.store(elf.build_id, known)
    return known


def _is_costly(debug: ElfFile) -> bool:
    header = debug.section_header(".debug_info")
    return header is None or bool(header.flags & SHF_COMPRESSED) or header.size > _LARGE
