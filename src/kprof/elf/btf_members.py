"""Members of the kernel's structures, and names of its numbers, as BTF tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kprof.elf import btf as wire
from kprof.elf.btf import Btf

_DEEPEST = 16
# In the word that an integer has: bits, where they begin, whether it has a sign, whether it is a character.
_SIGNED, _CHARACTER, _BOOLEAN = 1, 2, 4
_BY_BITS = 1 << 31


class Member(NamedTuple):
    """A member.

    Attributes:
        name: Its name; empty for one whose own members count as its owner's.
        offset: Where it begins, in bits.
        bits: Of a bit field; 0 if it is none.
        type: The number of its type.
    """

    name: str
    offset: int
    bits: int
    type: int


class Shape(NamedTuple):
    """What a type is, without names and qualifiers.

    Attributes:
        kind: Its kind, such as `btf.PTR`; 0 for void.
        number: Of the type itself.
        inner: What it points to, or holds in a row; 0 if neither.
        size: Its bytes.
        is_signed: Whether it is a number with a sign.
        is_character: Whether it is a character: those are bytes that have a sign, or say so.
    """

    kind: int
    number: int
    inner: int
    size: int
    is_signed: bool
    is_character: bool


def shape_of(btf: Btf, number: int) -> Shape:
    """Return what a type is."""
    size, _ = btf.size(number)
    for _ in range(_DEEPEST):
        if number == 0:
            return Shape(0, 0, 0, 0, is_signed=False, is_character=False)
        words, at, kind = btf.at(number)
        if kind not in wire.SAME_SIZE:
            break
        number = words[at + 2]
    inner = words[at + 2] if kind == wire.PTR else words[at + 3] if kind == wire.ARRAY else 0
    coding = words[at + 3] >> 24 & 0xF if kind == wire.INT else 0
    # char has the name `char`; the coding of it is not set by all compilers.
    character = kind == wire.INT and (bool(coding & _CHARACTER) or btf.text(words[at]) == "char")
    is_signed = bool(coding & _SIGNED) or (kind == wire.ENUM and bool(words[at + 1] >> 31))
    return Shape(kind, number, inner, size, is_signed, character)


def members_of(btf: Btf, number: int, depth: int = 0) -> Iterator[Member]:
    """Give the members of a structure or union, those of nameless members among them."""
    shape = shape_of(btf, number)
    if shape.kind not in {wire.STRUCT, wire.UNION} or depth > _DEEPEST:
        return
    words, at, _ = btf.at(shape.number)
    has_bits = bool(words[at + 1] & _BY_BITS)
    for i in range(words[at + 1] & 0xFFFF):
        name, type_, place = words[at + 3 + 3 * i : at + 6 + 3 * i]
        bits, offset = (place >> 24, place & 0xFFFFFF) if has_bits else (0, place)
        if name:
            yield Member(btf.text(name), offset, bits, type_)
            continue
        for inner in members_of(btf, type_, depth + 1):
            yield inner._replace(offset=inner.offset + offset)


def names_of(btf: Btf, number: int) -> dict[int, str]:
    """Return the names of an enumeration's numbers; none if it is no enumeration."""
    shape = shape_of(btf, number)
    if shape.kind not in {wire.ENUM, wire.ENUM64}:
        return {}
    words, at, kind = btf.at(shape.number)
    signed, found = bool(words[at + 1] >> 31), {}
    width = 2 if kind == wire.ENUM else 3
    for i in range(words[at + 1] & 0xFFFF):
        each = words[at + 3 + width * i : at + 3 + width * (i + 1)]
        value = each[1] | (each[2] << 32 if kind == wire.ENUM64 else 0)
        bits = 32 if kind == wire.ENUM else 64
        if signed and value >> bits - 1:
            value -= 1 << bits
        found[value] = btf.text(each[0])
    return found
