"""BTF: types and functions as the kernel tells them; see Documentation/bpf/btf.rst."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kprof.errors import FormatError

_MAGIC = 0xEB9F
_HEADER = struct.Struct("=HBBIIIII")
INT, PTR, ARRAY, STRUCT, UNION, ENUM, _FWD, _TYPEDEF = 1, 2, 3, 4, 5, 6, 7, 8
_VOLATILE, _CONST, _RESTRICT, _FUNC, _FUNC_PROTO, _FLOAT, _TYPE_TAG, ENUM64 = 9, 10, 11, 12, 13, 16, 18, 19
# Words behind the three that every type has: so many, and so many a member.
_FIXED = {INT: 1, ARRAY: 3, 14: 1, 17: 1}
_A_MEMBER = {STRUCT: 3, UNION: 3, ENUM: 2, _FUNC_PROTO: 2, 15: 3, ENUM64: 3}
SAME_SIZE = frozenset({_TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TYPE_TAG})
_QUALIFIERS = {_VOLATILE: "volatile", _CONST: "const", _RESTRICT: "restrict"}
_SORTS = {STRUCT: "struct ", UNION: "union ", ENUM: "enum ", ENUM64: "enum "}
_WRAPPERS = frozenset({PTR, _TYPE_TAG, *_QUALIFIERS})
_HEAD = 3
_POINTER_BYTES = struct.calcsize("P")
_DEEPEST = 32
# Where the name stands in a type of functions, behind its stars; and the lengths at the end of arrays.
_FUNCTION = re.compile(r"\((\**)\)\(")
_ARRAY_END = re.compile(r"(\[\d+\])+$")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, or a result, of a function.

    Attributes:
        name: Its name; empty if it has none.
        type: Its type, as C writes it.
        size: Its bytes; 0 for what has none.
        is_structure: Whether it is a structure itself, and no pointer to one.
        number: Of its type.
    """

    name: str
    type: str
    size: int
    is_structure: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Prototype:
    """How a function is called.

    Attributes:
        result: What it returns; `void` has the size 0.
        arguments: What it is given.
        is_variadic: Whether more arguments may follow.
    """

    result: Argument
    arguments: Sequence[Argument]
    is_variadic: bool = False

    def spelled(self, name: str) -> str:
        """Return the declaration of a function of this name."""
        arguments = [_joined(each.type, each.name) for each in self.arguments]
        arguments += ["..."] if self.is_variadic else []
        return _joined(self.result.type, f"{name}({', '.join(arguments) or 'void'})")


class _Part(NamedTuple):
    """What one file tells: words, where types start in them, and texts, counted on from its base's."""

    words: memoryview
    starts: list[int]
    first: int
    texts: bytes
    first_text: int


