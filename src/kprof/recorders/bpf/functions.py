"""Functions of programs and libraries: `uprobe:PATH:FUNCTION`."""

import re
from contextlib import suppress
from pathlib import Path

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf.sources import Function, Source
from kprof.recorders.request import RecordRequest
from kprof.wire import bpf_events as layout

# A path may hold colons; a function's name of C has none.
_FORM = re.compile(r"^(u(?:ret)?probe):(.+):([^:+]+)(?:\+(0x[0-9a-fA-F]+|\d+))?$")
_ALLOCATOR = re.compile(r"/(libc[.-][^/]*|ld-musl-[^/]*|lib(jemalloc|tcmalloc|mimalloc)[^/]*)$")


def function_source(text: str, request: RecordRequest) -> Source:
    """Return the source of `uprobe:PATH:FUNCTION[+OFFSET]`, or of `uretprobe:`.

    Raises:
        UsageError: It is not written so, or there is no such file.
    """
    match = _FORM.match(text)
    if not match:
        raise UsageError(
            f"{text}: not a function", "write uprobe:PATH:FUNCTION, as in uprobe:/bin/bash:readline"
        )
    kind, path, symbol, offset = match.groups()
    number = int(offset, 0) if offset else 0
    if re.fullmatch(r"0x[0-9a-fA-F]+", symbol):
        symbol, number = "", int(symbol, 16)
    function = Function(seen_by_target(path, request), symbol, number, kind == "uretprobe")
    return Source(text, "events", "sample", ("function",), (function,), layout.USER)


def seen_by_target(path: str, request: RecordRequest) -> str:
    """Return a file as the target sees it, which may live in a container.

    Raises:
        UsageError: There is no such file.
    """
    for pid in request.pids:
        inside = f"/proc/{pid}/root{path}"
        if path.startswith("/") and Path(inside).is_file():
            return inside
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}", "give the full path of the program or library")
    return str(Path(path).absolute())


def allocators(request: RecordRequest) -> list[str]:
    """Return the libraries that allocate memory for the targets: the C library, and what stands in for it.

    Those that this process uses are taken where the target is not known, or has not begun.

    Raises:
        NotAvailableError: A target has none: it is linked statically.
    """
    found: dict[str, None] = {}
    for pid in request.pids or ("self",):
        with suppress(OSError):
            maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="surrogateescape")
            paths = [
                line.split(maxsplit=5)[5] for line in maps.splitlines() if " r-xp " in line and "/" in line
            ]
            found |= {f"/proc/{pid}/root{path}": None for path in paths if _ALLOCATOR.search(path)}
    if not found:
        raise NotAvailableError(
            "the target does not use a shared C library, whose functions allocate",
            "name the function: uprobe:PATH:FUNCTION",
        )
    return list(found)
