"""What an analysis returns: a table of equally long columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kprof.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, column by column.

    Attributes:
        columns: Numbers and texts by name, all of one length. Weights are int64, shares float64 from 0 to 1.
        unit: Unit of the weights.
        total: Sum of all weights, of which `_share` columns are shares.
    """

    columns: Mapping[str, Column]
    unit: str = ""
    total: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def take(self, rows: npt.NDArray[Any] | slice) -> Table:
        """Return the chosen rows, in the order given."""
        return Table({name: column[rows] for name, column in self.columns.items()}, self.unit, self.total)

    def sort(self, by: Sequence[str]) -> Table:
        """Return the rows sorted by columns, the first counts most: numbers downwards, texts upwards."""
        keys = []
        for name in by:
            column = self.columns[name]
            keys.append(column.astype(str) if column.dtype == object else -column)
        return self.take(np.lexsort(keys[::-1]) if keys else np.arange(len(self)))

    def without(self, *names: str) -> Table:
        """Return the table without some of its columns."""
        kept = {name: column for name, column in self.columns.items() if name not in names}
        return Table(kept, self.unit, self.total)

    def matching(self, names: Sequence[str], pattern: str) -> Table:
        """Return the rows of which one of the named columns matches a regular expression.

        Raises:
            UsageError: It is none.
        """
        try:
            search = re.compile(pattern).search
        except re.error as error:
            raise UsageError(f"{pattern!r} is not a regular expression: {error}") from None
        columns = [self.columns[name].tolist() for name in names]
        mask = [any(search(str(value)) for value in row) for row in zip(*columns, strict=True)]
        return self.take(np.flatnonzero(np.array(mask, bool)))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Give each row as plain Python values by column."""
        for values in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame with the same columns."""
        from kprof.model.pandas_edge import frame_of  # noqa: PLC0415 - pandas takes 0.3 s to import

        columns = self.columns.items()
        return frame_of({name: c.tolist() if c.dtype == object else c for name, c in columns})


def texts(values: Sequence[str]) -> Column:
    """Return texts as a column, shape (n,)."""
    column = np.empty(len(values), object)
    column[:] = values
    return column
