"""Frames, stacks and samples of formats that name them by numbers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kprof.model import Event, Frame, Frames, Mappings, Meta, Profile, Quality, Stacks
from kprof.model.builder import samples_of_rows
from kprof.model.tables import Int64


@dataclass(frozen=True, slots=True)
class Row:
    """A sample, or a group of equal ones; see `Samples`. Texts are the names themselves, None if unknown."""

    stack: int
    event: int
    weight: int
    count: int
    pid: int = -1
    tid: int = -1
    comm: str | None = None
    cpu: int = -1
    time_ns: int = -1
    cgroup: str | None = None


class Interner:
    """Collects what a file holds, each frame and stack once."""

    def __init__(self) -> None:
        self._frames: dict[tuple[Frame, int], int] = {}
        self._stacks: dict[tuple[int, int], int] = {}
        self._names: dict[str, dict[str, int]] = {"comm": {}, "cgroup": {}}
        self._rows: list[tuple[int, ...]] = []

    def frame(self, frame: Frame, mapping: int) -> int:
        """Return the number of a frame in a mapping, -1 for none; the frame's own module is not looked at."""
        return self._frames.setdefault((frame, mapping), len(self._frames))

    def grow(self, parent: int, frame: int) -> int:
        """Return the stack that is `parent` (-1: none) with one frame more."""
        return self._stacks.setdefault((parent, frame), len(self._stacks))

    def stack(self, frames: Sequence[int]) -> int:
        """Return the number of a stack, given root first; -1 for an empty one."""
        node = -1
        for frame in frames:
            node = self.grow(node, frame)
        return node

    def sample(self, row: Row) -> None:
        """Add a sample."""
        comm, cgroup = self.name("comm", row.comm), self.name("cgroup", row.cgroup)
        self._rows.append((
            row.stack, row.event, row.weight, row.count,
            row.pid, row.tid, comm, row.cpu, cgroup, row.time_ns,
        ))  # fmt: skip

    def name(self, column: str, name: str | None) -> int:
        """Return the number of a name in a column, `comm` or `cgroup`; -1 if it is not known."""
        names = self._names[column]
        return -1 if name is None else names.setdefault(name, len(names))

    def build(
        self,
        mappings: Mappings,
        events: tuple[Event, ...],
        facts: dict[str, str],
        quality: Quality | None = None,
        rows: Int64 | None = None,
    ) -> Profile:
        """Return the profile, checked. Columns that no sample gave are left out.

        Args:
            mappings: The files.
            events: What samples count.
            facts: For `Meta`.
            quality: For `Meta`; None to count what is there.
            rows: All samples, as `samples_of_rows` takes them, in place of those that were added one by one.

        Raises:
            OverflowError: A number does not fit its column.
        """
        frames = [frame for frame, _ in self._frames]
        # In columns, so that each is contiguous, as the native code wants them.
        tree = np.asfortranarray(np.array(list(self._stacks), np.int32).reshape(-1, 2))
        samples = samples_of_rows(self._rows if rows is None else rows)
        return Profile(
            mappings,
            Frames(
                [frame.name for frame in frames],
                np.array([mapping for _, mapping in self._frames], np.int32),
                np.array([frame.address for frame in frames], np.uint64),
                np.array([frame.kind for frame in frames], np.uint8),
                [frame.source for frame in frames] if any(frame.source for frame in frames) else (),
            ),
            Stacks(tree[:, 0], tree[:, 1]),
            samples,
            list(self._names["comm"]),
            Meta(
                events,
                quality or Quality(int(samples.count.sum()), without_stack=samples.without_stack),
                facts,
            ),
            list(self._names["cgroup"]),
        ).check()
