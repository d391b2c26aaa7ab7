"""Tables for a person at a terminal: aligned, with bars, and in colour where there is any."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from kprof.cli.amounts import amount, bar, percent

if TYPE_CHECKING:
    from kprof.analysis.table import Table

_WIDE, _BAR, _WIDE_BAR, _GAP = 10_000, 10, 40, 2
_TEXT_STYLES = {"module": "cyan", "kind": "cyan", "comm": "cyan"}
_COLD, _WARM, _HOT = "dim", "yellow", "bold red"
_WARM_FROM, _HOT_FROM = 0.01, 0.10


class View:
    """Collects what is shown; `text` is all of it.

    Args:
        to_terminal: Whether a person looks; else there are no colours and nothing is cut off.
    """

    def __init__(self, *, to_terminal: bool) -> None:
        ended = to_terminal and sys.stdout is not None and sys.stdout.isatty()
        # Cells are as wide as the terminal, or as wide as they must be for a file.
        self._console = Console(
            force_terminal=ended,
            width=None if ended else _WIDE,
            no_color=not ended or "NO_COLOR" in os.environ,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._width = self._console.width if ended else 0
        self._parts: list[str] = []

    def text(self) -> str:
        """Return what was shown, without spaces at the ends of lines."""
        return "".join(f"{line.rstrip()}\n" for part in self._parts for line in part.splitlines())

    def line(self, text: str, style: str = "") -> None:
        """Show a line of text, wrapped at the terminal's width."""
        self._show(Text(clean(text), style))

    def table(self, table: Table, *, bars: bool = True) -> None:
        """Show a table: numbers first, then texts, which are cut off if the terminal is too narrow."""
        numbers = [name for name, column in table.columns.items() if column.dtype.kind in "iuf"]
        names = [name for name in table.columns if name not in numbers]
        shares = [name for name in numbers if name.endswith("_share")]
        width = _BAR if "self" in numbers or not self._width else _WIDE_BAR
        most = max((float(table.columns[name].max(initial=0)) for name in shares[:1]), default=0.0)
        heads: list[str] = []
        for name in numbers:
            heads += [name.replace("_share", " %"), *([""] if bars and shares[:1] == [name] else [])]
        lines: list[list[Text]] = []
        for row in table.rows():
            cells: list[Text] = []
            for name in numbers:
                cells.append(_number(name, row[name], table.unit))
                if bars and shares[:1] == [name]:
                    cells.append(Text(bar(row[name] / most if most else 0, width), _heat(row[name])))
            cells += [Text(clean(str(row[name])), _TEXT_STYLES.get(name, "")) for name in names]
            lines.append(cells)
        self._show(self._grid(heads, names, lines))

    def cells(self, heads: list[str], names: list[str], lines: list[list[str]]) -> None:
        """Show cells that are texts already: first what stands to the right, below `heads`, then `names`."""
        self._show(self._grid(heads, names, [[Text(clean(cell)) for cell in line] for line in lines]))

    def plain(self, table: Table) -> None:
        """Show columns in their order, as they are, for the answer to a question."""
        grid = Grid(box=None, padding=(0, _GAP, 0, 0), header_style="bold", pad_edge=False)
        for name, column in table.columns.items():
            right = column.dtype.kind in "iuf"
            grid.add_column(
                clean(name), justify="right" if right else "left", no_wrap=True, overflow="ellipsis"
            )
        for row in table.rows():
            grid.add_row(*(f"{v:,}" if isinstance(v, int) else clean(f"{v}") for v in row.values()))
        self._show(grid)

    def _grid(self, heads: list[str], names: list[str], lines: list[list[Text]]) -> Grid:
        """Lay cells out: numbers as wide as they are, texts in what is left, mostly the first."""
        grid = Grid(box=None, padding=(0, _GAP, 0, 0), header_style="bold", pad_edge=False)
        widths = [max(len(head), *(len(line[i]) for line in lines), 0) for i, head in enumerate(heads)]
        for head, width in zip(heads, widths, strict=True):
            grid.add_column(head, justify="right" if head else "left", no_wrap=True, width=width)
        left = self._width - sum(widths) - _GAP * len(heads)
        for i, name in reversed(list(enumerate(names, len(heads)))):
            width = max(cell_len(name), *(line[i].cell_len for line in lines), 0)
            most = left if i == len(heads) else left // 4
            if self._width:
                width = max(min(width, most), cell_len(name))
                left -= width + _GAP
            widths.insert(len(heads), width)
        for name, width in zip(names, widths[len(heads) :], strict=True):
            grid.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
        for line in lines:
            grid.add_row(*line)
        return grid

    def tree(self, outline: Table) -> None:
        """Show rows in reading order, with `depth`, as a tree."""
        branches = list(_branches([int(d) for d in outline.columns["depth"].tolist()]))
        self.line("  total    self  function", "bold")
        for branch, row in zip(branches, outline.rows(), strict=True):
            text = Text(f"{percent(row['total_share']):>7} ", _heat(row["total_share"]))
            text.append(f"{percent(row['self_share']) if row['self'] else '':>7}  ", _heat(row["self_share"]))
            text.append(branch, "dim")
            text.append(clean(row["function"]))
            if row["module"]:
                text.append(f"  {clean(row['module'])}", "cyan dim")
            if self._width and cell_len(text.plain) > self._width:
                text.truncate(self._width, overflow="ellipsis")
            self._show(text, wrap=False)

    def _show(self, what: Any, *, wrap: bool = True) -> None:
        with self._console.capture() as captured:
            self._console.print(what, soft_wrap=not wrap or not self._width)
        self._parts.append(captured.get())


def clean(text: str) -> str:
    """Return a text that cannot steer the terminal, and that can be written in any encoding of Unicode."""
    safe = text.encode(errors="replace").decode()
    return "".join(c if c.isprintable() else "?" for c in safe)


def _number(name: str, value: float, unit: str) -> Text:
    if name.endswith("_share"):
        return Text(percent(value), _heat(value))
    if name in {"self", "total"}:
        return Text(amount(int(value), unit))
    if isinstance(value, float):
        return Text(f"{value:g}")
    return Text(f"{value:,}" if name == "samples" else str(value))


def _heat(share: float) -> str:
    return _HOT if share >= _HOT_FROM else _WARM if share >= _WARM_FROM else _COLD


def _branches(depth: Sequence[int]) -> Iterator[str]:
    """Give the line art before each row. An only child stands below its parent, not to the right of it."""
    last = [True] * len(depth)
    only = [False] * len(depth)
    open_rows: list[int] = []  # the latest row of each level
    for row, level in enumerate(depth):
        closed = open_rows[level] if level < len(open_rows) else -1
        del open_rows[level:]
        if closed >= 0:
            last[closed] = False
            only[closed] = False
        only[row] = closed < 0
        open_rows.append(row)
    prefixes: list[str] = []
    for row, level in enumerate(depth):
        del prefixes[level:]
        before = prefixes[-1] if prefixes else ""
        if only[row]:
            yield before
            prefixes.append(before)
        else:
            yield before + ("└─ " if last[row] else "├─ ")
            prefixes.append(before + ("   " if last[row] else "│  "))
