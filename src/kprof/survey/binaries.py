"""Whether the stacks of a binary can be followed, and its functions named."""

import os
from collections.abc import Iterator
from pathlib import Path

from kprof.elf import ElfFile
from kprof.elf.layout import SHT_SYMTAB
from kprof.elf.search import FileFinder
from kprof.errors import NotAvailableError, TargetError
from kprof.recorders.bpf.binaries import open_binary
from kprof.survey.findings import Finding, State
from kprof.system.packages import install_command
from kprof.system.procfs import is_alive
from kprof.unwind.frame_pointers import ENOUGH, share_with_frame_pointers

_SOME = 0.1
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


def _frame_pointers(elf: ElfFile, name: str) -> Finding:
    share = share_with_frame_pointers(elf)
    title = f"frames of {Path(name).name}"
    if share is None:
        return Finding(
            "binaries", title, f"{name}: not told", State.UNKNOWN, "it has no call frame information"
        )
    value = f"{share:.0%} of the functions of {name} keep a frame pointer"
    if share >= ENOUGH:
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
