"""Building a profile stack by stack."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from kprof.model.profile import Profile
from kprof.model.tables import Event, Frames, Int64, Kind, Mappings, Meta, Quality, Samples, Stacks


class Frame(NamedTuple):
    """A frame on its way into a profile; see `Frames` for the fields."""

    name: str
    module: str = ""
    kind: Kind = Kind.USER
    address: int = 0
    source: str = ""


class ProfileBuilder:
    """Collects samples, and interns what they share.

    Example:
        >>> builder = ProfileBuilder()
        >>> builder.add(["main", "parse"], 3)
        >>> builder.add(["main"], 1)
        >>> builder.build().total
        4
    """

    def __init__(self) -> None:
        self._modules: dict[Hashable, int] = {}
        self._frames: dict[Hashable, int] = {}
        self._stacks: dict[Hashable, int] = {}
        self._comms: dict[Hashable, int] = {}
        self._cgroups: dict[Hashable, int] = {}
        self._events: dict[Hashable, int] = {}
        self._rows: list[tuple[int, ...]] = []

    def add(
        self,
        stack: Sequence[str | Frame],
        weight: int = 1,
        *,
        event: Event | None = None,
        comm: str | None = None,
        cgroup: str | None = None,
        pid: int = -1,
        tid: int = -1,
        cpu: int = -1,
        time_ns: int = -1,
        count: int = 1,
    ) -> None:
        """Add a sample. Frames come root first; a plain name is a user frame without a module."""
        node = -1
        for item in stack:
            frame = Frame(item) if isinstance(item, str) else item
            node = _number(self._stacks, (node, _number(self._frames, frame)))
            if frame.module:
                _number(self._modules, frame.module)
        event_row = _number(self._events, event or Event("samples"))
        comm_row = -1 if comm is None else _number(self._comms, comm)
        cgroup_row = -1 if cgroup is None else _number(self._cgroups, cgroup)
        self._rows.append((node, event_row, weight, count, pid, tid, comm_row, cpu, cgroup_row, time_ns))

    def build(self, *, facts: dict[str, str] | None = None, quality: Quality | None = None) -> Profile:
        """Return the profile, checked. Columns that no sample gave are left out."""
        frames: list[Frame] = list(self._frames)  # type: ignore[arg-type]
        nodes: list[tuple[int, int]] = list(self._stacks)  # type: ignore[arg-type]
        # In columns, so that each is contiguous, as the native code wants them.
        tree = np.asfortranarray(np.array(nodes, np.int32).reshape(-1, 2))
        samples = samples_of_rows(self._rows)
        modules: list[str] = list(self._modules)  # type: ignore[arg-type]
        quality = quality or Quality(read=int(samples.count.sum()), without_stack=samples.without_stack)
        return Profile(
            Mappings(modules),
            Frames(
                [f.name for f in frames],
                np.array([self._modules.get(f.module, -1) for f in frames], np.int32),
                np.array([f.address for f in frames], np.uint64),
                np.array([f.kind for f in frames], np.uint8),
                [f.source for f in frames],
            ),
            Stacks(tree[:, 0], tree[:, 1]),
            samples,
            list(self._comms),  # type: ignore[arg-type]
            Meta(tuple(self._events), quality, dict(facts or {})),  # type: ignore[arg-type]
            list(self._cgroups),  # type: ignore[arg-type]
        ).check()


def samples_of_rows(rows: Sequence[tuple[int, ...]] | Int64) -> Samples:
    """Return samples given as rows; columns in which no row has a value are left out.

    Args:
        rows: Stack, event, weight, count, pid, tid, comm, cpu, cgroup, time; -1 for what is not known.

    Raises:
        OverflowError: A number does not fit its column.
    """
    # In columns, so that each is contiguous, as the native code wants them.
    table = np.asfortranarray(np.array(rows, np.int64).reshape(-1, 10))
    narrow = np.delete(table, (2, 3, 9), axis=1)
    if len(table) and (narrow.max() > np.iinfo(np.int32).max or narrow.min() < -1):
        raise OverflowError("the number of a process, thread or CPU is out of range")
    small = table.astype(np.int32)
    pid, tid, comm, cpu, cgroup = (None if np.all(table[:, i] == -1) else small[:, i] for i in range(4, 9))
    time_ns = None if np.all(table[:, 9] == -1) else table[:, 9]
    return Samples(small[:, 0], small[:, 1], table[:, 2], table[:, 3], pid, tid, comm, cpu, time_ns, cgroup)


def _number(numbers: dict[Hashable, int], key: Hashable) -> int:
    return numbers.setdefault(key, len(numbers))
