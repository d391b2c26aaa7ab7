"""Events for a person, and as JSON for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kprof.survey.events import ENGINES
from kprof.system.files import write_whole

if TYPE_CHECKING:
    from kprof.survey.describe import Description, Parameter
    from kprof.survey.events import Event, Verdict

_BOLD, _DIM, _GREEN, _RED, _YELLOW, _CYAN = "1", "2", "32", "31", "33", "36"
_WIDEST_NAME, _WIDEST_REASON, _LEAST_WHAT = 60, 28, 12
_WIDE_PAGE = 100


def page(text: str, *, plain: bool = False) -> None:
    """Write a text, through a pager if standard output is a terminal that it does not fit into."""
    ended = sys.stdout is not None and sys.stdout.isatty()
    if plain or not ended or text.count("\n") < shutil.get_terminal_size().lines:
        write_whole("-", text.encode(errors="replace"))
        return
    import pydoc  # noqa: PLC0415 - only where a person looks

    os.environ.setdefault("LESS", "-FRSX")
    pydoc.pager(text)


def count(events: Sequence[Event]) -> str:
    """Return how many events there are, and how many are reached."""
    reached = (f"{sum(e.reach[engine].reached for e in events):,} with {engine}" for engine in ENGINES)
    return f"{len(events):,} event{'s' if len(events) != 1 else ''}; reached are {', '.join(reached)}"


def binary_in(name: str) -> list[str]:
    """Return the file that the name of a probe names."""
    if name.startswith(("uprobe:", "uretprobe:")):
        return [name.partition(":")[2].rpartition(":")[0]]
    if name.startswith("usdt:"):
        return [name.partition(":")[2].rpartition(":")[0].rpartition(":")[0]]
    return []


def list_json(events: Sequence[Event]) -> str:
    """Return a list of objects."""
    return json.dumps([_plain(event) for event in events], indent=1, ensure_ascii=False) + "\n"


def _plain(event: Event) -> dict[str, Any]:
    reach = {
        engine: {"reached": verdict.reached, "reason": verdict.reason}
        for engine, verdict in event.reach.items()
    }
    return {"name": event.name, "kind": event.kind, "what": event.what, "reach": reach}


def list_text(events: Sequence[Event]) -> str:
    """Return one line an event, in columns."""
    widest = _WIDEST_REASON if _is_terminal() else _WIDE_PAGE
    name = min(max(len(event.name) for event in events), _WIDEST_NAME)
    kind = max(len(event.kind) for event in events)
    verdicts = [
        max(len(engine), *(min(len(_word(event.reach[engine])), widest) for event in events))
        for engine in ENGINES
    ]
    head = ["name".ljust(name), "kind".ljust(kind)]
    head += [engine.ljust(width) for engine, width in zip(ENGINES, verdicts, strict=True)]
    left = _width() - len("  ".join(head)) - 2
    lines = [_paint("  ".join([*head, "what it is"]), _BOLD)]
    for event in events:
        cells = [_clean(event.name).ljust(name), _paint(event.kind.ljust(kind), _CYAN)]
        for engine, width in zip(ENGINES, verdicts, strict=True):
            cells.append(_verdict(event.reach[engine], width))
        what = _clean(event.what)
        cells.append(_paint(_cut(what, max(left, _LEAST_WHAT)) if _is_terminal() else what, _DIM))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _word(verdict: Verdict) -> str:
    return "yes" if verdict.reached else f"no: {verdict.reason}"


def _verdict(verdict: Verdict, width: int) -> str:
    word = _cut(_word(verdict), width) if _is_terminal() else _word(verdict)
    return _paint(word.ljust(width), _GREEN if verdict.reached else _RED)


def description_json(found: Description) -> str:
    """Return one object."""
    rest = asdict(found)
    del rest["event"]
    return json.dumps({**_plain(found.event), **rest}, indent=1, ensure_ascii=False) + "\n"


def description_text(found: Description) -> str:
    """Return all that is known of an event, for a person."""
    event = found.event
    lines = [f"{_paint(_clean(event.name), _BOLD)}  {_paint(event.kind, _CYAN)}"]
    lines += [f"  {_clean(event.what)}"] if event.what else []
    lines += ["", _paint("Reached by", _BOLD)]
    lines += [f"  {engine:<10}{_verdict(event.reach[engine], 0)}" for engine in ENGINES]
    if found.parameters:
        lines += ["", _paint("Arguments", _BOLD), *_table(found.parameters)]
    if found.result:
        lines += ["", f"{_paint('Returns', _BOLD)}  {found.result}"]
    if found.example:
        lines += ["", _paint("Record it", _BOLD), f"  {found.example}"]
    if found.trace:
        lines += ["", _paint("Trace it", _BOLD), f"  {found.trace}"]
    if found.notes:
        lines += [""]
        width = min(_width(), _WIDE_PAGE) - 2
        for note in found.notes:
            wrapped = textwrap.wrap(note, width, initial_indent="! ", subsequent_indent="  ")
            lines += [_paint(line, _YELLOW) for line in wrapped]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(parameters: Sequence[Parameter]) -> list[str]:
    rows = [
        (each.name, each.type, _number(each.offset), _number(each.size), each.place) for each in parameters
    ]
    heads = ("name", "type", "offset", "size", "place")
    used = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    widths = {i: max(len(heads[i]), *(len(row[i]) for row in rows)) for i in used}
    lines = [_paint("  " + "  ".join(heads[i].ljust(widths[i]) for i in used), _DIM)]
    for row in rows:
        cells = [row[i].rjust(widths[i]) if i in {2, 3} else row[i].ljust(widths[i]) for i in used]
        lines.append("  " + "  ".join(cells))
    return lines


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _width() -> int:
    return shutil.get_terminal_size((_WIDE_PAGE, 0)).columns


def _cut(text: str, width: int) -> str:
    return text if not width or len(text) <= width else f"{text[: width - 1]}…"


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _paint(text: str, code: str) -> str:
    return text if not _is_terminal() or "NO_COLOR" in os.environ else f"\x1b[{code}m{text}\x1b[0m"
