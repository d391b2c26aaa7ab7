"""What is known of the addresses of one mapping."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprof._native._symbols import SymbolTable
from kprof.model.distinct import distinct
from kprof.symbols.chains import NOTHING, Chains

_NO_ROWS = np.empty(0, np.int64)


@dataclass(slots=True)
class Answer:
    """What is known of some addresses.

    Attributes:
        names: Distinct raw names.
        rows: Which of them each address has, -1 for none, shape (n,).
        chains: What was inlined, of these addresses and perhaps others; of none if nobody asked.
        chain: Which of the chains each address has, -1 for none, shape (n,).
    """

    names: list[bytes] = field(default_factory=list)
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: _NO_ROWS)
    chains: Chains = NOTHING
    chain: npt.NDArray[np.int64] = field(default_factory=lambda: _NO_ROWS)


def named(table: SymbolTable, rows: npt.NDArray[np.int64]) -> Answer:
    """Read the names of the rows that were hit, each once."""
    hit, inverse = distinct(rows)
    names = [table.name(row) for row in hit.tolist() if row >= 0]
    # -1 sorts first, if it is there.
    return Answer(names, inverse - int(len(hit) > 0 and hit[0] < 0))


def spread(answer: Answer, known: npt.NDArray[np.bool_]) -> Answer:
    """Make room in an answer for the addresses that were not asked for."""
    rows = np.full(len(known), -1, np.int64)
    rows[known] = answer.rows
    chain = np.full(len(known), -1, np.int64)
    chain[known] = answer.chain if len(answer.chain) else -1
    return Answer(answer.names, rows, answer.chains, chain)
