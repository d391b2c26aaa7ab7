"""The filter of a table, applied by us: for engines whose programs do not, and to hold programs against."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from kprof.wire import trace_events as wire

Raw = int | bytes | None
_BITS = 64
_SPECIAL = {wire.ANY_ONE: b".", wire.ANY_RUN: b".*", wire.ANY_BLANK: rb"[ \0]"}


def passes(table: np.ndarray[Any, Any], values: Sequence[Raw]) -> bool:
    """Say whether values meet the filter of a table.

    Args:
        table: One `trace_events.TRACE`.
        values: As programs read them, by the numbers of their fields: numbers without a sign, and bytes;
            None for what could not be read.
    """
    if not int(table["tests"][0]):
        return True
    truths: list[bool] = []
    for test in table["test"][0][: int(table["tests"][0])]:
        what = int(test["what"])
        if what == wire.NOT:
            truths.append(not truths.pop())
        elif what == wire.COMPARE:
            truths.append(_is_true(table, test, values))
        else:
            last, first = truths.pop(), truths.pop()
            truths.append(first and last if what == wire.AND else first or last)
    return truths[-1]


def _is_true(table: np.ndarray[Any, Any], test: Any, values: Sequence[Raw]) -> bool:
    compare, number = int(test["compare"]), int(test["field"])
    value = values[number]
    if compare in {wire.LIKE, wire.UNLIKE}:
        codes = table["pattern"][0][int(test["pattern"])]
        pattern = _compiled(tuple(codes["code"][: int(codes["length"])].tolist()))
        return isinstance(value, bytes) and bool(pattern.fullmatch(value)) == (compare == wire.LIKE)
    if not isinstance(value, int):
        return False
    left = value
    right = int(test["value"])
    if compare == wire.HAS_BITS:
        return bool(left & right)
    if int(table["field"][0][number]["flags"]) & wire.SIGNED:
        left, right = _signed(left), _signed(right)
    return {
        wire.EQUAL: left == right, wire.UNEQUAL: left != right, wire.LESS: left < right,
        wire.AT_MOST: left <= right, wire.MORE: left > right, wire.AT_LEAST: left >= right,
    }[compare]  # fmt: skip


def _signed(value: int) -> int:
    return value - (1 << _BITS) if value >> _BITS - 1 else value


@cache
def _compiled(codes: tuple[int, ...]) -> re.Pattern[bytes]:
    text = b"".join(_SPECIAL.get(code) or re.escape(bytes([code])) for code in codes)
    return re.compile(text, re.DOTALL)
