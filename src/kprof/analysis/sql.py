"""Questions to a profile in SQL, which DuckDB answers from the columns as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kprof.analysis.groups import functions
from kprof.analysis.table import Column, Table, texts
from kprof.analysis.top import check_sum
from kprof.errors import NotAvailableError, UsageError
from kprof.model import Profile
from kprof.model.labels import stack_texts
from kprof.model.relations import Relation, relations

_LARGEST = 1 << 63


def query(profile: Profile, sql: str) -> Table:
    """Answer a question.

    Args:
        profile: With all its events, if the question is about several.
        sql: One or more statements of DuckDB's SQL; the last one answers. The tables are those of
            `kprof.model.relations`, `functions` (`frame`, `function`, `module`; a function may have many
            frames), `holds` (`stack`, `function`, `module`: once a function that occurs in the stack), and
            `texts` (`stack`, `text`: the stack as folded text).

    Returns:
        The rows of the answer, in its order. Sums are exact.

    Raises:
        UsageError: DuckDB refuses it.
        NotAvailableError: DuckDB is not installed.
    """
    try:
        import duckdb  # noqa: PLC0415 - takes 0.3 s to import, and need not be installed
    except ImportError:
        raise NotAvailableError("SQL needs duckdb", "install it: pip install 'kprof[sql]'") from None
    check_sum(profile)
    tables = {**relations(profile), **_more(profile)}
    try:
        with duckdb.connect() as connection:
            for name, table in tables.items():
                connection.register(name, dict(table))
            answer = connection.sql(sql)
            if answer is None:
                raise UsageError("this SQL answers nothing", "end it in a SELECT")
            return _table(answer.columns, answer.fetchall())
    except duckdb.Error as error:
        raise UsageError(f"SQL: {' '.join(str(error).split())}") from None


def _more(profile: Profile) -> dict[str, Relation]:
    found = functions(profile)
    columns = {name: column[found.of] for name, column in found.columns.items()}
    used = np.unique(profile.samples.stack[profile.samples.stack >= 0])
    folded = stack_texts(profile.mappings, profile.frames, profile.stacks, used.tolist())
    leaf, function = _holds(profile, used, found.of)
    return {
        "functions": {"frame": np.arange(len(found.of), dtype=np.int32), **columns},
        "holds": {"stack": leaf, **{name: column[function] for name, column in found.columns.items()}},
        "texts": {"stack": used, "text": texts([t.encode(errors="replace").decode() for t in folded])},
    }


def _holds(profile: Profile, used: Column, function: Column) -> tuple[Column, Column]:
    """Return the pairs of a stack and a function that occurs in it, each once."""
    leaf, node = used.astype(np.int64), used.astype(np.int64)
    size = max(int(function.max(initial=0)) + 1, 1)
    pairs = [np.zeros(0, np.int64)]
    while len(node):
        pairs.append(leaf * size + function[profile.stacks.frame[node]])
        node = profile.stacks.parent[node].astype(np.int64)
        leaf, node = leaf[node >= 0], node[node >= 0]
    distinct = np.unique(np.concatenate(pairs))
    return (distinct // size).astype(np.int32), distinct % size


def _table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Table:
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    columns: dict[str, Column] = {}
    for name, column in zip(names, values, strict=True):
        key, number = name, 2
        while key in columns:
            key, number = f"{name}_{number}", number + 1
        columns[key] = _column(column)
    return Table(columns)


def _column(values: Sequence[Any]) -> Column:
    kinds = {type(value) for value in values}
    if values and kinds == {int} and all(abs(value) < _LARGEST for value in values):
        return np.array(values, np.int64)
    if float in kinds and kinds <= {int, float}:
        return np.array(values, np.float64)
    return texts(["" if value is None else value if kinds <= {int} else str(value) for value in values])
