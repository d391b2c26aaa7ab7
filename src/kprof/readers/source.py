"""An input as a stream of plain bytes, whatever it was packed in."""

import gzip
import io
import re
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from kprof.errors import FormatError

HEAD_BYTES = 1 << 16
# Comments and a first line may be longer than a head. Beyond this there is none.
_LONGEST_HEAD = 1 << 20
# Bytes unpacked at once: each may stand for some 30,000.
_ZSTD_STEP = 1 << 12
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LINE = re.compile(rb"^[^#\n][^\n]*\n", re.MULTILINE)


class Readable(Protocol):
    """The one method of a stream that a source needs."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


class Source:
    """A stream with its first bytes looked at, gzip and zstd unpacked.

    Args:
        stream: Where the bytes come from.
        name: What messages call it.
        path: The file behind the stream, if it is a plain one that may be mapped.

    Attributes:
        name: What messages call it.
        path: As given.
        head: The first bytes, 64 KiB; fewer only if there are no more, and up to 1 MiB until there
            is a whole line that is no comment.
        packed: Whether the bytes were compressed.
        on_read: Called with the number of bytes read so far, before unpacking; may be set later.
    """

    def __init__(self, stream: Readable, name: str, path: str | None = None) -> None:
        self.name = name
        self.path = path
        self.on_read: Callable[[int], None] | None = None
        self._count = 0
        self._raw = stream
        self._stream: Readable = _Counted(stream, self)
        self.packed = False
        self.head = self._fill()
        while unpacked := _unpacker(self.head):
            self.packed = True
            joined = io.BufferedReader(_Joined(self.head, self._stream), HEAD_BYTES)
            self._stream = unpacked(joined)
            self.head = self._fill()
        while len(self.head) < _LONGEST_HEAD and not _LINE.search(self.head) and (more := self._fill()):
            self.head += more
        self._pending = self.head

    def _fill(self) -> bytes:
        parts, size = [], 0
        while size < HEAD_BYTES and (part := self._read(HEAD_BYTES - size)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FormatError(f"{self.name}: the compressed data is damaged or cut off: {error}") from None
        except Exception as error:
            if type(error).__name__ == "ZstdError":
                raise FormatError(f"{self.name}: the compressed data is damaged: {error}") from None
            raise

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            FormatError: Compressed data is damaged.
        """
        if self._pending:
            part, self._pending = self._pending[:size], self._pending[size:]
            return part
        return self._read(size)

    def count(self, size: int) -> None:
        """Note that `size` more bytes were read from the stream."""
        self._count += size
        if self.on_read:
            self.on_read(self._count)

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer as far as one read goes; return the number of bytes, 0 at the end."""
        if not self._pending and not self.packed and hasattr(self._raw, "readinto"):
            size = int(self._raw.readinto(view))
            self.count(size)
            return size
        part = self.read(len(view))
        view[: len(part)] = part
        return len(part)


class _Counted:
    def __init__(self, stream: Readable, source: Source) -> None:
        self._stream, self._source = stream, source

    def read(self, size: int, /) -> bytes:
        part = self._stream.read(size)
        self._source.count(len(part))
        return part


class _Joined(io.RawIOBase):
    """Bytes that were read already, and the stream behind them."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        part = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def _unpack_gzip(stream: BinaryIO) -> Readable:
    return gzip.GzipFile(fileobj=stream, mode="rb")


def _unpack_zstd(stream: BinaryIO) -> Readable:
    return _Zstd(stream)


class _Zstd:
    """Frames of zstd, one behind the other; zstandard's own reader takes a cut frame for a whole one."""

    def __init__(self, stream: Readable) -> None:
        import zstandard  # noqa: PLC0415 - only for the few inputs that need it

        self._stream = stream
        self._new_frame = zstandard.ZstdDecompressor().decompressobj
        self._frame = self._new_frame()
        self._begun = False
        self._packed = b""
        self._plain = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        while not self._plain:
            packed = self._packed or self._stream.read(_ZSTD_STEP)
            if not packed and self._begun:
                raise EOFError("it ends within a frame")
            if not packed:
                return b""
            self._begun = True
            self._plain = memoryview(self._frame.decompress(packed))
            self._packed = b""
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame = self._new_frame()
                self._begun = False
        part, self._plain = bytes(self._plain[:size]), self._plain[size:]
        return part


def _unpacker(head: bytes) -> Callable[[BinaryIO], Readable] | None:
    if head.startswith(_GZIP):
        return _unpack_gzip
    if head.startswith(_ZSTD):
        return _unpack_zstd
    return None
