"""Tables as text for other programs: JSON, CSV, Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kprof.cli.amounts import amount, percent

if TYPE_CHECKING:
    from kprof.analysis.table import Table

_WEIGHTS = ("self", "total")


def to_json(head: Mapping[str, Any], tables: Mapping[str, Table]) -> str:
    """Return one object: what is in `head`, and each table as a list of objects."""
    rows = {name: list(table.rows()) for name, table in tables.items()}
    return json.dumps({**head, **rows}, indent=1, ensure_ascii=False, default=str) + "\n"


def to_csv(tables: Mapping[str, Table]) -> str:
    """Return the tables below each other, with a column `table` if there are several."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    several = len(tables) > 1
    for i, (name, table) in enumerate(tables.items()):
        if i == 0:
            writer.writerow([*(["table"] if several else []), *table.columns])
        for row in table.rows():
            writer.writerow([*([name] if several else []), *row.values()])
    return text.getvalue()


def to_markdown(title: str, lines: list[str], tables: Mapping[str, Table]) -> str:
    """Return a heading, lines of text, and each table."""
    parts = [f"## {_escaped(title)}\n", *(f"{line}\n" for line in lines)]
    for name, table in tables.items():
        if len(tables) > 1:
            parts.append(f"### {name}\n")
        parts.append(_markdown_table(table))
    return "\n".join(parts)


def _markdown_table(table: Table) -> str:
    numeric = [column.dtype.kind in "iuf" for column in table.columns.values()]
    lines = [
        f"| {' | '.join(name.replace('_share', ' %') for name in table.columns)} |",
        f"|{'|'.join('--:' if right else '---' for right in numeric)}|",
    ]
    for row in table.rows():
        cells = (_cell(name, value, table.unit) for name, value in row.items())
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(name: str, value: Any, unit: str) -> str:
    if name.endswith("_share"):
        return percent(value)
    if name in _WEIGHTS and isinstance(value, int):
        return amount(value, unit)
    if isinstance(value, int):
        return f"{value:,}" if name == "samples" else str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return f"`{_escaped(str(value))}`" if value not in {"", None} else ""


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")
