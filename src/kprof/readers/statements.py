"""What other formats keep of a profile's facts and quality: lines of `key: value`, or JSON."""

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from kprof.model import Quality
from kprof.readers.json_input import whole

_LINE = re.compile(r"([\w .()-]{1,60}): (.*)", re.DOTALL)
_QUALITY = "quality."
_NUMBER = re.compile(r"\d{1,18}")
_COUNTS = ("read", "without_stack", "truncated", "skipped_lines")


def facts_and_quality(lines: Sequence[str]) -> tuple[dict[str, str], Quality | None]:
    """Return the facts, and the quality if a line tells of it.

    Args:
        lines: Such as `host: example` or `quality.lost.full map: 3`; others are passed over.
    """
    facts: dict[str, str] = {}
    counts: dict[str, Any] = {}
    for line in lines:
        if line.startswith(_QUALITY):
            # A cause may hold anything; its number stands last.
            key, _, value = line.removeprefix(_QUALITY).rpartition(": ")
            name, _, cause = key.partition(".")
            if not _NUMBER.fullmatch(value):
                continue
            if name in _COUNTS:
                counts[name] = int(value)
            elif name in {"lost", "filtered"}:
                counts.setdefault(name, {})[cause] = int(value)
        elif found := _LINE.fullmatch(line):
            facts[found[1]] = found[2]
    return facts, Quality(**counts) if counts else None


def quality_of(found: Any) -> Quality | None:
    """Return the quality that a JSON object tells, None if it is no object.

    Raises:
        ShapeError: A count is no whole number.
    """
    if not isinstance(found, dict):
        return None
    counts: dict[str, Any] = {}
    for field in fields(Quality):
        value = found.get(field.name, 0)
        if isinstance(value, dict):
            counts[field.name] = {str(cause): whole(n, 1, "a count") for cause, n in value.items()}
        elif value:
            counts[field.name] = whole(value, 1, "a count")
    return Quality(**counts)
