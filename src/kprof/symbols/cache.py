"""What is costly to find out, kept by build-id for the next time.

A file holds a line with the format's version and a checksum, and then columns: see `Chains.encode` and
`Spans.encode`. Files are replaced whole, so that processes do not disturb each other; one that is damaged is
removed, and made again.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from kprof.elf.search import is_build_id

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


class Columns(Protocol):
    """What can be kept."""

    def encode(self) -> bytes:
        """Return it as bytes."""
        ...


T = TypeVar("T", bound=Columns)


class Cache(Generic[T]):
    """What is known of files, by their build-ids.

    Args:
        folder: Where entries lie.
        suffix: What the entries' names end with; says what is known.
        decode: Makes of bytes what was kept; raises ValueError if they are something else.
        most_bytes: All files together; the ones that were not used for the longest time go first.
    """

    def __init__(
        self, folder: Path, suffix: str, decode: Callable[[bytes], T], most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder = folder
        self._suffix = suffix
        self._make = decode
        self._most_bytes = most_bytes

    def load(self, build_id: str) -> T | None:
        """Return what is known of a file; None if it was never met, or the entry is damaged."""
        path = self._path(build_id)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST)
        except OSError:
            return None
        found = self._decode(data)
        with suppress(OSError):
            if found is None:
                path.unlink()
            else:
                os.utime(path)
        return found

    def store(self, build_id: str, known: T) -> None:
        """Keep what is known of a file. A full disk or a folder that cannot be written is no error."""
        path = self._path(build_id)
        data = _encode(known)
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
        name = f"{build_id[2:]}.{self._suffix}"
        return self._folder / build_id[:2] / name if is_build_id(build_id) else None

    def _decode(self, data: bytes) -> T | None:
        """Return the content of an entry, None if it is damaged or of another version."""
        body = data[_HEAD:]
        if data[:_HEAD] != _MAGIC + b"%08x\n" % zlib.crc32(body):
            return None
        try:
            return self._make(body)
        except ValueError:
            return None

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


def _encode(known: Columns) -> bytes:
    body = known.encode()
    return _MAGIC + b"%08x\n" % zlib.crc32(body) + body
