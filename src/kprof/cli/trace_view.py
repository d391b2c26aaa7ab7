"""Events as they happen: for a person, as lines of JSON, as CSV, or in a file."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Protocol

from kprof.cli.amounts import amount
from kprof.system.files import whole_file, write_whole

if TYPE_CHECKING:
    from kprof.recorders.trace.decode import Row
    from kprof.recorders.trace.request import Column

_BOLD, _DIM, _RED, _YELLOW, _CYAN = "1", "2", "31", "33", "36"
_NANOSECONDS = 1_000_000_000
_WIDTHS = {
    "time": 15, "event": 14, "pid": 7, "tid": 7, "ppid": 7, "tpid": 7, "uid": 5, "gid": 5, "cpu": 3,
    "comm": 15, "pcomm": 15, "tcomm": 15, "ret": 12, "duration": 9, "age": 9, "saddr": 15, "daddr": 15,
    "sport": 5, "dport": 5, "cwd": 24, "sector": 12, "bytes": 10, "dev": 7, "op": 8, "sig": 9, "signal": 9,
    "code": 7, "flags": 20, "mode": 5, "filename": 32, "result": 9, "prev_comm": 15, "next_comm": 15,
}  # fmt: skip
_USUAL_WIDTH = 10
_PATHS = ("cwd", "filename")
_CUT = "…"
_UNKNOWN = "?"


class Writer(Protocol):
    """Writes events."""

    def row(self, row: Row) -> None:
        """Write one."""
        ...

    def flush(self) -> None:
        """Let a reader have all that was written."""
        ...


@contextmanager
def opened(columns: Sequence[Column], form: str, output: str, *, stacks: bool) -> Iterator[Writer]:
    """Open what events are written to; a file is there whole at the end, or not at all.

    Args:
        columns: What is shown.
        form: `text`, `json`, `csv` or `parquet`.
        output: Name of a file; empty or `-` for standard output.
        stacks: Whether there are stacks.

    Raises:
        OutputError: It cannot be written.
        NotAvailableError: pyarrow is not installed, which Parquet needs.
    """
    names = _stack_names() if stacks else None
    if output in {"", "-"}:
        yield _plain(columns, form, _Standard(), names)
        return
    with whole_file(output) as file:
        if form == "parquet":
            from kprof.exporters.event_table import EventTable  # noqa: PLC0415 - needs pyarrow

            with EventTable(file, columns, stacks=names) as table:
                yield table
        else:
            yield _plain(columns, form, file, names)


def _plain(columns: Sequence[Column], form: str, file: IO[bytes] | _Standard, names: Names | None) -> Writer:
    makers: dict[str, type[_Writer]] = {"text": _Text, "json": _Json, "csv": _Csv}
    return makers[form](columns, file, names)


class Names(Protocol):
    """Names the frames of events' stacks."""

    def of(self, row: Row) -> list[str]:
        """Return the frames of a row, leaf first."""
        ...


def _stack_names() -> Names:
    from kprof.recorders.trace.stacks import StackNames  # noqa: PLC0415 - only with stacks

    return StackNames()


class _Standard:
    """Standard output, written to without a buffer that might hide a fault."""

    def write(self, data: bytes, /) -> int:
        write_whole("-", data)
        return len(data)


class _Writer(ABC):
    def __init__(self, columns: Sequence[Column], file: IO[bytes] | _Standard, names: Names | None) -> None:
        self._columns, self._file, self._names = columns, file, names
        self._lines: list[str] = []

    @abstractmethod
    def row(self, row: Row) -> None:
        """Write one line."""

    def flush(self) -> None:
        """Let a reader have all that was written."""
        data, self._lines = "".join(self._lines).encode(errors="replace"), []
        if data:
            self._file.write(data)


class _Json(_Writer):
    def row(self, row: Row) -> None:
        """Write one line."""
        told: dict[str, object] = {"time": _iso(row.time_ns), "event": row.event, **row.values}
        for column in self._columns:
            value = row.values.get(column.name)
            if column.form == "errno" and (name := _error(value)):
                told[f"{column.name}_name"] = name
        if row.cut:
            told["cut"] = list(row.cut)
        if self._names:
            told["stack"] = self._names.of(row)
        self._lines.append(json.dumps(told, ensure_ascii=False) + "\n")


