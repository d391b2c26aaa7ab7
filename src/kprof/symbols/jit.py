"""Names of code that was compiled while the program ran: perf maps and jitdump files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kprof._native._symbols import SymbolTable
from kprof.elf.search import FileFinder

# A map of a program that compiles without end; more of it than this is not read.
_MOST_BYTES = 1 << 29


def jit_symbols(path: str, pid: int, mappings: Sequence[str], finder: FileFinder) -> SymbolTable | None:
    """Return the symbols of a process's JIT code, None if it wrote none.

    Args:
        path: Path of the perf map, `/tmp/perf-PID.map`.
        pid: The process, -1 if not known.
        mappings: Paths of all files that were mapped: a JIT compiler maps the dump that it writes.
        finder: Knows archives and processes.
    """
    table = SymbolTable()
    for place in finder.map_places(path, pid):
        if (text := _read(place)) is not None:
            table.add_perf_map(text)
            break
    dump = next((p for p in mappings if pid > 0 and p.endswith(f"/jit-{pid}.dump")), None)
    for place in finder.places(dump, pid) if dump else ():
        if (content := _read(place)) is not None:
            table.add_jitdump(content)
            break
    if not len(table):
        return None
    table.overlay()
    return table


def _read(place: str) -> bytes | None:
    with suppress(OSError, ValueError):
        file = Path(place)
        if file.is_file():
            with file.open("rb") as stream:
                return stream.read(_MOST_BYTES)
    return None
