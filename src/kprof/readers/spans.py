"""Spans of a trace as stacks: what is open on a thread from one moment to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kprof.model import Frame, Kind
from kprof.readers.json_input import ShapeError, member, text, whole
from kprof.readers.names import kind_of_name

_US = 1000
_PYTHON = (".py", ".pyx")
Span = dict[str, Any]


def by_thread(events: list[Span]) -> dict[tuple[Any, Any], list[tuple[int, int, Span]]]:
    """Return begin (1) and end (-1) of each span by thread, with the time in nanoseconds, in order."""
    found: dict[tuple[Any, Any], list[tuple[int, int, Span]]] = {}
    for event in events:
        phase = event.get("ph")
        if phase not in {"B", "E", "X"}:
            continue
        rows = found.setdefault((_key(event.get("pid")), _key(event.get("tid"))), [])
        begin = whole(member(event, "ts"), _US, "a time")
        if phase != "X":
            rows.append((begin, 1 if phase == "B" else -1, event))
            continue
        end = begin + whole(event.get("dur", 0), _US, "a time")
        if end > begin:
            rows += [(begin, 1, event), (end, -1, event)]
    for key, rows in found.items():
        # What ends goes before what begins, the longer before the shorter; `B` and `E` stand in their order.
        longest = {id(event): -float(event.get("dur", 0)) for _, _, event in rows if event.get("ph") == "X"}
        found[key] = sorted(rows, key=lambda row: (row[0], *_rank(row, longest)))
    return found


def _key(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _rank(row: tuple[int, int, Span], longest: dict[int, float]) -> tuple[int, float]:
    _, sign, event = row
    if id(event) not in longest:
        return (0, 0.0)
    length = longest[id(event)]
    return (1, length) if sign > 0 else (-1, -length)


def open_spans(rows: list[tuple[int, int, Span]]) -> Iterator[tuple[list[Span], int, int]]:
    """Give what was open, outermost first, from when on, and for how long, in nanoseconds.

    Raises:
        ShapeError: A span ends that has not begun.
    """
    stack: list[Span] = []
    last = 0
    for time, sign, event in rows:
        if time > last and stack:
            yield list(stack), last, time - last
        last = time
        if sign > 0:
            stack.append(event)
        elif event in stack and event.get("ph") == "X":
            stack.remove(event)
        elif stack:
            stack.pop()
        else:
            raise ShapeError(f"a span ends that has not begun: {text(event, 'name')!r:.40}")


def frame_of_span(event: Span) -> Frame:
    """Return the frame of a span; py-spy and others say where it is among the arguments."""
    name, args = text(event, "name", "(anonymous)"), event.get("args")
    file, line = text(args, "filename"), args.get("line") if isinstance(args, dict) else None
    source = f"{file}:{line}" if file and isinstance(line, int) and line > 0 else file
    kind = Kind.PYTHON if file.endswith(_PYTHON) or file.startswith("<frozen") else kind_of_name(name)
    return Frame(name, "", kind, 0, source)
