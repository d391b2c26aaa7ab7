"""What is costly to find out, kept by build-id for the next time.

A file holds a line with the format's version and a checksum, and then columns: see `Chains.encode`. Files
are replaced whole, so that processes do not disturb each other; one that is damaged is removed, and made
again.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kprof.elf.search import is_build_id
from kprof.symbols.chains import NOTHING, Chains

MOST_BYTES = 512 << 20
_MAGIC = b"kprof-symbols 2 "
_LARGEST = 64 << 20
_HEAD = len(_MAGIC) + 9


def cache_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Return where things are kept, None if nothing shall be.

    `KPROF_CACHE_DIR` names another folder; if it is empty, nothing is kept.
    """
    environment = os.environ if environment is None else environment
    own = environment.get("KPROF_CACHE_DIR")
    if own is not None:
        return Path(own) / "symbols" if own else None
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kprof" / "symbols"


class ChainCache:
    """Inlined functions by address, for files whose debug information takes long to read.

    Args:
        folder: Where files lie.
        most_bytes: All files together; the ones that were not used for the longest time go first.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def load(self, build_id: str) -> Chains:
        """Return what is known of a file; nothing if it was never met, or the entry is damaged."""
        path = self._path(build_id)
        if path is None:
            return NOTHING
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST)
        except OSError:
            return NOTHING
        chains = _decode(data)
        with suppress(OSError):
            if chains is None:
                path.unlink()
            else:
                os.utime(path)
        return chains or NOTHING

    def store(self, build_id: str, chains: Chains) -> None:
        """Keep what is known of a file. A full disk or a folder that cannot be written is no error."""
        path = self._path(build_id)
        data = _encode(chains)
        if path is None or len(data) > min(_LARGEST, self._most_bytes):
            return
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                Path(temporary).replace(path)
            except OSError:
                Path(temporary).unlink()
                raise
            self._evict()

    def _path(self, build_id: str) -> Path | None:
        return self._folder / build_id[:2] / f"{build_id[2:]}.chains" if is_build_id(build_id) else None

    def _evict(self) -> None:
        """Remove what was not used for the longest time until the rest is small enough."""
        entries = []
        for path in self._folder.glob("??/*"):
            with suppress(OSError):
                status = path.stat()
                entries.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._most_bytes:
                return
            with suppress(OSError):
                path.unlink()
                total -= size


def _encode(chains: Chains) -> bytes:
    body = chains.encode()
    return _MAGIC + b"%08x\n" % zlib.crc32(body) + body


def _decode(data: bytes) -> Chains | None:
    """Return the content of an entry, None if it is damaged or of another version."""
    body = data[_HEAD:]
    if data[:_HEAD] != _MAGIC + b"%08x\n" % zlib.crc32(body):
        return None
    try:
        return Chains.decode(body)
    except ValueError:
        return None
