"""Chains of inlined functions, from DWARF."""

from __future__ import annotations

import sys

import numpy as np

from kprof._native._dwarf import SECTIONS, DwarfReader
from kprof.elf import ElfFile
from kprof.model.distinct import distinct
from kprof.model.labels import UNKNOWN
from kprof.model.tables import UInt64
from kprof.symbols.chains import Function


def chains(elf: ElfFile, alt: ElfFile | None, addresses: UInt64) -> list[list[Function]]:
    """Return the function at each address and what was inlined into it, outermost first.

    Args:
        elf: The file with the debug information.
        alt: The file to which dwz moved what several files share, if it did.
        addresses: Virtual addresses, in any order, shape (n,).

    Returns:
        One list an address: name, whether it is mangled, and `file:line`, empty if not known. The line of
        the innermost function is that of the address; that of the others is where the next one is called.
        Empty where nothing is known.
    """
    reader = DwarfReader(_sections(elf), _sections(alt) if alt else None, swap=elf.byteorder != sys.byteorder)
    places, inverse = distinct(np.asarray(addresses, np.uint64))
    if split := reader.split_units(places):
        from kprof.symbols.split_dwarf import SplitFiles  # noqa: PLC0415 - few files are built in this way

        files = SplitFiles(elf)
        for unit, number, folder, name in split:
            if sections := files.find(number, folder, name):
                reader.add_split(unit, sections)
    found_at = reader.look_up(places)
    tree = _Tree(reader)
    found = [tree.chain(*place) for place in found_at.tolist()]
    return [found[i] for i in inverse.tolist()]


def _sections(elf: ElfFile) -> list[memoryview | None]:
    return [elf.section(name) for name in SECTIONS]


class _Tree:
    """Puts chains together from nodes, each of which knows the one it lies in."""

    def __init__(self, reader: DwarfReader) -> None:
        self._functions = list(zip(*reader.names(), strict=True))
        self._files = [path.decode("utf-8", "surrogateescape") for path in reader.files()]
        self._nodes: list[tuple[int, int, int, int]] = reader.nodes().tolist()
        self._callers: dict[int, Function] = {}

    def chain(self, node: int, file: int, line: int) -> list[Function]:
        """Return the chain down to a node that is at a line."""
        source = self._source(file, line)
        if node < 0:
            # Assembler has lines, but no functions.
            return [(UNKNOWN.encode(), False, source)] if source else []
        found = [self._function(node, source)]
        while (parent := self._nodes[node][0]) >= 0:
            found.append(self._caller(node))
            node = parent
        return found[::-1]

    def _caller(self, node: int) -> Function:
        """Return the function that a node lies in, at the line of the call."""
        if node not in self._callers:
            parent, _, file, line = self._nodes[node]
            self._callers[node] = self._function(parent, self._source(file, line))
        return self._callers[node]

    def _function(self, node: int, source: str) -> Function:
        name, mangled = self._functions[self._nodes[node][1]]
        return name or UNKNOWN.encode(), mangled, source

    def _source(self, file: int, line: int) -> str:
        return f"{self._files[file]}:{line}" if file >= 0 and line else ""
