"""JSON whose shape is not to be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kprof.readers.source import Source

_CHUNK = 1 << 20
_LARGEST = (1 << 63) - 1


class ShapeError(ValueError):
    """The JSON does not have the shape that its format asks for."""


def load(source: Source) -> dict[str, Any]:
    """Read a whole input as one JSON object.

    Raises:
        ShapeError: It is none.
    """
    parts = []
    while part := source.read(_CHUNK):
        parts.append(part)
    try:
        found = json.loads(b"".join(parts))
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ShapeError(f"no whole JSON: {reason}") from None
    if not isinstance(found, dict):
        raise ShapeError("it is no object")
    return found


def member(table: Any, name: str) -> Any:
    """Return a member that must be there."""
    if not isinstance(table, dict) or name not in table:
        raise ShapeError(f"{name} is missing")
    return table[name]


def array(table: Any, name: str, length: int | None = None) -> list[Any]:
    """Return a list that must be there, of a given length if there is one."""
    found = member(table, name)
    if not isinstance(found, list):
        raise ShapeError(f"{name} is no list")
    if length is not None and len(found) != length:
        raise ShapeError(f"{name} has {len(found)} entries, not {length}")
    return found


def text(table: Any, name: str, default: str = "") -> str:
    """Return a text, or the default if there is none."""
    found = table.get(name) if isinstance(table, dict) else None
    return found if isinstance(found, str) else default


def whole(value: Any, factor: int = 1, what: str = "a weight") -> int:
    """Return a number that is not negative, times a factor, as a whole one of 63 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        raise ShapeError(f"{what} is no number: {value!r:.40}")
    # Compared before it is multiplied, since a product may be infinite.
    if not 0 <= value <= _LARGEST // factor:
        raise ShapeError(f"{what} is out of range: {value!r:.40}")
    return round(value * factor)


def index(value: Any, size: int, what: str) -> int:
    """Return a row of a table of `size` rows."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
        raise ShapeError(f"{what} is not there: {value!r:.40}")
    return value


def optional(column: Sequence[Any], size: int, what: str) -> Iterator[int]:
    """Give rows of a table of `size` rows, -1 for null and for -1."""
    for value in column:
        yield -1 if value is None or value == -1 else index(value, size, what)
