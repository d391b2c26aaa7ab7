"""`FileFinder`: the binary that was recorded, and the files with its debug information."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from kprof.elf.debug_files import DebugFiles
from kprof.elf.file import ElfFile
from kprof.elf.vdso import NAME as VDSO
from kprof.elf.vdso import own_vdso
from kprof.errors import FormatError

_DELETED = " (deleted)"
# What is mapped under such names is no file.
_NO_FILES = (
    "[",
    "//anon",
    "anon_inode:",
    "/memfd:",
    "/dev/zero",
    "/dev/dri",
    "/SYSV",
    "/i915",
    "/anon_hugepage",
)
_BITS = 64


class FileFinder:
    """Finds files by the path and build-id in a recording. Answers are kept.

    A file whose build-id contradicts the recording is never used: wrong names are worse than none.

    Args:
        roots: Folders that hold other file systems (images, unpacked containers), looked into for a
            path that is not found otherwise.
        archive: Folder in which `kprof record --archive` put the binaries.
        debug_dirs: Where distributions put debug information.
        symfs: Folder to look into instead of `/`, as `perf --symfs`.
        proc: Where processes are shown.
        perf_cache: perf's store of binaries; `~/.debug` if None.

    Attributes:
        archive: As given.
        proc: As given.
        problems: Why a file was not used, by its path in the recording.
    """

    def __init__(
        self,
        roots: Sequence[str | Path] = (),
        archive: Path | None = None,
        debug_dirs: Sequence[str] = ("/usr/lib/debug",),
        symfs: str = "",
        *,
        proc: str = "/proc",
        perf_cache: Path | None = None,
    ) -> None:
        self.archive = archive
        self.problems: dict[str, str] = {}
        self._roots = [Path(root) for root in roots]
        self._symfs = symfs
        self.proc = proc
        self._perf_cache = perf_cache or Path.home() / ".debug"
        self._found: dict[tuple[str, str, int], ElfFile | None] = {}
        self._opened: dict[tuple[int, int], ElfFile | None] = {}
        self._debug_files = DebugFiles(self._open, debug_dirs, archive, self._perf_cache, symfs)

    def find(self, path: str, build_id: str = "", pid: int = -1) -> ElfFile | None:
        """Return the file that was mapped, None if it is not to be had; `problems` then says why.

        Args:
            path: Path in the recording, `(deleted)` included.
            build_id: Build-id in hex, empty if not known.
            pid: A process that had it mapped, -1 if not known.
        """
        if path == VDSO:
            return self.find_vdso(_BITS, build_id)
        # Only paths that were not found depend on the process.
        key = (path, build_id, pid if pid > 0 else -1)
        if key not in self._found:
            self._found[key] = self._search(path, build_id, pid)
        return self._found[key]

    def find_vdso(self, bits: int = 64, build_id: str = "") -> ElfFile | None:
        """Return the vdso that was mapped: that of this machine, or one that was kept."""
        key = (VDSO, build_id, bits)
        if key not in self._found:
            own = own_vdso(self.proc)
            fits = own is not None and own.bits == bits and _agrees(own, build_id)
            self._found[key] = own if fits else self._kept(build_id, "vdso")
            if own is not None and self._found[key] is None:
                self.problems[VDSO] = "it was another kernel's"
        return self._found[key]

    def find_by_build_id(self, build_id: str) -> ElfFile | None:
        """Return a file known by nothing but its build-id, such as vmlinux."""
        return self._kept(build_id, "elf") or self._debug_files.find_by_build_id(build_id)

    def places(self, path: str, pid: int) -> Iterator[str]:
        """Give the names under which a file that is no ELF file may be found, the likeliest first."""
        return self._places(path, "", pid)

    def map_places(self, path: str, pid: int) -> Iterator[str]:
        """Give the names under which a perf map may be found, the likeliest first."""
        if self.archive is not None:
            yield str(self.archive / Path(path).name)
        yield from self._places(path, "", pid)
        # A process in a container knows itself by another number.
        if pid > 0 and (inner := self.inner_pid(pid)) > 0:
            yield f"{self.proc}/{pid}/root/tmp/perf-{inner}.map"

    def kept_places(self, build_id: str, name: str) -> Iterator[str]:
        """Give the names under which an archive or perf may have kept a file, by build-id."""
        for folder in (self.archive, self._perf_cache):
            if folder is not None and is_build_id(build_id):
                yield str(folder / ".build-id" / build_id[:2] / build_id[2:] / name)

    def inner_pid(self, pid: int) -> int:
        """Return the number by which a process in a container knows itself, 0 if it is the same or gone."""
        with suppress(OSError, ValueError):
            for line in Path(self.proc, str(pid), "status").read_bytes().splitlines():
                if line.startswith(b"NSpid:"):
                    numbers = [int(word) for word in line.split()[1:]]
                    return numbers[-1] if len(numbers) > 1 else 0
        return 0

    def find_debug(self, elf: ElfFile) -> ElfFile | None:
        """Return the file with the symbols and debug information that were cut from a binary."""
        return self._debug_files.find(elf)

    def adopt_debug(self, elf: ElfFile, debug: ElfFile) -> None:
        """Use a debug file that came from elsewhere, if it belongs to the binary."""
        self._debug_files.adopt(elf, debug)

    def find_alt(self, elf: ElfFile) -> ElfFile | None:
        """Return the file to which dwz moved debug information that several binaries share."""
        return self._debug_files.find_alt(elf)

    def _search(self, path: str, build_id: str, pid: int) -> ElfFile | None:
        if path.startswith(_NO_FILES):
            return None
        reason = ""
        for place in self._places(path, build_id, pid):
            try:
                elf = self._open(place)
            except FormatError:
                reason = reason or "it is not an ELF file"
                continue
            except PermissionError:
                reason = reason or "no permission to read it"
                continue
            except OSError:
                continue
            if _agrees(elf, build_id):
                self.problems.pop(path, None)
                return elf
            reason = "it was replaced by another build since"
        kept = self._kept(build_id, "elf")
        if kept is None:
            self.problems[path] = reason or (
                "it was deleted" if path.endswith(_DELETED) else "there is no such file here"
            )
        return kept

    def _places(self, path: str, build_id: str, pid: int) -> Iterator[str]:
        """Give the names under which the file may be found, the likeliest first."""
        plain = path.removesuffix(_DELETED)
        if self._symfs:
            yield f"{self._symfs}/{plain.lstrip('/')}"
            return
        if plain == path or build_id:
            # In a recording that cannot tell builds apart, a file that came after a deletion is another.
            yield plain
        if pid > 0:
            yield from self._places_of_process(path, plain, pid)
        for root in self._roots:
            yield f"{root}/{plain.lstrip('/')}"

    def _places_of_process(self, path: str, plain: str, pid: int) -> Iterator[str]:
        """Give the names by which a process that still runs shows its files; see proc(5)."""
        process = f"{self.proc}/{pid}"
        if plain == path:
            yield f"{process}/root{plain}"
            return
        try:
            if str(Path(f"{process}/exe").readlink()) == path:
                yield f"{process}/exe"
                return
            with os.scandir(f"{process}/map_files") as entries:
                for entry in entries:
                    if str(Path(entry.path).readlink()) == path:
                        yield entry.path
                        return
        except (OSError, ValueError):
            return

    def _kept(self, build_id: str, name: str) -> ElfFile | None:
        """Return a file that an archive or perf kept by build-id."""
        for place in self.kept_places(build_id, name):
            with suppress(OSError, FormatError):
                elf = self._open(place)
                if _agrees(elf, build_id):
                    return elf
        return None

    def _open(self, place: str) -> ElfFile:
        """Open a file once, whatever names it goes by."""
        try:
            status = Path(place).stat()
        except ValueError:
            raise FormatError("no file name") from None
        key = (status.st_dev, status.st_ino)
        if key not in self._opened:
            try:
                self._opened[key] = ElfFile.open(place)
            except FormatError:
                self._opened[key] = None
        elf = self._opened[key]
        if elf is None:
            raise FormatError("not an ELF file")
        return elf


def is_build_id(text: str) -> bool:
    """Say whether a text is a build-id in hex, so that it may be a part of a path."""
    return len(text) > 2 and len(text) % 2 == 0 and all(c in "0123456789abcdef" for c in text)  # noqa: PLR2004


def _agrees(elf: ElfFile, build_id: str) -> bool:
    """Say whether a file may be the one that was recorded; perf pads short build-ids with zeros."""
    if not build_id:
        return True
    # Its own last digits may be zeros, too.
    return (
        bool(elf.build_id)
        and build_id.startswith(elf.build_id)
        and not build_id[len(elf.build_id) :].strip("0")
    )
