"""The lines of a text, none of which is longer than memory bears."""

from collections.abc import Iterator

from kprof.errors import FormatError
from kprof.readers.source import Source

_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 24


def lines_of(source: Source) -> Iterator[bytes]:
    """Give the lines of an input, without their ends.

    Raises:
        FormatError: One is longer than 16 MiB.
    """
    rest = b""
    while part := source.read(_CHUNK):
        lines = (rest + part).split(b"\n")
        rest = lines.pop()
        if len(rest) > _LONGEST_LINE:
            raise FormatError(f"{source.name}: a line is longer than 16 MiB")
        yield from lines
    if rest:
        yield rest


def texts_of(source: Source) -> Iterator[str]:
    """Give the lines as text, without the carriage returns of other systems."""
    for line in lines_of(source):
        yield line.removesuffix(b"\r").decode("utf-8", "surrogateescape")
