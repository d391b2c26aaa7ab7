"""Compressed debug sections.

Two layouts exist: SHF_COMPRESSED sections begin with an Elf_Chdr (gABI, "Section Compression"); older
`.zdebug_*` sections with `ZLIB` and the size, eight bytes in big-endian order (binutils).
"""

import struct
from contextlib import suppress

from kprof.elf.layout import Header, order_of

_ZLIB, _ZSTD = 1, 2
_OLD_HEADER = 12
# What grows more than this is a bomb: debug information shrinks to a third, tables of zeros to a tenth.
_MOST_GROWTH = 64
_ALWAYS_FINE = 1 << 20
_WIDEST_WINDOW = 1 << 27


def unpack_section(data: memoryview, header: Header) -> memoryview | None:
    """Return the content of an SHF_COMPRESSED section, None if it is damaged or of an unknown method."""
    layout = struct.Struct(order_of(header) + ("III" if header.bits == 32 else "IIQQ"))  # noqa: PLR2004
    if len(data) < layout.size:
        return None
    fields = layout.unpack_from(data)
    return _unpack(fields[0], data[layout.size :], fields[-2])


def unpack_old_section(data: memoryview) -> memoryview | None:
    """Return the content of a `.zdebug_*` section, None if it is damaged."""
    if bytes(data[:4]) != b"ZLIB" or len(data) < _OLD_HEADER:
        return None
    return _unpack(_ZLIB, data[_OLD_HEADER:], int.from_bytes(data[4:_OLD_HEADER], "big"))


def _unpack(method: int, data: memoryview, size: int) -> memoryview | None:
    if size > max(_ALWAYS_FINE, _MOST_GROWTH * len(data)):
        return None
    content = b""
    if method == _ZLIB:
        import zlib  # noqa: PLC0415 - most files are not compressed

        with suppress(zlib.error):
            content = zlib.decompressobj().decompress(data, max(size, 1))
    elif method == _ZSTD:
        import zstandard  # noqa: PLC0415 - as above

        with suppress(zstandard.ZstdError):
            reader = zstandard.ZstdDecompressor(max_window_size=_WIDEST_WINDOW).stream_reader(data)
            content = reader.read(size)
    return memoryview(content) if len(content) == size else None
