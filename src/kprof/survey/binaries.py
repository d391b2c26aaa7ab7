"""Whether the stacks of a binary can be followed, and its functions named."""

import os
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from kprof.elf import ElfFile
from kprof.elf.layout import SHT_SYMTAB
from kprof.elf.search import FileFinder
from kprof.errors import NotAvailableError, TargetError
from kprof.recorders.bpf.binaries import open_binary
from kprof.survey.findings import Finding, State
from kprof.system.packages import install_command
from kprof.system.procfs import is_alive
from kprof.unwind.table import table_of

# Head of .eh_frame_hdr as linkers write it: version, place of .eh_frame, a count, pairs of 32-bit distances
# from the head itself (Linux Standard Base 5.0, 10.6).
_HEAD = b"\x01\x1b\x03\x3b"
_PAIRS_AT, _COUNT_AT = 12, 8
# DWARF numbers of frame pointers: the CFA is counted from it on x86; on ARM it is saved.
_X86_64, _AARCH64 = 62, 183
_RBP, _X29 = 6, 29
# Shorter functions often need no frame.
_LEAST_BYTES, _MOST_FUNCTIONS, _FEWEST = 64, 2000, 10
_MOST, _SOME = 0.6, 0.1
_PROC_MAP_FIELDS = 5


def binaries_of(pid: int, proc: str = "/proc") -> list[str]:
    """Return the program of a process and its libraries, as the process sees them.

    Raises:
        TargetError: There is no such process.
        NotAvailableError: Its mappings may not be read.
    """
    if not is_alive(pid, proc):
        raise TargetError(f"there is no process {pid}", "`pgrep -a NAME` finds processes")
    try:
        maps = Path(proc, str(pid), "maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise NotAvailableError(
            f"the mappings of process {pid} may not be read: {error.strerror}", "run as root"
        ) from None
    lines = [line.split(maxsplit=_PROC_MAP_FIELDS) for line in maps.splitlines() if " r-xp " in line]
    paths = dict.fromkeys(words[-1] for words in lines if words[-1].startswith("/"))
    return [
        f"{proc}/{pid}/root{path}" if Path(f"{proc}/{pid}/root{path}").is_file() else path for path in paths
    ]


def own_libc(proc: str = "/proc") -> str:
    """Return the C library that this process uses; empty if there is none."""
    return next(
        (path for path in binaries_of(os.getpid(), proc) if "/libc.so" in path or "/ld-musl" in path), ""
    )


def binary_findings(path: str, root: str = "/") -> Iterator[Finding]:
    """Give what is known of a binary.

    Raises:
        UsageError: It is no ELF file, or cannot be read.
    """
    elf = open_binary(path)
    name = _plain(path)
    yield _frame_pointers(elf, name)
    yield _symbols(elf, name, root)


def _plain(path: str) -> str:
    """Return a path without the way through /proc."""
    head, found, tail = path.partition("/root/")
    return f"/{tail}" if found and head.startswith("/proc/") else path


def share_with_frame_pointers(elf: ElfFile) -> float | None:
    """Return the share of functions that keep a frame pointer; None if that cannot be told.

    The call frame information tells it, in the middle of each function.
    """
    table = table_of(elf)
    if table is None or elf.machine not in {_X86_64, _AARCH64}:
        return None
    seen = kept = 0
    for middle in _middles(elf):
        row = table.row(middle)
        if row is not None:
            (kind, register, _), rules = row[0], row[1]
            seen += 1
            kept += register == _RBP and kind != "expression" if elf.machine == _X86_64 else _X29 in rules
    return kept / seen if seen >= _FEWEST else None


def _middles(elf: ElfFile) -> Iterator[int]:
    """Give addresses in the middle of functions, of some of them if there are many."""
    header, data = elf.section_header(".eh_frame_hdr"), elf.section(".eh_frame_hdr")
    if header is None or data is None or bytes(data[:4]) != _HEAD:
        return
    order = "<" if elf.byteorder == "little" else ">"
    (count,) = struct.unpack_from(f"{order}I", data, _COUNT_AT)
    count = min(count, (len(data) - _PAIRS_AT) // 8)
    pairs = struct.unpack_from(f"{order}{2 * count}i", data, _PAIRS_AT)
    starts = [header.address + distance for distance in pairs[::2]]
    long = [(a + b) // 2 for a, b in pairwise(starts) if b - a >= _LEAST_BYTES]
    yield from long[:: max(len(long) // _MOST_FUNCTIONS, 1)]


def _frame_pointers(elf: ElfFile, name: str) -> Finding:
    share = share_with_frame_pointers(elf)
    title = f"frames of {Path(name).name}"
    if share is None:
        return Finding(
            "binaries", title, f"{name}: not told", State.UNKNOWN, "it has no call frame information"
        )
    value = f"{share:.0%} of the functions of {name} keep a frame pointer"
    if share >= _MOST:
        return Finding("binaries", title, value)
    meaning = (
        "stacks break off there with -g fp" if share < _SOME else "some stacks break off there with -g fp"
    )
    return Finding(
        "binaries", title, value, State.LIMITED, meaning,
        "kprof record -g dwarf, or build it with -fno-omit-frame-pointer",
    )  # fmt: skip


def _symbols(elf: ElfFile, name: str, root: str) -> Finding:
    debug = elf if elf.has_debug_information else FileFinder().find_debug(elf)
    title = f"names of {Path(name).name}"
    if debug is not None and debug.has_debug_information:
        place = "within it" if debug is elf else debug.path
        return Finding("binaries", title, f"debug information {place}")
    if any(header.type == SHT_SYMTAB for header in (*elf.headers, *(debug.headers if debug else ()))):
        return Finding(
            "binaries", title, "a symbol table", State.GOOD, "no inlined functions and no lines"
        )  # fmt: skip
    mend = install_command("libc-debug", root) if "/libc.so" in name else ""
    return Finding(
        "binaries", title, "exported functions only", State.LIMITED,
        "others appear as the nearest or as unknown: no symbol table and no debug file",
        mend or f"DEBUGINFOD_URLS names servers of debug files; build-id {elf.build_id or 'none'}",
    )  # fmt: skip
