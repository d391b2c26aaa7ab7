"""Which processes keep frame pointers, so that their stacks need not be copied (`-g auto`)."""

import os
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePath

from kprof.elf import ElfFile
from kprof.errors import KprofError
from kprof.wire import perf_abi as abi

_HEAD = struct.Struct("<IHHIIII")
_PATH_AT = 5
# Libraries that everybody has. Without frame pointers they hide no more than who called them.
_EVERYBODYS = ("libc.", "libc-", "libm.", "libm-", "libstdc++.", "libgcc_s.", "ld-", "libpthread", "ld.so")
# Enough to tell a file with frame pointers from one without.
_FUNCTIONS = 200
# Programs that are named.
_NAMED = 8


class Framing:
    """Keeps track of the processes that keep frame pointers.

    A process keeps them if the program does, and each library does that has more code than it. Of what is not
    known to keep them, stacks are copied: that is right for any code, and costs more.

    Args:
        mark: Called with a process and whether it keeps frame pointers, when that changes.
        proc: Where /proc is.
    """

    def __init__(self, mark: Callable[[int, bool], None], proc: str = "/proc") -> None:
        self._mark, self._proc = mark, proc
        self._files: dict[tuple[int, int], bool] = {}
        self._framed: set[int] = set()
        self.names: dict[bool, set[str]] = {True: set(), False: set()}

    def look_at(self, pids: Iterable[int]) -> None:
        """Judge processes by what they run now."""
        for pid in pids:
            with suppress(OSError):
                self._set(pid, self._keeps(pid))

    def begins(self, pid: int, program: str) -> None:
        """A process will run a program that is named by its file."""
        with suppress(OSError):
            runs = _interpreted(program)
            kept = self._file_keeps(runs)
            self.names[kept].add(PurePath(runs).name)
            self._set(pid, kept)

    def follow(self, records: bytes) -> None:
        """Take note of processes that begin, run another program, or end, as the log tells."""
        at = 0
        while at + _HEAD.size <= len(records):
            kind, misc, size, pid, second, tid, _ = _HEAD.unpack_from(records, at)
            if kind == abi.RECORD_COMM and misc & abi.MISC_COMM_EXEC:
                self._set(pid, False)
                self.look_at([pid])
            elif kind == abi.RECORD_FORK and second in self._framed and pid != second:
                self._set(pid, True)
            elif kind == abi.RECORD_EXIT and pid == tid:
                self._set(pid, False)
            if size < _HEAD.size:
                return
            at += size

    def says(self) -> str:
        """Return in words what was chosen."""
        parts = []
        for kept, what in ((True, "frame pointers of"), (False, "copies of stacks of")):
            names = sorted({name.removesuffix(" (deleted)") for name in self.names[kept]})
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            parts += [f"{what} {', '.join(names[:_NAMED])}{more}"] if names else []
        return "; ".join(parts)

    def _set(self, pid: int, kept: bool) -> None:
        if kept != (pid in self._framed):
            self._mark(pid, kept)
        (self._framed.add if kept else self._framed.discard)(pid)

    def _keeps(self, pid: int) -> bool:
        exe = Path(self._proc, str(pid), "exe")
        name, number = exe.readlink(), exe.stat().st_ino
        sizes: dict[tuple[str, int], int] = {}
        maps = Path(self._proc, str(pid), "maps").read_text(encoding="utf-8", errors="surrogateescape")
        for line in maps.splitlines():
            words = line.split(maxsplit=_PATH_AT)
            if "x" in words[1] and words[-1].startswith("/"):
                start, end = (int(bound, 16) for bound in words[0].split("-"))
                file = (words[_PATH_AT], int(words[4]))
                sizes[file] = sizes.get(file, 0) + end - start
        own = sum(size for (_, inode), size in sizes.items() if inode == number)
        larger = [path for (path, inode), size in sizes.items() if size > own and inode != number]
        kept = self._file_keeps(str(exe)) and all(
            self._file_keeps(f"{self._proc}/{pid}/root{path}")
            for path in larger
            if not PurePath(path).name.startswith(_EVERYBODYS)
        )
        self.names[kept].add(PurePath(name).name)
        return kept

    def _file_keeps(self, path: str) -> bool:
        status = os.stat(path)  # noqa: PTH116 - a link is followed
        key = (status.st_dev, status.st_ino)
        if key not in self._files:
            self._files[key] = _keeps(path)
        return self._files[key]


def _keeps(path: str) -> bool:
    # The unwinder's tables are not needed by those who follow frame pointers.
    from kprof.unwind.frame_pointers import ENOUGH, share_with_frame_pointers  # noqa: PLC0415

    with suppress(KprofError, OSError, ValueError, struct.error):
        share = share_with_frame_pointers(ElfFile.open(path), _FUNCTIONS)
        return share is not None and share >= ENOUGH
    return False


def _interpreted(program: str) -> str:
    """Return what runs a script; the program itself if it is none."""
    with suppress(OSError), Path(program).open("rb") as file:
        if file.read(2) == b"#!":
            words = file.readline(256).split()
            return os.fsdecode(words[0]) if words else program
    return program
