"""Inputs and outputs by name, with `-` for the standard streams."""

import errno
import fcntl
import io
import os
import select
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from kprof.errors import OutputError, UsageError

STANDARD = "-"
_PIPE_BYTES = 1 << 18
_NAME_BYTES = 200


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`, unbuffered.

    Raises:
        UsageError: It cannot be opened, or not be read later.
    """
    if name == STANDARD:
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        with suppress(OSError):
            # A wider pipe: fewer turns between the writer and us. Not a pipe, or too many of them: no matter.
            fcntl.fcntl(sys.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        raw = getattr(sys.stdin.buffer, "raw", None) or sys.stdin.buffer
        yield cast("BinaryIO", _Input(cast("io.RawIOBase", raw), "standard input"))
        return
    try:
        file = Path(name).open("rb", buffering=0)  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    with file:
        if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
            raise UsageError(f"cannot read {name}: it is a directory")
        yield cast("BinaryIO", _Input(file, name))


class _Input(io.RawIOBase):
    """A file whose faults are ours to tell, and that waits for bytes even if it was opened not to."""

    def __init__(self, file: io.RawIOBase, name: str) -> None:
        self._file, self._name = file, name

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        try:
            while (size := self._file.readinto(buffer)) is None:
                select.select([self._file], [], [])
        except OSError as error:
            raise UsageError(f"cannot read {self._name}: {error.strerror}") from None
        return size


def is_same_file(one: str, other: str) -> bool:
    """Say whether two names are of one regular file."""
    with suppress(OSError):
        return Path(one).is_file() and Path(one).samefile(other)
    return False


def plain_file(name: str) -> str | None:
    """Return the name if it is of a regular file, which may be mapped and opened again, else None."""
    with suppress(OSError, ValueError):
        # /dev/stdin and /proc/self/fd/0 are links to what may be a file that is partly read.
        virtual = str(Path(name).absolute()).startswith(("/dev/", "/proc/"))
        if name != STANDARD and not virtual and Path(name).is_file():
            return name
    return None


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def spooled(stream: _Readable) -> Iterator[str]:
    """Copy a stream to a temporary file, for tools that cannot read one; gives the file's name."""
    with tempfile.NamedTemporaryFile(prefix="kprof-") as file:
        try:
            while part := stream.read(1 << 20):
                file.write(part)
            file.flush()
        except OSError as error:
            raise OutputError(f"cannot write {file.name}: {error.strerror}", _advice(error)) from None
        yield file.name


def write_whole(name: str, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; `-` is standard output.

    Raises:
        OutputError: It cannot be written; nothing is left behind, and an older file is untouched.
    """
    if name == STANDARD:
        _write_standard(data)
        return
    with whole_file(name) as file:
        file.write(data)


def write_folder(name: str, files: Mapping[str, bytes]) -> None:
    """Write files into a new folder, which is there whole or not at all.

    Raises:
        OutputError: It cannot be written, or is there already.
    """
    target = Path(name)
    if name == STANDARD or target.exists():
        what = "standard output is no folder" if name == STANDARD else f"{name} exists"
        raise OutputError(f"cannot write a folder: {what}", "name another")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            made = Path(folder, "made")
            made.mkdir()
            for member, data in files.items():
                Path(made, member).write_bytes(data)
            made.rename(target)
    except OSError as error:
        raise OutputError(f"cannot write {name}: {error.strerror or error}", _advice(error)) from None


def _write_standard(data: bytes) -> None:
    """Write to standard output itself: Python's stream may write a part and say nothing."""
    if sys.stdout is None:
        raise OutputError("cannot write to standard output: it is closed")
    raw = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
    rest = memoryview(data)
    try:
        sys.stdout.flush()
        while rest:
            written = raw.write(rest)
            if written is None:
                select.select([], [raw], [])
            rest = rest[written or 0 :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}", _advice(error)) from None


@contextmanager
def whole_file(name: str) -> Iterator[BinaryIO]:
    """Open a temporary file beside `name` that becomes it when the block ends well.

    A device, a pipe or a symbolic link is written through, not replaced.

    Raises:
        OutputError: It cannot be written.
    """
    target = Path(name)
    try:
        if target.is_symlink():
            target = _end_of_links(target)
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        with _beside(target) as file:
            yield file
    except OSError as error:
        raise OutputError(f"cannot write {name}: {error.strerror or error}", _advice(error)) from None


def _end_of_links(link: Path) -> Path:
    try:
        return link.resolve()
    except RuntimeError:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    # A name may be 255 bytes long; the temporary one has some more.
    start = os.fsdecode(os.fsencode(target.name)[:_NAME_BYTES])
    descriptor, temporary = tempfile.mkstemp(prefix=f".{start}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), _mode(target))
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, or those of a new file."""
    with suppress(OSError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _advice(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full; choose another place with -o"
    if error.errno == errno.ENOENT:
        return "the directory does not exist; make it first"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "choose a place that you may write to with -o"
    return ""
