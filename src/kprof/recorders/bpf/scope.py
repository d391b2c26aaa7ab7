"""Whose events count, for programs that are written for one recording."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from kprof.recorders.bpf.plan import Plan
from kprof.recorders.bpf.sources import Source
from kprof.recorders.request import RecordRequest
from kprof.wire import bpf_events as layout

_ROOM = (1 << 14, 1 << 18)
_ROWS_APART = 1 << 16


@dataclass(frozen=True, slots=True)
class Scope:
    """What is recorded.

    Attributes:
        kind: `EVERYTHING`, `PROCESSES` (and their children) or `THREADS`.
        tasks: Ids of these at the start.
        comm: Only threads of this name; any if empty.
        cpus: Only these CPUs; all if there are none.
        cgroup: Directory of a control group, below which processes count; empty for all.
        least: Shorter intervals, and smaller weights, are left out.
        most: Longer and larger ones are; None for no limit.
        timestamps: Whether rows of different times and CPUs are kept apart.
        itself: The recorder's own process, which never counts.
        held: Whether programs that are attached wait for a word of ours: when it renames itself.
        inherits: Whether children of the processes count.
    """

    kind: int = layout.EVERYTHING
    tasks: Sequence[int] = ()
    comm: str = ""
    cpus: Sequence[int] = ()
    cgroup: str = ""
    least: int = 0
    most: int | None = None
    timestamps: bool = False
    itself: int = 0
    held: bool = False
    inherits: bool = True

    def keeps(self, weight: int) -> bool:
        """Say whether a weight is within the limits."""
        return weight >= self.least and (self.most is None or weight <= self.most)


@dataclass(frozen=True, slots=True)
class Job:
    """What an engine is to record.

    Attributes:
        request: What was asked for.
        planned: The events.
        scope: What of them counts.
        folder: A private directory of ours.
        cpus: Where events of perf are opened.
        rate: About how many rows a second may come at most.
        client: The process that we work for, which does not count either; 0 if there is none.
    """

    request: RecordRequest
    planned: Plan
    scope: Scope
    folder: str = ""
    cpus: tuple[int, ...] = (0,)
    rate: int = 1
    client: int = 0

    @property
    def sources(self) -> Sequence[Source]:
        """The events, in their order."""
        return self.planned.sources

    @property
    def pids(self) -> Sequence[int]:
        """Processes in whose programs functions are looked at; of all if there are none."""
        return self.request.pids

    @property
    def room(self) -> int:
        """How many rows there should be room for."""
        # With time stamps, hardly any two occurrences share a row.
        rate = max(self.rate, _ROWS_APART) if self.scope.timestamps else self.rate
        return min(max(_ROOM[0], 1 << (rate - 1).bit_length()), _ROOM[1])


@dataclass(frozen=True, slots=True)
class Room:
    """How much the maps of an engine hold.

    Attributes:
        rows: How many rows, and as many stacks.
        memory: Bytes that the maps take in the kernel, about.
        copies: Bytes for copies of stacks.
    """

    rows: int
    memory: int
    copies: int = 0


def scope_of(request: RecordRequest, tasks: Sequence[int], cpus: Sequence[int], cgroup: str = "") -> Scope:
    """Return what a request asks for.

    Args:
        request: The request.
        tasks: Its processes or threads, or its command.
        cpus: The CPUs that it names.
        cgroup: The directory of its control group.
    """
    kind = layout.EVERYTHING
    if request.pids or request.command:
        kind = layout.PROCESSES
    elif request.tids:
        kind = layout.THREADS
    return Scope(
        kind,
        tasks,
        request.comm.encode("utf-8", "surrogateescape")[:15].decode(errors="surrogateescape"),
        cpus if request.cpus else (),
        cgroup,
        request.least,
        request.most,
        request.timestamps,
        os.getpid(),
        request.hold is not None,
        request.inherit,
    )
