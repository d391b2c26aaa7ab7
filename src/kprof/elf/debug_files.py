"""Debug information that lies apart from its binary."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from kprof.elf.file import ElfFile
from kprof.errors import FormatError

_MOST_GROWTH = 64
_ALWAYS_FINE = 1 << 20
_WIDEST_MEMORY = 1 << 27


class DebugFiles:
    """Finds debug files; see "Debugging Information in Separate Files" in gdb's manual.

    Args:
        open_file: Opens a path; raises OSError or FormatError.
        debug_dirs: Where distributions put debug information.
        archive: Folder of an archived recording.
        perf_cache: perf's store of binaries.
        symfs: Folder put before all `debug_dirs`.
    """

    def __init__(
        self,
        open_file: Callable[[str], ElfFile],
        debug_dirs: Sequence[str],
        archive: Path | None,
        perf_cache: Path,
        symfs: str,
    ) -> None:
        self._open = open_file
        self._dirs = [symfs + folder for folder in debug_dirs]
        self._stores = [folder for folder in (archive, perf_cache) if folder is not None]
        self._found: dict[int, tuple[ElfFile, ElfFile | None]] = {}
        self._alts: dict[int, tuple[ElfFile, ElfFile | None]] = {}

    def find(self, elf: ElfFile) -> ElfFile | None:
        """Return the debug file of a binary: by build-id, by name, or the small one within it."""
        # The binary is kept beside the answer, so that its id stays its own.
        if id(elf) not in self._found:
            self._found[id(elf)] = (elf, self._search(elf))
        return self._found[id(elf)][1]

    def adopt(self, elf: ElfFile, debug: ElfFile) -> None:
        """Use a debug file that came from elsewhere, if it belongs to the binary."""
        if debug.build_id == elf.build_id:
            self._found[id(elf)] = (elf, debug)

    def find_alt(self, elf: ElfFile) -> ElfFile | None:
        """Return the file that a debug file shares with others, by build-id or by path."""
        if id(elf) not in self._alts:
            self._alts[id(elf)] = (elf, self._search_alt(elf))
        return self._alts[id(elf)][1]

    def find_by_build_id(self, build_id: str) -> ElfFile | None:
        """Return the debug file of a binary that is not at hand itself."""
        for place in self._by_build_id(build_id):
            found = self._try(place)
            if found is not None and found.build_id == build_id:
                return found
        return None

    def _search(self, elf: ElfFile) -> ElfFile | None:
        found = self.find_by_build_id(elf.build_id)
        if found is not None:
            return found
        if elf.debuglink is not None:
            name, crc = elf.debuglink
            for place in self._by_name(elf, name):
                found = self._try(place)
                if found is not None and found is not elf and _belongs(found, elf, crc):
                    return found
        return _small_debug_file(elf)

    def _search_alt(self, elf: ElfFile) -> ElfFile | None:
        if elf.debugaltlink is None:
            return None
        path, build_id = elf.debugaltlink
        places = list(self._by_build_id(build_id))
        if "\0" not in path:
            places.append(str(_folder_of(elf) / path))
            places += [f"{folder}/.dwz/{Path(path).name}" for folder in self._dirs]
        for place in places:
            found = self._try(place)
            if found is not None and found.build_id == build_id:
                return found
        return None

    def _by_build_id(self, build_id: str) -> Iterator[str]:
        if len(build_id) <= 2:  # noqa: PLR2004 - nothing is left for the file's name
            return
        head, rest = build_id[:2], build_id[2:]
        for store in self._stores:
            yield f"{store}/.build-id/{head}/{rest}/debug"
        for folder in self._dirs:
            yield f"{folder}/.build-id/{head}/{rest}.debug"
        # What debuginfod's own client has fetched before; see debuginfod_find_debuginfo(3).
        yield f"{debuginfod_folder()}/{build_id}/debuginfo"

    def _by_name(self, elf: ElfFile, name: str) -> Iterator[str]:
        if not elf.path or "/" in name:
            return
        here = _folder_of(elf)
        yield f"{here}/{name}"
        yield f"{here}/.debug/{name}"
        for folder in self._dirs:
            yield f"{folder}{here}/{name}"

    def _try(self, place: str) -> ElfFile | None:
        with suppress(OSError, FormatError, ValueError):
            return self._open(place)
        return None


def debuginfod_folder() -> Path:
    """Return where clients of debuginfod keep what they fetched."""
    if own := os.environ.get("DEBUGINFOD_CACHE_PATH"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "debuginfod_client"


def _folder_of(elf: ElfFile) -> Path:
    """Return where a file really lies: the links to it are no help in finding what lies beside it."""
    return Path(os.path.realpath(elf.path)).parent


def _belongs(found: ElfFile, elf: ElfFile, crc: int) -> bool:
    """Say whether a file of the right name is the right one."""
    if found.build_id and elf.build_id:
        return found.build_id == elf.build_id
    import zlib  # noqa: PLC0415 - build-ids are there in nearly all files

    return zlib.crc32(found.data) == crc


def _small_debug_file(elf: ElfFile) -> ElfFile | None:
    """Return the symbol table that Fedora packs into the binary, `.gnu_debugdata`."""
    packed = elf.section(".gnu_debugdata")
    if packed is None:
        return None
    import lzma  # noqa: PLC0415 - only some distributions have it

    size = max(_ALWAYS_FINE, _MOST_GROWTH * len(packed))
    with suppress(lzma.LZMAError, FormatError):
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_WIDEST_MEMORY)
        return ElfFile(unpacker.decompress(packed, size), f"{elf.path} (.gnu_debugdata)")
    return None
