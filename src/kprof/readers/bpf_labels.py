"""What else a BPF dump knows of a stack, as frames above it: why a thread was blocked, and what woke it.

The native reader adds rows up by event. So rows of one event that differ in such a thing are given to it as
rows of several events, and afterwards get their frames, and their event back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kprof.model import Frames, Kind
from kprof.wire import bpf_events as layout

Array = np.ndarray[Any, Any]
SEPARATOR = "--"
# Beginnings of what is told of the kernel, unlike names of threads.
_OF_KERNEL = ("[", "sys_")
_FINER = np.dtype([("event", "i8"), ("detail", "i8"), ("waker", "i8")])
_WAKER = ("waker_user", "waker_kernel", "tgid", "comm")


class Labels:
    """Rows whose events tell apart what is to be told of them.

    Args:
        rows: Of `bpf_events.KEPT_ROW`.
        details: For each event, what its rows' details mean.
        joins: Of `bpf_events.KEPT_JOIN`.

    Attributes:
        rows: The rows with finer events, and one for each waker.
        events: How many events they are of.
    """

    def __init__(self, rows: Array, details: Sequence[Mapping[int, str]], joins: Array) -> None:
        self._details = details
        joins = joins[np.unique(joins["hash"], return_index=True)[1]]
        # The same waker of different stacks is one.
        same = joins[list(_WAKER)]
        _, first, waker_of = np.unique(same, return_index=True, return_inverse=True)
        self._wakers = joins[first]
        at = _find(joins["hash"], rows["user_stack"])
        finer = np.zeros(len(rows), _FINER)
        finer["event"], finer["waker"] = (
            rows["event"],
            np.where(at >= 0, waker_of[at], -1) if len(joins) else -1,
        )
        labelled = np.array([bool(meanings) for meanings in details], bool)[rows["event"]]
        finer["detail"][labelled] = rows["detail"][labelled]
        self._finer, number = np.unique(finer, return_inverse=True)
        made = rows.copy()
        made["event"] = number
        joined = at >= 0
        made["user_stack"][joined] = joins["user_stack"][at[joined]]
        self._used, first = np.unique(finer["waker"][joined], return_index=True)
        self.rows = np.concatenate([made, self._rows_of_wakers(made[joined][first])])
        self.events = max(len(self._finer) + len(self._used), 1)

    def _rows_of_wakers(self, woken: Array) -> Array:
        """Return a row for each waker, of the time of a row of what it woke."""
        wakers, made = self._wakers[self._used], np.zeros(len(self._used), layout.KEPT_ROW)
        for name, column in (("user_stack", "waker_user"), ("kernel_stack", "waker_kernel")):
            made[name] = wakers[column]
        made["tgid"] = made["tid"] = wakers["tgid"]
        made["comm"], made["count"], made["first_ns"] = wakers["comm"], 1, woken["first_ns"]
        made["event"] = len(self._finer) + np.arange(len(made))
        return made

    def own(self, rows: Array) -> Array:
        """Return the rows of what the native reader gave that are not of wakers."""
        return rows[rows["event"] < len(self._finer)]

    def apply(self, rows: Array, stacks: tuple[Array, Array], frames: Frames) -> "Labelled":
        """Return what the native reader gave, with the frames and without the rows of wakers.

        Args:
            rows: Its rows, of the finer events.
            stacks: Parents and frames of its stacks.
            frames: Its frames.
        """
        others = rows[rows["event"] >= len(self._finer)]
        wakers = {int(row["event"]) - len(self._finer): int(row["stack"]) for row in others}
        rows = self.own(rows).copy()
        grown = Labelled(stacks, frames)
        finer = self._finer[rows["event"]] if len(self._finer) else np.zeros(0, _FINER)
        places = {waker: number for number, waker in enumerate(self._used.tolist())}
        for kind in np.unique(rows["event"]).tolist():
            event, detail, number = self._finer[kind].tolist()
            chosen = rows["event"] == kind
            old, back = np.unique(rows["stack"][chosen], return_inverse=True)
            above = self._details[event].get(detail, "")
            comm = self._wakers["comm"][number].decode("utf-8", "replace") if number >= 0 else ""
            waker = wakers.get(places[number], -1) if number >= 0 else -1
            new = [grown.on(stack, above, waker, comm) for stack in old.tolist()]
            rows["stack"][chosen] = np.array(new, rows["stack"].dtype)[back]
        rows["event"] = finer["event"]
        grown.rows = rows
        return grown


def _find(known: Array, hashes: Array) -> Array:
    """Return where hashes stand among those that are known, which ascend; -1 if they do not."""
    if not len(known):
        return np.full(len(hashes), -1)
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.where(known[at] == hashes, at, -1)


class Labelled:
    """Stacks and frames, to which some are added.

    Attributes:
        rows: The rows that point at them.
    """

    def __init__(self, stacks: tuple[Array, Array], frames: Frames) -> None:
        self.rows: Array
        self._parent, self._leaf, self._old = *stacks, frames
        self._names: dict[str, int] = {}
        self._added: dict[tuple[int, int], int] = {}

    def on(self, stack: int, label: str, waker: int, comm: str) -> int:
        """Return the stack on which stand a label, and then a waker's stack upside down with its name."""
        if label:
            stack = self._push(stack, self._name(label))
        if comm:
            stack = self._push(stack, self._name(SEPARATOR))
            while waker >= 0:
                stack = self._push(stack, int(self._leaf[waker]))
                waker = int(self._parent[waker])
            stack = self._push(stack, self._name(comm))
        return stack

    def _name(self, name: str) -> int:
        return self._names.setdefault(name, len(self._old) + len(self._names))

    def _push(self, stack: int, frame: int) -> int:
        return self._added.setdefault((stack, frame), len(self._parent) + len(self._added))

    @property
    def stacks(self) -> tuple[Array, Array]:
        """Parents and frames of all stacks."""
        added = np.array(list(self._added), np.int32).reshape(-1, 2)
        return np.concatenate([self._parent, added[:, 0]]), np.concatenate([self._leaf, added[:, 1]])

    @property
    def frames(self) -> Frames:
        """All frames."""
        more = len(self._names)
        kinds = [Kind.KERNEL if name.startswith(_OF_KERNEL) else Kind.USER for name in self._names]
        return Frames(
            [*self._old.name, *self._names],
            np.concatenate([self._old.mapping, np.full(more, -1, np.int32)]),
            np.concatenate([self._old.address, np.zeros(more, np.uint64)]),
            np.concatenate([self._old.kind, np.array(kinds, np.uint8)]),
        )
