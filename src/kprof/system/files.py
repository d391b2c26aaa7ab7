"""Inputs and outputs by name, with `-` for the standard streams."""

import errno
import fcntl
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from kprof.errors import OutputError, UsageError

STANDARD = "-"
_PIPE_BYTES = 1 << 18


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`, unbuffered.

    Raises:
        UsageError: It cannot be opened.
    """
    if name == STANDARD:
        with suppress(OSError):
            # A wider pipe: fewer turns between the writer and us. Not a pipe, or too many of them: no matter.
            fcntl.fcntl(sys.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        yield sys.stdin.buffer.raw if hasattr(sys.stdin.buffer, "raw") else sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb", buffering=0)  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from None
    with file:
        if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
            raise UsageError(f"cannot read {name}: it is a directory")
        yield file


def is_same_file(one: str, other: str) -> bool:
    """Say whether two names are of one regular file."""
    with suppress(OSError):
        return Path(one).is_file() and Path(one).samefile(other)
    return False


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
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with whole_file(name) as file:
        file.write(data)


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
            target = target.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        with _beside(target) as file:
            yield file
    except OSError as error:
        raise OutputError(f"cannot write {name}: {error.strerror or error}", _advice(error)) from None


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
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
