"""The file that a user names."""

from kprof.elf import ElfFile
from kprof.errors import FormatError, UsageError


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
