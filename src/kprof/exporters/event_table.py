"""Exporter of single events: Parquet, written as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any, Protocol, Self

from kprof.errors import NotAvailableError

_ROWS = 1 << 16


class EventColumn(Protocol):
    """A column: `name`, `form` (`ns`, `words`, `time`, ...), and whether its values are numbers."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def form(self) -> str: ...  # noqa: D102
    @property
    def is_number(self) -> bool: ...  # noqa: D102


class EventRow(Protocol):
    """An event: its name, when it happened in nanoseconds since 1970, its values, which are cut."""

    @property
    def event(self) -> str: ...  # noqa: D102
    @property
    def time_ns(self) -> int: ...  # noqa: D102
    @property
    def values(self) -> Any: ...  # noqa: D102
    @property
    def cut(self) -> Sequence[str]: ...  # noqa: D102


class EventNames(Protocol):
    """Names the frames of an event's stack, leaf first."""

    def of(self, row: Any) -> list[str]: ...  # noqa: D102


class EventTable:
    """A Parquet file: `time`, `event`, the columns that were asked for, and `cut`, the names of cut values.

    Args:
        file: Where it is written.
        columns: The columns.
        stacks: Names frames, for a column `stack` with the leaf first; None for no such column.

    Raises:
        NotAvailableError: pyarrow is not installed.
    """

    def __init__(
        self, file: IO[bytes], columns: Sequence[EventColumn], *, stacks: EventNames | None = None
    ) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415 - takes 0.2 s to import, and need not be installed
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError:
            raise NotAvailableError(
                "Parquet needs pyarrow", "install it: pip install 'kprof[tables]'"
            ) from None
        words = pa.list_(pa.string())
        kinds = {"time": pa.timestamp("ns", tz="UTC"), "event": pa.string()}
        for column in columns:
            if column.name not in kinds:
                kinds[column.name] = (
                    words if column.form == "words" else pa.int64() if column.is_number else pa.string()
                )
        kinds["cut"] = words
        if stacks:
            kinds["stack"] = words
        self._schema, self._pa, self._stacks = pa.schema(list(kinds.items())), pa, stacks
        self._parquet = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()
        self._parquet.close()

    def row(self, row: EventRow) -> None:
        """Take an event."""
        told = {"time": row.time_ns, "event": row.event, "cut": list(row.cut)}
        for name, value in row.values.items():
            told[name] = self._fitting(name, value)
        if self._stacks:
            told["stack"] = self._stacks.of(row)
        self._rows.append(told)
        if len(self._rows) >= _ROWS:
            self._write()

    def _fitting(self, name: str, value: Any) -> Any:
        """Return a value as its column has it: a number without a name is text among names."""
        if self._pa.types.is_string(self._schema.field(name).type):
            return None if value is None else str(value)
        if isinstance(value, int):
            # What has no sign may have 64 bits: as pandas shows them, they are those of a signed number.
            return value - (1 << 64) if value >> 63 == 1 else value
        return value

    def flush(self) -> None:
        """Nobody reads it before its end."""

    def _write(self) -> None:
        if self._rows:
            self._parquet.write_table(self._pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
