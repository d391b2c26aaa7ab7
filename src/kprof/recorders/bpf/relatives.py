"""Which records of the log of address spaces are about processes that are recorded, and their children."""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kprof.wire import perf_abi as abi

_HEAD = struct.Struct("<IHH")
_HEAD_AND_PAIR = struct.Struct("<IHHII")
# Records that begin with process and thread, or with process and parent.
_OF_PROCESS = {abi.RECORD_MMAP2, abi.RECORD_COMM, abi.RECORD_EXIT, abi.RECORD_FORK}


class _Record(NamedTuple):
    """A record.

    Attributes:
        pid: Whose it is; 0 if it is of no process.
        parent: The process that forked it; 0 if it is no fork.
        content: All of it.
    """

    pid: int
    parent: int
    content: bytes


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
        self._held: list[_Record] = []

    def pick(self, records: bytes) -> bytes:
        """Return those of the newest records that are kept, and those of before that turn out to be."""
        if not self._pids:
            return records
        waiting = [*self._held, *_parse(records)]
        forks = [(record.pid, record.parent) for record in waiting if record.parent]
        before = 0
        # Until nobody is added: a child of a child may stand before its parent.
        while before != len(self._pids):
            before = len(self._pids)
            self._pids.update(child for child, parent in forks if parent in self._pids)
        # What is of no process, such as names of BPF programs and losses, is everybody's.
        ours = {0, *self._pids}
        newest = waiting[len(self._held) :]
        self._held = [record for record in newest if record.pid not in ours]
        return b"".join(record.content for record in waiting if record.pid in ours)


def _parse(records: bytes) -> Iterator[_Record]:
    at = 0
    while at + _HEAD_AND_PAIR.size <= len(records):
        kind, _, size, pid, other = _HEAD_AND_PAIR.unpack_from(records, at)
        if size < _HEAD.size:
            return
        parent = other if kind == abi.RECORD_FORK else 0
        yield _Record(pid if kind in _OF_PROCESS else 0, parent, records[at : at + size])
        at += size
