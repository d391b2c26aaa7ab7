"""The tables of a profile: plain columns, no behaviour."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]
UInt8 = npt.NDArray[np.uint8]


class Kind(enum.IntEnum):
    """Where the code of a frame comes from."""

    UNKNOWN = 0
    USER = 1
    KERNEL = 2
    MODULE = 3
    VDSO = 4
    JIT = 5
    PYTHON = 6
    INLINED = 7
    JS = 8
    JAVA = 9


@dataclass(frozen=True, slots=True)
class Mappings:
    """Files that were mapped into a process.

    Attributes:
        path: Path as the recorder saw it, or a name in brackets such as `[kernel.kallsyms]`.
        build_id: Build-id in hex, empty if not known.
        pid: A process that had it mapped, -1 if not known. Where the path depends on the process (a
            container, a map of JIT code), it tells whose path this is.
    """

    path: Sequence[str] = ()
    build_id: Sequence[str] = ()
    pid: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.path)


@dataclass(frozen=True, slots=True)
class Frames:
    """Functions, each at one place.

    Attributes:
        name: Function name; `[unknown]` where there was no symbol.
        mapping: Row of `Mappings`, -1 if not known. int32.
        address: Where in the mapping, 0 if not known. uint64. An offset in the file (`USER`), an offset
            from where it was mapped (`VDSO`), or an address of the process or the kernel (all others). A
            return address is given less one, so that it lies in the call.
        kind: `Kind` values. uint8.
        source: `file:line`, empty if not known.
    """

    name: Sequence[str]
    mapping: Int32
    address: UInt64
    kind: UInt8
    source: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, slots=True)
class Stacks:
    """All stacks as one tree, parents before children.

    Attributes:
        parent: Row of the stack without its leaf, -1 for a root; always below the own row. int32.
        frame: Row of `Frames` of the leaf. int32.
    """

    parent: Int32
    frame: Int32

    def __len__(self) -> int:
        return len(self.parent)


@dataclass(frozen=True, slots=True)
class Samples:
    """Observations of stacks, or groups of equal ones.

    The first four columns are always there. The others are None where the source has no such fact,
    and hold -1 where a single row lacks it.

    Attributes:
        stack: Row of `Stacks`, -1 for a sample that came without a stack. int32.
        event: Row of `Meta.events`. int32.
        weight: What the row counts for, in the unit of its event. int64.
        count: How many samples the row stands for. int64.
        pid: Process id. int32.
        tid: Thread id. int32.
        comm: Row of `Profile.comms`. int32.
        cpu: CPU number. int32.
        time_ns: Nanoseconds on the recorder's clock. int64.
        cgroup: Row of `Profile.cgroups`. int32.
    """

    stack: Int32
    event: Int32
    weight: Int64
    count: Int64
    pid: Int32 | None = None
    tid: Int32 | None = None
    comm: Int32 | None = None
    cpu: Int32 | None = None
    time_ns: Int64 | None = None
    cgroup: Int32 | None = None

    def __len__(self) -> int:
        return len(self.stack)

    @property
    def without_stack(self) -> int:
        """How many samples came without a stack."""
        return int(self.count[self.stack < 0].sum())

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Samples:
        """Return the chosen rows, in order."""
        columns: dict[str, Any] = {}
        for column in fields(self):
            values = getattr(self, column.name)
            columns[column.name] = None if values is None else values[rows]
        return Samples(**columns)


@dataclass(frozen=True, slots=True)
class Event:
    """What was counted.

    Attributes:
        name: Name as the recorder prints it, modifiers included (`cycles:u`).
        unit: Unit of the weights: `samples`, `ns`, `bytes` or `events`.
    """

    name: str
    unit: str = "samples"


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts that say how far a profile can be trusted. Units: samples, unless said otherwise.

    Attributes:
        read: Samples found in the source.
        lost: Samples that the recorder reports as lost, by cause.
        without_stack: Samples that came without any frame, of those that were not left out.
        truncated: Samples whose stack is cut, or came from a cut file.
        skipped_lines: Lines (of text sources) that could not be understood.
        filtered: Samples that a filter or the choice of an event left out, by cause.
    """

    read: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    without_stack: int = 0
    truncated: int = 0
    skipped_lines: int = 0
    filtered: dict[str, int] = field(default_factory=dict)


# Inputs whose numbers may be of anything: samples, microseconds, bytes.
WEIGHTS_ALONE = ("folded stacks", "stacks of bpftrace", "stacks of BCC")


@dataclass(frozen=True, slots=True)
class Meta:
    """Where a profile came from.

    Attributes:
        events: The events, in the order in which they were met.
        quality: How far the profile can be trusted.
        facts: Anything else that is known, such as `host`, `kernel`, `command`, `recorder`,
            `frequency`; the report's head shows them in this order.
    """

    events: tuple[Event, ...] = ()
    quality: Quality = field(default_factory=Quality)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def knows_samples(self) -> bool:
        """Whether rows know how many samples they stand for; some sources have sums alone."""
        return self.facts.get("input") not in WEIGHTS_ALONE
