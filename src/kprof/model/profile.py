"""`Profile`: interned, columnar, immutable.

A profile is five tables. `mappings` are the files; `frames` are functions at a place in one of
them; `stacks` is a tree (a stack is a node, its parent the stack without the leaf); `samples` point
at stacks; `meta` says where it all came from and how far it can be trusted. Text is held once, in
plain lists; numbers are numpy arrays. pandas appears only at the edge, in `to_pandas`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kprof.model.check import check
from kprof.model.tables import Frames, Int64, Mappings, Meta, Samples, Stacks

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Profile:
    """Stacks with weights; see the module's docstring for the five tables.

    Attributes:
        mappings: The files.
        frames: The functions.
        stacks: The tree of stacks.
        samples: What was observed.
        comms: Thread names, to which `samples.comm` points.
        meta: Source, events and quality.
        cgroups: Paths of control groups, to which `samples.cgroup` points.
    """

    mappings: Mappings
    frames: Frames
    stacks: Stacks
    samples: Samples
    comms: Sequence[str] = ()
    meta: Meta = field(default_factory=Meta)
    cgroups: Sequence[str] = ()

    @property
    def total(self) -> int:
        """Sum of all weights. Never wraps: summed as Python integers if int64 could overflow."""
        return exact_sum(self.samples.weight)

    def check(self) -> Profile:
        """Return self if all five tables agree with each other.

        Raises:
            ProfileInvalidError: What is wrong with which table.
        """
        names = {"comm": self.comms, "cgroup": self.cgroups}
        check(self.mappings, self.frames, self.stacks, self.samples, names=names, meta=self.meta)
        return self

    def to_pandas(self) -> pd.DataFrame:
        r"""Return one row a sample: `stack` (folded text), `weight`, `count`, `event` and the rest.

        Bytes of names that are not UTF-8 are written as `\xff`.
        """
        from kprof.model.pandas_edge import to_pandas  # noqa: PLC0415 - pandas takes 0.3 s to import

        names = {"comm": self.comms, "cgroup": self.cgroups}
        return to_pandas(self.mappings, self.frames, self.stacks, self.samples, names=names, meta=self.meta)


def exact_sum(values: Int64) -> int:
    """Sum int64 values without ever wrapping."""
    if not len(values):
        return 0
    bound = max(int(values.max()), -int(values.min()))
    if bound < (1 << 62) // len(values):
        return int(values.sum())
    return sum(values.tolist())
