"""Chains of inlined functions by address, as columns."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kprof.model.tables import Int64, UInt64

# Name, whether it is mangled, and `file:line`, empty if not known.
Function = tuple[bytes, bool, str]

_COUNTS = struct.Struct("<5Q")
_MOST = 1 << 31


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """What is inlined where. Addresses with the same functions share a chain.

    Attributes:
        addresses: Sorted, shape (n,). uint64.
        chain: Which chain each address has, shape (n,). int32.
        start: Where each chain begins in `items`, and where the last one ends, shape (m + 1,). int32.
        items: Rows of the functions, outermost first, chain by chain. int32.
        mangled: Whether the name of a function is mangled, shape (f,). uint8.
        ends: Where name and source of each function end in `text`, shape (2 f,). uint32.
        text: Names and sources.
    """

    addresses: UInt64
    chain: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    mangled: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.uint32]
    text: bytes

    @classmethod
    def of(cls, addresses: UInt64, chains: Sequence[Sequence[Function]]) -> Chains:
        """Make columns of one chain an address; addresses are sorted and distinct."""
        functions: dict[Function, int] = {}
        distinct: dict[tuple[int, ...], int] = {}
        rows = [
            distinct.setdefault(
                tuple([functions.setdefault(f, len(functions)) for f in chain]), len(distinct)
            )
            for chain in chains
        ]
        lengths = np.array([0, *map(len, distinct)], np.int32)
        texts = [
            part for name, _, source in functions for part in (name, source.encode(errors="surrogateescape"))
        ]
        return cls(
            np.asarray(addresses, np.uint64),
            np.array(rows, np.int32),
            np.cumsum(lengths, dtype=np.int32),
            np.array([item for chain in distinct for item in chain], np.int32),
            np.array([mangled for _, mangled, _ in functions], np.uint8),
            np.cumsum(np.array([len(text) for text in texts], np.int64)).astype(np.uint32),
            b"".join(texts),
        )

    def find(self, addresses: UInt64) -> Int64:
        """Return the chain of each address, -1 where it is not known."""
        if not len(self.addresses):
            return np.full(len(addresses), -1, np.int64)
        at = np.minimum(np.searchsorted(self.addresses, addresses), len(self.addresses) - 1)
        return np.where(self.addresses[at] == addresses, self.chain[at], -1).astype(np.int64)

    def names(self, rows: npt.NDArray[np.int32]) -> list[tuple[bytes, bool]]:
        """Return the names of functions, and whether they are mangled."""
        text, ends = self.text, self.ends.astype(np.int64)
        begins = np.concatenate([[0], ends[1::2]])[rows].tolist()
        parts = [text[begin:end] for begin, end in zip(begins, ends[::2][rows].tolist(), strict=True)]
        return list(zip(parts, self.mangled[rows].astype(np.bool_).tolist(), strict=True))

    def sources(self, rows: npt.NDArray[np.int32]) -> list[str]:
        """Return the sources of functions."""
        text, begins, ends = self.text, self.ends[::2][rows].tolist(), self.ends[1::2][rows].tolist()
        return [text[b:e].decode("utf-8", "surrogateescape") for b, e in zip(begins, ends, strict=True)]

    def by_address(self) -> dict[int, list[Function]]:
        """Return the functions of every address."""
        rows = np.arange(len(self.mangled), dtype=np.int32)
        named = zip(self.names(rows), self.sources(rows), strict=True)
        functions = [(name, mangled, source) for (name, mangled), source in named]
        items, start = self.items.tolist(), self.start.tolist()
        chains = [[functions[i] for i in items[begin:end]] for begin, end in pairwise(start)]
        return {at: chains[c] for at, c in zip(self.addresses.tolist(), self.chain.tolist(), strict=True)}

    def with_others(self, addresses: UInt64, chains: Sequence[Sequence[Function]]) -> Chains:
        """Return these and others, of other addresses."""
        known: dict[int, Sequence[Function]] = {**self.by_address()}
        known.update(zip(addresses.tolist(), chains, strict=True))
        order = sorted(known)
        return Chains.of(np.array(order, np.uint64), [known[at] for at in order])

    def encode(self) -> bytes:
        """Return all columns as bytes, little-endian: five counts, and then the columns."""
        counts = (len(self.addresses), len(self.start), len(self.items), len(self.mangled), len(self.text))
        columns = (
            self.addresses.astype("<u8"),
            self.chain.astype("<i4"),
            self.start.astype("<i4"),
            self.items.astype("<i4"),
            self.ends.astype("<u4"),
            self.mangled,
        )
        return _COUNTS.pack(*counts) + b"".join(column.tobytes() for column in columns) + self.text

    @classmethod
    def decode(cls, data: bytes) -> Chains:
        """Return what `encode` made bytes of.

        Raises:
            ValueError: It is something else.
        """
        if len(data) < _COUNTS.size:
            raise ValueError("too short")
        addresses, starts, items, functions, text = counts = _COUNTS.unpack_from(data)
        layout = (("<u8", addresses), ("<i4", addresses), ("<i4", starts), ("<i4", items),
                  ("<u4", 2 * functions), ("u1", functions))  # fmt: skip
        if max(counts) > _MOST or not starts:
            raise ValueError("impossible counts")
        at, columns = _COUNTS.size, []
        for kind, count in layout:
            column = np.frombuffer(data, kind, count, at)
            columns.append(column.astype(column.dtype.newbyteorder("="), copy=False))
            at += column.nbytes
        found = cls(columns[0], columns[1], columns[2], columns[3], columns[5], columns[4], data[at:])
        found._check(text)
        return found

    def _check(self, text: int) -> None:
        chains, functions = len(self.start) - 1, len(self.mangled)
        steps, ends = np.diff(self.start), np.diff(self.ends.astype(np.int64))
        fine = (
            len(self.text) == text == (int(self.ends[-1]) if functions else 0)
            and int(self.start[0]) == 0
            and int(self.start[-1]) == len(self.items)
            and not ((steps < 0).any() or (ends < 0).any())
            and all(0 <= int(v) < chains for a in (self.chain,) if len(a) for v in (a.min(), a.max()))
            and all(0 <= int(v) < functions for a in (self.items,) if len(a) for v in (a.min(), a.max()))
        )
        if not fine:
            raise ValueError("its columns do not agree")


NOTHING = Chains.of(np.empty(0, np.uint64), [])
