"""Reader of gProfiler's `.col`: folded stacks below a line of JSON that says where they come from.

Source: gprofiler/merge.py of https://github.com/Granulate/gprofiler. A stack is
`[N;][CONTAINER;]COMM;[appid: APP;]...`, where N is a row of `application_metadata`. Whether the first two are
there depends on options that the header does not tell, but every stack has them or none. Numbers are samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kprof.errors import FormatError
from kprof.model import Event, Frame, Mappings, Profile, Quality
from kprof.readers.interning import Interner, Row
from kprof.readers.lines import texts_of
from kprof.readers.names import kind_of_name
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

_KEYS = (b'"metadata"', b'"containers"')
_FACTS = {
    "hostname": "host", "kernel_release": "kernel", "start_time": "recorded", "system_name": "system",
    "processors": "CPUs", "run_mode": "run mode",
}  # fmt: skip
_LARGEST = (1 << 63) - 1


def sniff(head: bytes) -> bool:
    """Say whether the first line is a comment that holds JSON with members of gProfiler's."""
    first = head.split(b"\n", 1)[0]
    return (
        first.startswith(b"#") and first[1:].lstrip().startswith(b"{") and all(key in first for key in _KEYS)
    )


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read the stacks. The container is kept as the control group.

    Raises:
        FormatError: The header is no JSON, or no line is a stack.
    """
    lines = texts_of(source)
    header = _header(next(lines, ""), source.name)
    rows: list[tuple[list[str], int]] = []
    skipped = 0
    for line in lines:
        stack, _, number = line.rpartition(" ")
        if line.startswith("#") or not line.strip():
            continue
        if stack and number.isascii() and number.isdecimal() and int(number) <= _LARGEST:
            rows.append((stack.split(";"), int(number)))
        else:
            skipped += 1
    if not rows:
        raise FormatError(f"{source.name}: no line of it is a stack of gProfiler")
    return _profile(header, rows, skipped)


def _header(line: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(line.lstrip("#"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: damaged header of gProfiler: {error}") from None
    if not isinstance(found, dict):
        raise FormatError(f"{name}: damaged header of gProfiler: it is no object")
    return found


def _profile(header: dict[str, Any], rows: Sequence[tuple[list[str], int]], skipped: int) -> Profile:
    applications = header.get("application_metadata")
    known = len(applications) if isinstance(applications, list) else 0
    has_number = known > 0 and all(
        frames[0].isascii() and frames[0].isdecimal() and int(frames[0]) < known for frames, _ in rows
    )
    names = header.get("containers")
    containers = {str(name) for name in names} if isinstance(names, list) else set()
    at = int(has_number)
    has_container = all(len(frames) > at and frames[at] in containers | {""} for frames, _ in rows)
    interner = Interner()
    for frames, number in rows:
        container = frames[at] if has_container else ""
        comm, *rest = frames[at + has_container :] or [""]
        stack = interner.stack([interner.frame(Frame(name, "", kind_of_name(name)), -1) for name in rest])
        interner.sample(Row(stack, 0, number, number, comm=comm, cgroup=container or None))
    read = sum(number for _, number in rows)
    bare = sum(number for frames, number in rows if len(frames) <= at + has_container + 1)
    return interner.build(
        Mappings(), (Event("samples", "samples"),), _facts(header),
        Quality(read, without_stack=bare, skipped_lines=skipped),
    )  # fmt: skip


def _facts(header: dict[str, Any]) -> dict[str, str]:
    facts = {"recorder": "gProfiler"}
    found = header.get("metadata")
    for key, name in _FACTS.items():
        if isinstance(found, dict) and isinstance(found.get(key), str | int):
            facts[name] = str(found[key])
    return facts
