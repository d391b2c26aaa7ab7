"""Memory that was allocated and not freed, as rows of a recording."""

from typing import Any

import numpy as np

from kprof.recorders.bpf.loader import BpfObject
from kprof.wire import bpf_events as layout

Array = np.ndarray[Any, Any]
ROOM = 1 << 20
_SAME = ("tgid", "tid", "comm", "user_stack")


class LiveBlocks:
    """What the programs of `live.bpf.c` keep.

    Args:
        loaded: Their object, loaded.
        number: Of the event within the recording.
        ones: Whether a block weighs 1, and not its bytes.
    """

    def __init__(self, loaded: BpfObject, number: int, *, ones: bool) -> None:
        self._blocks = loaded.map("blocks", layout.ALLOCATION_KEY, layout.ALLOCATION)
        self._turnover = loaded.map("turnover", "u4", layout.TURNOVER)
        self._number, self._ones = number, ones
        self._left_out = 0

    def turnover(self) -> dict[str, int]:
        """Return how many blocks were allocated and freed, and how many frees were of others."""
        per_cpu = self._turnover.of_each_cpu(0)
        counts = {name: int(per_cpu[name].sum()) for name in layout.TURNOVER.names or ()}
        return {**counts, "left_out": self._left_out}

    def rows(self, limits: Array) -> tuple[Array, Array]:
        """Take all blocks, and return keys and rows of those that were allocated together.

        Args:
            limits: One `bpf_events.EVENT_SETTINGS`: smaller and larger blocks are left out.
        """
        keys, blocks = self._blocks.drain()
        within = (blocks["bytes"] >= limits["least"]) & (blocks["bytes"] <= limits["most"])
        self._left_out = int((~within).sum())
        keys, blocks = keys[within], blocks[within]
        same = np.zeros(len(keys), [(name, layout.KEY[name]) for name in _SAME])
        same["tgid"] = keys["tgid"]
        for name in _SAME[1:]:
            same[name] = blocks[name]
        _, first, group = np.unique(same, return_index=True, return_inverse=True)
        made, rows = np.zeros(len(first), layout.KEY), np.zeros(len(first), layout.ROW)
        for name in _SAME:
            made[name] = same[name][first]
        made["event"] = self._number
        rows["count"] = np.bincount(group, minlength=len(first))
        np.add.at(rows["weight"], group, np.uint64(1) if self._ones else blocks["bytes"])
        rows["first_ns"] = blocks["begun_ns"][first]
        return made, rows
