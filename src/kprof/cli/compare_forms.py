"""What `kprof compare` found, for a terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kprof.cli.compare_view import NOISE_HEADS

if TYPE_CHECKING:
    from kprof.cli.compare_view import Shown

_NAME_WIDTH = 45


def to_text(shown: Shown) -> str:
    """Return tables for a terminal."""
    from kprof.cli.table_view import View  # noqa: PLC0415 - rich takes 50 ms to import

    view = View(to_terminal=True)
    if len(shown.names) > 2:  # noqa: PLR2004 - else there is nothing to tell apart
        view.line(f"{shown.names[0]} and {shown.names[1]}", "bold")
    for name, value in shown.agreed():
        view.line(f"{name:<{_NAME_WIDTH}} {value}")
    facts = shown.facts()
    width = max(len(row[0]) for row in facts)
    view.line("")
    view.cells(["", *shown.names], [], [[f"{row[0]:<{width}}", *row[1:]] for row in facts])
    for note in shown.notes():
        view.line(note, "dim")
    if rows := shown.one_sided():
        view.line("")
        view.cells([], ["seen by some only, and no difference", "by", "how much"], rows)
    if rows := shown.noise():
        view.line("")
        view.cells(NOISE_HEADS, ["recordings"], rows)
        for verdict in shown.verdicts():
            view.line(verdict, "bold")
    view.line("")
    view.cells(shown.heads, ["cause", "function", "module"], shown.functions())
    if shown.more:
        view.line(f"{shown.more:,} more; -n 0 shows all", "dim")
    return view.text()


def to_markdown(shown: Shown) -> str:
    """Return tables as Markdown."""
    lines = [f"## {' and '.join(map(_escaped, shown.names))}", ""]
    lines += _table(["agreement", ""], [list(pair) for pair in shown.agreed()])
    lines += _table(["", *shown.names], shown.facts())
    lines += [line for note in shown.notes() for line in (note, "")]
    if rows := shown.one_sided():
        lines += _table(["seen by some only", "by", "how much"], [[_escaped(c) for c in row] for row in rows])
    if rows := shown.noise():
        lines += _table([*NOISE_HEADS, "recordings"], rows)
        lines += [line for verdict in shown.verdicts() for line in (verdict, "")]
    functions = [
        [*row[:5], *(f"`{_escaped(cell)}`" if cell else "" for cell in row[5:])] for row in shown.functions()
    ]
    lines += _table([*shown.heads, "cause", "function", "module"], functions)
    return "\n".join(lines)


def to_json(shown: Shown) -> str:
    """Return one object: shares from 0 to 1, seconds, bytes, weights in the unit of their event."""
    found = shown.found
    noise = asdict(found.noise) if found.noise else None
    value = {
        "names": list(shown.names),
        "agreement": asdict(found.agreement),
        "causes": {str(cause): share for cause, share in found.disagreement.causes.items()},
        "sides": [asdict(side) for side in found.sides],
        "costs": [cost.numbers() for cost in shown.costs],
        "slowdowns": {
            what: {name: asdict(one) for name, one in by_name.items()}
            for what, by_name in shown.slowdowns.items()
        },
        "one_sided": [asdict(one) for one in found.one_sided],
        "rounds": shown.rounds,
        "noise": noise,
        "functions": list(found.disagreement.table.rows()),
    }
    return json.dumps(_plain(value), indent=1, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Return the same without what JSON has no word for."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(_escaped, heads))} |", f"|{'---|' * len(heads)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")
