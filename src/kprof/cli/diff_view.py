"""What `kprof diff` found, as text, Markdown or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kprof.cli.amounts import amount, percent

if TYPE_CHECKING:
    from kprof.analysis.diff import Diff
    from kprof.analysis.gate import Verdict

_WEIGHTS = ("self", "total")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown.

    Attributes:
        diff: The changes.
        verdicts: What became of the rules.
        event: What was counted.
        absolute: Whether numbers are weights.
        number: Rows to show, 0 for all.
    """

    diff: Diff
    verdicts: Sequence[Verdict]
    event: str
    absolute: bool
    number: int

    @property
    def lines(self) -> list[str]:
        """What stands above the table."""
        found, unit = self.diff, self.diff.table.unit
        runs = " against ".join(f"{n} recording{'' if n == 1 else 's'}" for n in found.runs)
        sizes = " to ".join(amount(round(whole), unit) for whole in found.whole)
        lines = [f"{self.event}: {sizes}{' a run' if max(found.runs) > 1 else ''}, {runs}"]
        if found.tested:
            count = int(found.table.columns["significant"].sum())
            lines.append(
                f"{count} of {len(found.table)} rows changed significantly (*):"
                " Welch's t on runs, 5% false discoveries"
            )
        else:
            lines.append("too few recordings to tell a change from chance: give two or more a side")
        return lines

    @property
    def left(self) -> int:
        """How many rows of the table are not shown."""
        return max(len(self.diff.table) - self.number, 0) if self.number else 0

    def cells(self) -> tuple[list[str], list[str], list[list[str]]]:
        """Return heads of numbers, heads of texts, and the rows of cells."""
        table = self.diff.table
        names = [n for n, column in table.columns.items() if column.dtype == object and n != "change"]
        heads = [head for weight in _WEIGHTS for head in (f"{weight} before", "after", "change")]
        rows = []
        for row in list(table.rows())[: self.number or None]:
            cells = []
            for weight in _WEIGHTS:
                cells += [self._value(row[f"{weight}_{side}"]) for side in ("before", "after")]
                cells.append(self._change(row[f"{weight}_delta"]))
            mark = "*" if row.get("significant") else ""
            note = " ".join(part for part in (mark, row["change"]) if part)
            rows.append([*cells, note, *(str(row[name]) for name in names)])
        return heads, ["note", *names], rows

    def _value(self, value: float) -> str:
        return amount(round(value), self.diff.table.unit) if self.absolute else percent(value)

    def _change(self, value: float) -> str:
        text = self._value(abs(value))
        if text == self._value(0):
            return text
        return f"{'-' if value < 0 else '+'}{text.removesuffix('%')}{'' if self.absolute else ' pp'}"


def to_text(shown: Shown) -> str:
    """Return the table for a terminal."""
    from kprof.cli.table_view import View  # noqa: PLC0415 - rich takes 50 ms to import

    view = View(to_terminal=True)
    for number, line in enumerate(shown.lines):
        view.line(line, "dim" if number else "bold")
    view.line("")
    view.cells(*shown.cells())
    if shown.left:
        view.line(f"{shown.left:,} more; -n 0 shows all", "dim")
    if shown.diff.left_out:
        rows = "row is" if shown.diff.left_out == 1 else "rows are"
        view.line(f"{shown.diff.left_out:,} {rows} lighter than --min-percent", "dim")
    for verdict in shown.verdicts:
        view.line(f"{_word(verdict)}: {verdict.reason}", "red" if verdict.fails else "green")
    return view.text()


def to_markdown(shown: Shown) -> str:
    """Return a heading, the verdicts and the table."""
    heads, names, rows = shown.cells()
    lines = [f"## {_escaped(shown.lines[0])}", "", _escaped(shown.lines[1]), ""]
    lines += [f"- **{_word(v)}**: `{_escaped(v.rule.text)}`, {_found(v)}" for v in shown.verdicts]
    lines += [""] if shown.verdicts else []
    lines.append(f"| {' | '.join([*heads, *names])} |")
    lines.append(f"|{'|'.join(['--:'] * len(heads) + ['---'] * len(names))}|")
    for row in rows:
        texts = [f"`{_escaped(cell)}`" if cell else "" for cell in row[len(heads) + 1 :]]
        note = row[len(heads)].replace("*", "\\*")
        lines.append(f"| {' | '.join([*row[: len(heads)], note, *texts])} |")
    if shown.left:
        lines += ["", f"{shown.left:,} more rows"]
    return "\n".join(lines) + "\n"


def to_json(found: Diff, verdicts: Sequence[Verdict], event: str, *, absolute: bool) -> str:
    """Return one object: what was compared, all rows, and what became of the rules."""
    sides = zip(("before", "after"), found.runs, found.whole, strict=True)
    value = {
        "event": event,
        "unit": found.table.unit,
        "absolute": absolute,
        "tested": found.tested,
        **{name: {"runs": runs, "total": whole} for name, runs, whole in sides},
        "left_out": found.left_out,
        "rules": [_verdict(verdict) for verdict in verdicts],
        "rows": [{name: _plain(cell) for name, cell in row.items()} for row in found.table.rows()],
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _verdict(verdict: Verdict) -> dict[str, Any]:
    names = ("before", "after", "over", "q", "fails", "unmet")
    return {"rule": verdict.rule.text, **{name: getattr(verdict, name) for name in names}}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _word(verdict: Verdict) -> str:
    return "fails" if verdict.fails else "holds"


def _found(verdict: Verdict) -> str:
    return verdict.reason.removeprefix(verdict.rule.text).removeprefix(": ")


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")
