"""Files of programs and libraries, as the targets of a recording see them."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kprof.elf import ElfFile
from kprof.errors import FormatError, NotAvailableError, UsageError
from kprof.recorders.request import RecordRequest
from kprof.system.process import find_program

_ALLOCATOR = re.compile(r"/(libc[.-][^/]*|ld-musl-[^/]*|lib(jemalloc|tcmalloc|mimalloc)[^/]*)$")
_EVERY = "*"


def find_binaries(name: str, request: RecordRequest) -> list[str]:
    """Return the files that a user means.

    Args:
        name: A path; or the name of a program or library, such as `libc`, that the targets use; or `*` for
            all that they use.
        request: What is recorded.

    Raises:
        UsageError: There is no such file.
    """
    if "/" in name or _is_file(name):
        return [seen_by_target(name, request)]
    used = list(_mapped(request))
    if name == _EVERY:
        if not request.pids:
            raise UsageError(f"{_EVERY} stands for the files of a process", "give it with -p PID")
        return list(dict.fromkeys(used))
    fits = re.compile(rf"/{re.escape(name)}((\.so|-)[^/]*)?$")
    found = list(dict.fromkeys(path for path in used if fits.search(path)))
    if not found and (program := find_program(name)):
        found = [str(Path(program).resolve())]
    if not found:
        raise UsageError(
            f"no target uses a file that is called {name}", "give the full path of the program or library"
        )
    return found


def seen_by_target(path: str, request: RecordRequest) -> str:
    """Return a file as the target sees it, which may live in a container.

    Raises:
        UsageError: There is no such file.
    """
    for pid in request.pids:
        inside = f"/proc/{pid}/root{path}"
        if path.startswith("/") and _is_file(inside):
            return inside
    if not _is_file(path):
        raise UsageError(f"there is no file {path}", "give the full path of the program or library")
    return str(Path(path).absolute())


def allocators(request: RecordRequest) -> list[str]:
    """Return the libraries that allocate memory for the targets: the C library, and what stands in for it.

    Raises:
        NotAvailableError: A target has none: it is linked statically.
    """
    found = list(dict.fromkeys(path for path in _mapped(request) if _ALLOCATOR.search(path)))
    if not found:
        raise NotAvailableError(
            "the target does not use a shared C library, whose functions allocate",
            "name the function: uprobe:PATH:FUNCTION",
        )
    return found


def _is_file(path: str) -> bool:
    """Say whether a file is there; no if it may not be looked for, unlike pathlib."""
    return os.path.isfile(path)  # noqa: PTH113


def _mapped(request: RecordRequest) -> Iterator[str]:
    """Give the files whose code the targets use; ours where a target is not known, or has not begun."""
    for pid in request.pids or ("self",):
        with suppress(OSError):
            maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="surrogateescape")
            for line in maps.splitlines():
                if " r-xp " in line and "/" in line:
                    path = line.split(maxsplit=5)[5]
                    inside = f"/proc/{pid}/root{path}"
                    yield inside if _is_file(inside) else path


def open_binary(path: str) -> ElfFile:
    """Open a program or a library.

    Raises:
        UsageError: It is neither, or cannot be read.
    """
    try:
        return ElfFile.open(path)
    except FormatError as error:
        raise UsageError(f"{path}: {error}", "name a program or a library") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
