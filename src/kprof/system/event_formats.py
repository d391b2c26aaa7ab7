"""The format of a tracepoint: which fields its raw data has, and where."""

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise

# A declaration is bounded, so that no text makes the patterns below slow.
_FIELD = re.compile(
    rb"^\tfield(?: special)?:([^;\n]{0,400});\s*offset:(\d{1,9});\s*size:(\d{1,9});(?:\s*signed:([01]);)?",
    re.MULTILINE,
)
_LOCATION = re.compile(r"__(data|rel)_loc\s")
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_NAME = re.compile(r"(\w+)\s*$")
_SIZED_TYPE = re.compile(r"(?:__)?(?:[us]|u?int|[bl]e)(8|16|32|64)(?:_t)?$")
_WIDTHS = frozenset({1, 2, 4, 8})
# A word that says where dynamic data lies: offset and size, 16 bits each.
LOCATION_BYTES = 4


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a tracepoint.

    Attributes:
        name: Its name; `offset_N` if it has none that can be read.
        offset: Where it begins, in bytes.
        size: Its bytes.
        signed: Whether its numbers are.
        width: Bytes of each of its numbers.
        is_array: Whether it holds several.
        is_text: Whether they are characters.
        location: `data` or `rel` if the field says where its data lies: from the start of all, or from
            its own end. Else empty.
        declared: Its type as the kernel writes it in C.
    """

    name: str
    offset: int
    size: int
    signed: bool = False
    width: int = 1
    is_array: bool = False
    is_text: bool = False
    location: str = ""
    declared: str = field(default="", compare=False)

    @property
    def end(self) -> int:
        """Where it ends, in bytes."""
        return self.offset + self.size


def fields_of(text: bytes, long_bytes: int = 8) -> tuple[Field, ...]:
    """Return the fields of a format, in the order of their offsets; those without any bytes are left out.

    Args:
        text: The format, as `/sys/kernel/tracing/events/*/*/format` has it.
        long_bytes: Bytes of a `long` of the recorded kernel.

    Raises:
        ValueError: Fields overlap, which no kernel's do: decoding them could take memory without bounds.
    """
    declared = text.partition(b"\nprint fmt:")[0]
    fields = sorted(
        (f for m in _FIELD.finditer(declared) if (f := _field(*m.groups(), long_bytes=long_bytes)).size),
        key=lambda found: found.offset,
    )
    for before, after in pairwise(fields):
        if after.offset < before.end:
            raise ValueError(f"the fields {before.name} and {after.name} overlap")
    return tuple(fields)


def _field(declared: bytes, offset: bytes, size: bytes, signed: bytes | None, *, long_bytes: int) -> Field:
    """Return a field by its declaration in C, such as `__data_loc char[] name` or `u32 args[6]`."""
    text = declared.decode(errors="surrogateescape").strip()
    at, total = int(offset), int(size)
    found = _LOCATION.match(text)
    counts = _BRACKETS.findall(text)
    plain = _BRACKETS.sub(" ", text[found.end() :] if found else text)
    named = _NAME.search(plain)
    words = (plain[: named.start()] if named else plain).replace("*", " * ").split()
    kind = " ".join(word for word in words if word not in {"const", "volatile"})
    location = found[1] if found and total == LOCATION_BYTES else ""
    if location:
        width = _width(kind, long_bytes)
    elif counts:
        width = _item_width(kind, counts, total, long_bytes)
    else:
        width = total if total in _WIDTHS else 1
    is_array = bool(location or counts) or total not in _WIDTHS
    name = named[1] if named else f"offset_{at}"
    is_text = is_array and kind == "char"
    before = text[: text.rindex(named[1])] + text[text.rindex(named[1]) + len(named[1]) :] if named else text
    return Field(
        name, at, total, signed == b"1", width, is_array, is_text, location, " ".join(before.split())
    )


def _item_width(kind: str, counts: list[str], total: int, long_bytes: int) -> int:
    """Return the bytes of an item of an array; the kernel may write its length as a name."""
    if all(count.strip().isdecimal() and len(count) < 10 for count in counts):  # noqa: PLR2004 - digits
        items = math.prod(int(count) for count in counts)
        if items and total % items == 0 and total // items in _WIDTHS:
            return total // items
    width = _width(kind, long_bytes)
    return width if total % width == 0 else 1


def _width(kind: str, long_bytes: int) -> int:
    """Return the bytes of a type; 1 if it is not known, so that its data is given byte by byte."""
    if found := _SIZED_TYPE.match(kind):
        return int(found[1]) // 8
    words = set(kind.split())
    if "*" in words or kind in {"size_t", "ssize_t", "uintptr_t"}:
        return long_bytes
    if "long" in words:
        return 8 if kind.count("long") > 1 else long_bytes
    if "short" in words:
        return 2
    return 4 if words & {"int", "unsigned", "pid_t"} and "char" not in words else 1