class Btf:
    """The types of the kernel, or of a module.

    Args:
        data: What `/sys/kernel/btf/NAME` holds.
        base: That of the kernel, if this is a module's.

    Raises:
        FormatError: It is none, is cut, or was written on a machine of another byte order.
    """

    def __init__(self, data: bytes, base: Btf | None = None) -> None:
        if len(data) < _HEADER.size:
            raise FormatError("not BTF")
        magic, _, _, size, types, types_size, texts, texts_size = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise FormatError("not BTF")
        if max(size + types + types_size, size + texts + texts_size) > len(data) or types_size % 4:
            raise FormatError("the BTF is cut")
        words = memoryview(data[size + types : size + types + types_size]).cast("I")
        before = base.parts[-1] if base else None
        self._own = _Part(
            words,
            _index(words),
            before.first + len(before.starts) if before else 1,
            data[size + texts : size + texts + texts_size],
            before.first_text + len(before.texts) if before else 0,
        )
        self.parts: tuple[_Part, ...] = (*(base.parts if base else ()), self._own)

    def text(self, offset: int) -> str:
        """Return the text at an offset."""
        part = self._own if offset >= self._own.first_text else self.parts[0]
        start = offset - part.first_text
        return part.texts[start : part.texts.find(b"\0", start)].decode(errors="replace")

    @cached_property
    def functions(self) -> dict[str, int]:
        """Numbers of the prototypes of functions, by name."""
        return self._named(_FUNC, "")

    @cached_property
    def structures(self) -> dict[str, int]:
        """Numbers of structures, by name."""
        words = self._own.words
        starts = enumerate(self._own.starts, self._own.first)
        return {
            self.text(words[at]): n for n, at in starts if words[at + 1] >> 24 & 0x1F == STRUCT and words[at]
        }

    @cached_property
    def raw_tracepoints(self) -> dict[str, int]:
        """Numbers of what is called for a raw tracepoint, by its name."""
        return self._named(_TYPEDEF, "btf_trace_")

    def _named(self, kind: int, prefix: str) -> dict[str, int]:
        found: dict[str, int] = {}
        words = self._own.words
        for at in self._own.starts:
            if words[at + 1] >> 24 & 0x1F == kind:
                name = self.text(words[at])
                if name.startswith(prefix):
                    found[name.removeprefix(prefix)] = words[at + 2]
        return found

    def at(self, number: int) -> tuple[memoryview, int, int]:
        """Return the words that hold a type, where among them it lies, and its kind."""
        for part in self.parts:
            if part.first <= number < part.first + len(part.starts):
                at = part.starts[number - part.first]
                return part.words, at, part.words[at + 1] >> 24 & 0x1F
        raise FormatError(f"the BTF names a type {number} that it lacks")

    def prototype(self, number: int) -> Prototype:
        """Return a prototype, or that which a type points to.

        Raises:
            FormatError: There is none.
        """
        for _ in range(_DEEPEST):
            words, at, kind = self.at(number)
            if kind == _FUNC_PROTO:
                count = words[at + 1] & 0xFFFF
                members = [words[at + 3 + 2 * i : at + 5 + 2 * i] for i in range(count)]
                variadic = bool(members) and tuple(members[-1]) == (0, 0)
                arguments = [self._argument(*pair) for pair in (members[:-1] if variadic else members)]
                return Prototype(self._argument(0, words[at + 2]), arguments, variadic)
            if kind not in SAME_SIZE | {PTR}:
                break
            number = words[at + 2]
        raise FormatError(f"the type {number} of the BTF is no function")

    def _argument(self, name: int, number: int) -> Argument:
        size, kind = self.size(number)
        return Argument(
            self.text(name) if name else "", self.spelled(number), size, kind in {STRUCT, UNION}, number
        )

    def size(self, number: int) -> tuple[int, int]:
        """Return the bytes of a type, and its kind without qualifiers."""
        items = 1
        for _ in range(_DEEPEST):
            if number == 0:
                return 0, 0
            words, at, kind = self.at(number)
            if kind == PTR:
                return _POINTER_BYTES * items, kind
            if kind == ARRAY:
                items, number = items * words[at + 5], words[at + 3]
            elif kind in SAME_SIZE:
                number = words[at + 2]
            else:
                sized = kind in {INT, STRUCT, UNION, ENUM, _FLOAT, ENUM64}
                return words[at + 2] * items if sized else 0, kind
        return 0, 0

    def spelled(self, number: int, depth: int = 0) -> str:
        """Return a type as C writes it."""
        if number == 0 or depth > _DEEPEST:
            return "void"
        words, at, kind = self.at(number)
        if kind == ARRAY:
            return f"{self.spelled(words[at + 3], depth + 1)}[{words[at + 5]}]"
        if kind == _FUNC_PROTO:
            count = words[at + 1] & 0xFFFF
            arguments = [self.spelled(words[at + 4 + 2 * i], depth + 1) for i in range(count)]
            return f"{self.spelled(words[at + 2], depth + 1)} ()({', '.join(arguments)})"
        if kind in _WRAPPERS:
            return _wrapped(kind, self.spelled(words[at + 2], depth + 1))
        sort = _SORTS.get(kind, "")
        if kind == _FWD:
            sort = "union " if words[at + 1] >> 31 else "struct "
        return f"{sort}{self.text(words[at]) or '{...}'}"


def _index(words: memoryview) -> list[int]:
    """Return where types start."""
    at, starts, end = 0, [], len(words)
    while at + _HEAD <= end:
        starts.append(at)
        info = words[at + 1]
        kind = info >> 24 & 0x1F
        at += _HEAD + _FIXED.get(kind, 0)
        if kind in _A_MEMBER:
            at += _A_MEMBER[kind] * (info & 0xFFFF)
    if at != end:
        raise FormatError("the BTF is damaged")
    return starts


def _wrapped(kind: int, inner: str) -> str:
    """Return a pointer to a type, or the type with a qualifier."""
    if kind == PTR:
        return _FUNCTION.sub(r"(\1*)(", inner, count=1) if _FUNCTION.search(inner) else _joined(inner, "*")
    if kind == _TYPE_TAG:
        return inner
    return f"{inner}{_QUALIFIERS[kind]}" if inner.endswith("*") else f"{_QUALIFIERS[kind]} {inner}"


def _joined(left: str, right: str) -> str:
    """Return a type and a name as C writes a declaration: the name stands within some types."""
    if _FUNCTION.search(left):
        return _FUNCTION.sub(lambda match: f"({match[1]}{right})(", left, count=1)
    if right and (array := _ARRAY_END.search(left)):
        return f"{left[: array.start()]} {right}{array[0]}"
    return f"{left}{right}" if left.endswith("*") else f"{left} {right}".rstrip()
