"""Rows of a BPF dump -> records as perf would have written them, for the native reader of perf's records.

So mappings, JIT code and everything else that happens to an address is done in one place for both. A row
becomes three records of the time at which it was first counted: the name of its thread, a sample of an event
whose period is weight plus count, and a sample of a second event whose period is the count. The sum keeps a
weight of 0 apart from a weight that was not given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kprof.wire import bpf_events as layout
from kprof.wire import perf_abi as abi

Array = np.ndarray[Any, Any]
_SAMPLE_TYPE = (
    abi.SAMPLE_IDENTIFIER | abi.SAMPLE_TID | abi.SAMPLE_TIME | abi.SAMPLE_CPU | abi.SAMPLE_PERIOD
    | abi.SAMPLE_CALLCHAIN
)  # fmt: skip
# Far from the ids that a kernel gives.
FIRST_ID = 1 << 48
# The reader would take a longer chain for one that the kernel cut; we know which are.
_MOST_FRAMES = 4095
# A program and what calls it are no more frames than these.
_OUR_FRAMES = 12
_NONE, _LOST = -1, -2


@dataclass(frozen=True, slots=True)
class StackTable:
    """Stacks by hash.

    Attributes:
        hashes: In ascending order. uint64.
        start: Where in `addresses` each begins. int64.
        length: Its number of frames. int64.
        addresses: Of all stacks, leaf first. uint64.
        full: Whether there may have been more frames than the kernel looks at. bool.
    """

    hashes: Array
    start: Array
    length: Array
    addresses: Array
    full: Array

    def without(self, ranges: Sequence[tuple[int, int]]) -> "StackTable":
        """Return the stacks without what is above the last of some functions, and without these.

        Args:
            ranges: Where the functions begin and end. Only the first frames of a stack are looked at.
        """
        if not ranges:
            return self
        begins, ends = np.array(sorted(ranges), np.uint64).T
        offset = np.minimum(self.length, _OUR_FRAMES)
        stack = np.repeat(np.arange(len(offset)), offset)
        depth = np.arange(len(stack)) - np.repeat(np.cumsum(offset) - offset, offset)
        address = self.addresses[self.start[stack] + depth]
        at = np.searchsorted(begins, address, side="right") - 1
        inside = (at >= 0) & (address < ends[at])
        skipped = np.zeros(len(self.length), np.int64)
        np.maximum.at(skipped, stack[inside], depth[inside] + 1)
        return replace(self, start=self.start + skipped, length=self.length - skipped)

    def stack(self, row: int) -> list[int]:
        """Return the addresses of one, leaf first."""
        start = int(self.start[row])
        return list(self.addresses[start : start + int(self.length[row])].tolist())

    def find(self, hashes: Array) -> Array:
        """Return rows, -1 for no stack, -2 for one that was lost."""
        at = np.searchsorted(self.hashes, hashes)
        found = np.zeros(len(hashes), bool)
        inside = at < len(self.hashes)
        found[inside] = self.hashes[at[inside]] == hashes[inside]
        return np.where(found, at, np.where(hashes == layout.NO_STACK, _NONE, _LOST))


def attributes(events: int) -> Iterator[tuple[bytes, bytes]]:
    """Give the perf_event_attr and the id of each event, then of each event's second."""
    for number in range(2 * events):
        attr = np.zeros(1, abi.ATTR)
        attr["type"], attr["size"], attr["config"] = abi.TYPE_SOFTWARE, abi.ATTR.itemsize, abi.SOFTWARE_DUMMY
        attr["flags"], attr["max_stack"] = abi.SAMPLE_ID_ALL | abi.BUILD_ID, _MOST_FRAMES
        attr["sample_type"] = _SAMPLE_TYPE
        yield attr.tobytes(), np.uint64(FIRST_ID + number).tobytes()


def records(rows: Array, stacks: StackTable, events: int) -> Iterator[Array]:
    """Give the records of rows, as arrays of bytes, those with chains of one shape together.

    Args:
        rows: Of `bpf_events.KEPT_ROW`.
        stacks: Their stacks.
        events: How many events there are.
    """
    user, kernel = stacks.find(rows["user_stack"]), stacks.find(rows["kernel_stack"])
    lengths = [np.where(at >= 0, stacks.length[np.maximum(at, 0)], 0) for at in (kernel, user)]
    most = layout.MAX_FRAMES
    cut = np.zeros(len(rows), bool)
    for at in (kernel, user):
        cut |= (at == _LOST) | ((at >= 0) & stacks.full[np.maximum(at, 0)])
    shape = (lengths[0] * (most + 1) + lengths[1]) * 2 + cut
    order = np.argsort(shape, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(shape[order])) + 1) if len(rows) else ():
        first = group[0]
        chains = _chains(
            stacks,
            (kernel[group], int(lengths[0][first])),
            (user[group], int(lengths[1][first])),
            cut=bool(cut[first]),
        )
        yield _records(rows[group], chains, events).view(np.uint8)


def _chains(stacks: StackTable, kernel: tuple[Array, int], user: tuple[Array, int], *, cut: bool) -> Array:
    """Return call chains, one a row, all of one shape."""
    columns = []
    for (at, length), context in ((kernel, abi.CONTEXT_KERNEL), (user, abi.CONTEXT_USER)):
        # A chain must not be empty: without one, perf's samples have their instruction pointer.
        if length or context == abi.CONTEXT_USER:
            columns.append(np.full((len(at), 1), context, np.uint64))
        if length:
            columns.append(stacks.addresses[stacks.start[at][:, None] + np.arange(length)])
    if cut:
        columns.append(np.full((len(user[0]), 1), abi.CONTEXT_CUT, np.uint64))
    return np.hstack(columns)


def _records(rows: Array, chains: Array, events: int) -> Array:
    depth = chains.shape[1]
    sample = np.dtype(
        [
            ("head", abi.HEADER), ("identifier", "u8"), ("pid", "u4"), ("tid", "u4"), ("time", "u8"),
            ("cpu", "u8"), ("period", "u8"), ("depth", "u8"), ("chain", "u8", (depth,)),
        ]
    )  # fmt: skip
    comm = np.dtype(
        [("head", abi.HEADER), ("pid", "u4"), ("tid", "u4"), ("comm", "S16"), ("id", abi.SAMPLE_ID)]
    )
    made = np.zeros(len(rows), np.dtype([("comm", comm), ("weight", sample), ("count", sample)]))
    for part in ("comm", "weight", "count"):
        records = made[part]
        records["head"]["type"] = abi.RECORD_COMM if part == "comm" else abi.RECORD_SAMPLE
        records["head"]["misc"] = abi.MISC_USER
        records["head"]["size"] = records.dtype.itemsize
        records["pid"], records["tid"] = rows["tgid"], rows["tid"]
    made["comm"]["comm"] = rows["comm"]
    # Without the last byte: the reader wants the zero that ends a name.
    made["comm"]["comm"] = made["comm"]["comm"].astype("S15")
    for name in ("pid", "tid"):
        made["comm"]["id"][name] = made["comm"][name]
    made["comm"]["id"]["time"] = rows["first_ns"]
    for second, part in enumerate(("weight", "count")):
        records = made[part]
        records["identifier"] = FIRST_ID + rows["event"].astype(np.uint64) + np.uint64(second * events)
        records["time"], records["cpu"] = rows["first_ns"], rows["cpu"]
        records["period"] = rows["count"] if second else rows["weight"] + rows["count"]
        records["depth"], records["chain"] = depth, chains
    return made
