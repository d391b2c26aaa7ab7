"""Names of addresses, without reading a large symbol table again for what it said before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kprof._native._symbols import SymbolTable
from kprof.model.distinct import distinct
from kprof.model.tables import Int64, UInt64
from kprof.symbols.answer import Answer, named
from kprof.symbols.cache import Cache, cache_folder
from kprof.symbols.spans import NO_SPANS, Spans

# Says of rows of a table, which addresses hit, whether they will be there the next time.
Lasting = Callable[[SymbolTable, Int64], npt.NDArray[np.bool_]]


def remembered(
    key: tuple[str, str],
    addresses: UInt64,
    read: Callable[[], SymbolTable | None],
    rows_of: Callable[[SymbolTable, UInt64], Int64] = SymbolTable.find,
    lasting: Lasting | None = None,
) -> Answer | None:
    """Return the names of addresses; None if they are not known and there is no table to read.

    Args:
        key: The build-id of the file, and what tells its tables apart.
        addresses: As the table has them, in any order, shape (n,).
        read: Gives the table.
        rows_of: Finds addresses in it.
        lasting: Which of its symbols may be kept; None if all of them may, and the gaps between them.
    """
    folder = cache_folder()
    cache = Cache(folder, key[1], Spans.decode) if folder is not None else None
    known = (cache.load(key[0]) if cache else None) or NO_SPANS
    rows = known.find(addresses)
    missing, _ = distinct(addresses[rows < 0])
    if not len(missing):
        return _answer(known, rows)
    table = read()
    if table is None:
        return None
    if cache:
        kept = _spans(table, missing, rows_of, lasting)
        if len(kept.start):
            cache.store(key[0], known.with_others(kept))
    return named(table, rows_of(table, addresses))


def _spans(
    table: SymbolTable,
    addresses: UInt64,
    rows_of: Callable[[SymbolTable, UInt64], Int64],
    lasting: Lasting | None,
) -> Spans:
    """Return the spans around addresses that may be kept."""
    rows, start, end = table.find_spans(addresses)
    if lasting is None:
        # The last address of a gap may be named after what follows it.
        end -= (rows < 0) & (rows_of(table, end - np.uint64(1)) >= 0)
        keep = start < end
    else:
        keep = rows >= 0
        keep[keep] = lasting(table, rows[keep])
    names = [table.name(row) if row >= 0 else b"" for row in rows[keep].tolist()]
    return Spans.of(start[keep], end[keep], names)


def _answer(known: Spans, rows: Int64) -> Answer:
    hit, inverse = distinct(rows)
    names = known.names(hit)
    number = np.cumsum([bool(name) for name in names], dtype=np.int64) - 1
    number[[not name for name in names]] = -1
    return Answer([name for name in names if name], number[inverse])
