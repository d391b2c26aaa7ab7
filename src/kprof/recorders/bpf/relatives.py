"""Which records of the log of address spaces are about processes that are recorded, and their children."""

import struct
from collections.abc import Iterable

from kprof.wire import perf_abi as abi

_HEAD = struct.Struct("<IHH")
_HEAD_AND_PAIR = struct.Struct("<IHHII")
_EVERYBODY = -1
# Records that begin with process and thread, or with process and parent.
_OF_PROCESS = {abi.RECORD_MMAP2, abi.RECORD_COMM, abi.RECORD_EXIT, abi.RECORD_FORK}


class Relatives:
    """Keeps what the log says of some processes and of all that descend from them.

    A fork is logged on the parent's CPU, and what the child does perhaps on another one, whose records are
    read before. So records of strangers are held until the next ones are there: their fork is among these at
    the latest.

    Args:
        pids: The processes; none to keep everything.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = set(pids)
        self._held = _Batch(b"")

    def pick(self, records: bytes) -> bytes:
        """Return those of the newest records that are kept, and those of before that turn out to be."""
        if not self._pids:
            return records
        before, newest = self._held, _Batch(records)
        self._held = newest
        kept = newest.take(self._pids)
        if not self._adopt([*before.forks, *newest.forks]):
            return kept
        # Those that were adopted: both may have something of theirs.
        return before.take(self._pids) + kept + newest.take(self._pids)

    def _adopt(self, forks: list[tuple[int, int]]) -> bool:
        """Add children, until nobody is added: one of a child may stand before its parent."""
        begun = before = len(self._pids)
        while True:
            self._pids.update(child for child, parent in forks if parent in self._pids)
            if len(self._pids) == before:
                return before != begun
            before = len(self._pids)


class _Batch:
    """Records that were read together.

    Attributes:
        forks: Child and parent of each fork.
    """

    def __init__(self, records: bytes) -> None:
        self._records, self.forks = records, list[tuple[int, int]]()
        self._left = list[tuple[int, int, int]]()
        at, unpack, end = 0, _HEAD_AND_PAIR.unpack_from, len(records) - _HEAD_AND_PAIR.size
        while at <= end:
            kind, _, size, pid, other = unpack(records, at)
            if size < _HEAD.size:
                return
            if kind == abi.RECORD_FORK:
                self.forks.append((pid, other))
            # What is of no process, such as names of BPF programs and losses, is everybody's.
            self._left.append((pid if kind in _OF_PROCESS else _EVERYBODY, at, at + size))
            at += size

    def take(self, pids: set[int]) -> bytes:
        """Return the records of some processes, and of everybody; they are not here any more."""
        taken = [part for part in self._left if part[0] in pids or part[0] == _EVERYBODY]
        if not taken:
            return b""
        self._left = [part for part in self._left if part[0] not in pids and part[0] != _EVERYBODY]
        return b"".join([self._records[start:end] for _, start, end in taken])
