"""The files that copies of stacks are unwound with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kprof._native._unwind import CfiTable
    from kprof.elf.search import FileFinder


def cfi_loader(
    files: FileFinder | None, build_ids: Mapping[str, str]
) -> Callable[[bytes, int, str], CfiTable | None]:
    """Return what gives the call frame information of a mapping.

    Args:
        files: Finds files; those of this machine if None.
        build_ids: Build-ids by path, for mappings that do not tell their own. May be filled later.
    """
    found = [files] if files is not None else []

    def load(path: bytes, pid: int, build_id: str) -> CfiTable | None:
        from kprof.elf.search import FileFinder  # noqa: PLC0415 - most recordings have no copies of stacks
        from kprof.unwind import table_of  # noqa: PLC0415

        if not found:
            found.append(FileFinder())
        name = path.decode("utf-8", "surrogateescape")
        elf = found[0].find(name, build_id or build_ids.get(name, ""), pid)
        if elf is None:
            return None
        # Debug files are only looked for where the file itself has no tables: that may take long.
        return table_of(elf) or table_of(elf, found[0].find_debug(elf))

    return load
