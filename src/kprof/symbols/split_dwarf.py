"""Debug information that the compiler left in files of its own: .dwo, and packages of them, .dwp."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from kprof._native._dwarf import SECTIONS
from kprof.elf import ElfFile
from kprof.errors import FormatError

_Sections = list[memoryview | None]
# Columns of the index of a package (DWARF 5, 7.3.5.3, table 7.1); the GNU version has no .debug_rnglists.
_COLUMNS = {1: ".debug_info", 3: ".debug_abbrev", 6: ".debug_str_offsets", 8: ".debug_rnglists"}
_MOST_COLUMNS = 16
_GNU_VERSION = 2


class SplitFiles:
    """Finds the parts of split units.

    Args:
        elf: The file that has their skeletons.
    """

    def __init__(self, elf: ElfFile) -> None:
        self._order = elf.byteorder
        self._used: set[str] = set()
        self._near = os.path.dirname(elf.path)  # noqa: PTH120 - "" stays what it is
        self._package = _Package.open(elf.path + ".dwp") if elf.path else None

    def find(self, number: int, folder: bytes, name: bytes) -> _Sections | None:
        """Return the sections of a unit, in the order of SECTIONS; None if they are not to be had.

        Args:
            number: What the unit is known by.
            folder: Where the compiler ran.
            name: Of the .dwo file, relative to that.
        """
        if self._package and (found := self._package.find(number)):
            return found
        wanted = os.path.join(os.fsdecode(folder), os.fsdecode(name))  # noqa: PTH118 - as above
        for path in (wanted, os.path.join(self._near, os.path.basename(wanted))):  # noqa: PTH118, PTH119
            with suppress(OSError, FormatError):
                # Compilers write a file a unit. To read one again and again could take for ever.
                real = os.path.realpath(path)
                if real not in self._used and (elf := ElfFile.open(real)).byteorder == self._order:
                    self._used.add(real)
                    return _sections(elf)
        return None


def _sections(elf: ElfFile) -> _Sections:
    return [elf.section(f"{name}.dwo") for name in SECTIONS]


@dataclass(slots=True)
class _Package:
    """A .dwp file: the sections of many units one after another, and where each has its part."""

    sections: _Sections
    left: int  # bytes of .debug_info that may still be given away: units that overlap are not read for ever
    rows: dict[int, dict[str, tuple[int, int]]]

    @classmethod
    def open(cls, path: str) -> _Package | None:
        with suppress(OSError, FormatError):
            elf = ElfFile.open(path)
            sections = _sections(elf)
            return cls(sections, len(sections[0] or b""), _read_index(elf))
        return None

    def find(self, number: int) -> _Sections | None:
        """Return the parts that belong to a unit."""
        row = self.rows.get(number, {})
        begin, end = row.get(SECTIONS[0], (0, 0))
        if not 0 < end - begin <= self.left:
            return None
        self.left -= end - begin
        return [
            content
            if name not in _COLUMNS.values() or content is None
            else content[slice(*row.get(name, (0, 0)))]
            for name, content in zip(SECTIONS, self.sections, strict=True)
        ]


def _read_index(elf: ElfFile) -> dict[int, dict[str, tuple[int, int]]]:
    """Return begin and end of the parts of each unit, by section."""
    data = elf.section(".debug_cu_index") or memoryview(b"")
    words = np.frombuffer(data, np.dtype(f"{elf.order}u4"), len(data) // 4)
    if len(words) < 4:  # noqa: PLR2004 - the header
        return {}
    columns, units, slots = (int(word) for word in words[1:4])
    if not 0 < columns <= _MOST_COLUMNS or 4 + slots * 3 + columns * (1 + 2 * units) > len(words):
        return {}
    ids = np.frombuffer(data, np.dtype(f"{elf.order}u8"), slots, 16)
    tables = words[4 + 2 * slots :]
    row_of, kinds, tables = tables[:slots], tables[slots : slots + columns], tables[slots + columns :]
    begin = tables[: units * columns].reshape(units, columns).astype(np.int64)
    end = begin + tables[units * columns : 2 * units * columns].reshape(units, columns)
    gnu = int(words[0]) == _GNU_VERSION
    names = {i: _COLUMNS[k] for i, k in enumerate(kinds.tolist()) if k in _COLUMNS and not (gnu and k == 8)}  # noqa: PLR2004
    return {
        number: {name: (int(begin[row - 1, i]), int(end[row - 1, i])) for i, name in names.items()}
        for number, row in zip(ids.tolist(), row_of.tolist(), strict=True)
        if 0 < row <= units
    }