class _Csv(_Writer):
    def __init__(self, columns: Sequence[Column], file: IO[bytes] | _Standard, names: Names | None) -> None:
        super().__init__(columns, file, names)
        self._csv = csv.writer(self, lineterminator="\n")
        self._csv.writerow([*(column.name for column in columns), *(["stack"] if names else [])])

    def write(self, text: str) -> None:
        """Take a line of the CSV writer's."""
        self._lines.append(text)

    def row(self, row: Row) -> None:
        """Write one line."""
        cells = [_plain_cell(row, column) for column in self._columns]
        self._csv.writerow([*cells, *([";".join(self._names.of(row)[::-1])] if self._names else [])])


class _Text(_Writer):
    def __init__(self, columns: Sequence[Column], file: IO[bytes] | _Standard, names: Names | None) -> None:
        super().__init__(columns, file, names)
        self._is_terminal = isinstance(file, _Standard) and sys.stdout is not None and sys.stdout.isatty()
        self._width = shutil.get_terminal_size((0, 0)).columns if self._is_terminal else 0
        heads = [self._fitted(column.name.upper(), column, at) for at, column in enumerate(columns)]
        self._lines.append(self._paint("  ".join(heads).rstrip(), _BOLD) + "\n")

    def row(self, row: Row) -> None:
        """Write one line, and the frames of its stack below it."""
        cells, used = [], 0
        last = len(self._columns) - 1
        for at, column in enumerate(self._columns):
            text, color = _shown(row, column)
            if at == last and self._width and len(text) > (room := max(self._width - used, _USUAL_WIDTH)):
                text = text[: room - 1] + _CUT
            text = self._fitted(text, column, at)
            used += len(text) + 2
            cells.append(self._paint(text, color) if color else text)
        self._lines.append("  ".join(cells).rstrip() + "\n")
        if self._names:
            self._lines += [self._paint(f"    {frame}", _DIM) + "\n" for frame in self._names.of(row)]

    def _fitted(self, text: str, column: Column, at: int) -> str:
        width = _WIDTHS.get(column.name, _USUAL_WIDTH)
        if column.is_number:
            return text.rjust(width)
        if at == len(self._columns) - 1:
            return text
        if self._width and len(text) > width and column.name in _PATHS:
            # The end of a path tells more than its beginning.
            text = _CUT + text[-width + 1 :]
        return text.ljust(width)

    def _paint(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._is_terminal and "NO_COLOR" not in os.environ else text


def _shown(row: Row, column: Column) -> tuple[str, str]:
    """Return a cell for a person, and its colour."""
    if column.name in {"time", "event"}:
        return (_clock(row.time_ns), _DIM) if column.name == "time" else (row.event, _CYAN)
    value = row.values.get(column.name)
    if value is None:
        # A signal of 0 is none; text that was not there when it was looked for is not known.
        is_known = column.name not in row.values or column.form == "signal"
        return ("", "") if is_known else (_UNKNOWN, _YELLOW)
    if column.form == "ns" and isinstance(value, int):
        return amount(value, "ns"), ""
    if name := _error(value) if column.form == "errno" else "":
        return name, _RED
    text = shlex.join(value) if isinstance(value, list) else _printable(str(value))
    return (_printable(text) + _CUT, _YELLOW) if column.name in row.cut else (_printable(text), "")


def _plain_cell(row: Row, column: Column) -> object:
    if column.name == "time":
        return _iso(row.time_ns)
    if column.name == "event":
        return row.event
    value = row.values.get(column.name)
    text = shlex.join(value) if isinstance(value, list) else value
    return f"{text}{_CUT}" if column.name in row.cut else text


def _error(value: object) -> str:
    from kprof.recorders.trace.values import error_name  # noqa: PLC0415 - where it is needed

    return error_name(value)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _clock(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, _NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S}.{rest // 1000:06d}"


def _iso(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, _NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
