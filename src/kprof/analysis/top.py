"""Where the weight is: by function, file, thread, CPU or time."""

from __future__ import annotations

import numpy as np

from kprof.analysis.groups import frame_groups, sample_groups
from kprof.analysis.nesting import intervals, outermost
from kprof.analysis.quality import knows_samples
from kprof.analysis.table import Column, Table
from kprof.errors import FormatError
from kprof.model import Profile
from kprof.model.tables import Int64
from kprof.model.tree import subtree_sum

FRAME_GROUPS = ("function", "module", "kind", "line")
SAMPLE_GROUPS = ("comm", "pid", "tid", "cpu", "cgroup", "time")
_LARGEST = (1 << 63) - 1


def top(profile: Profile, by: str = "function", *, bucket: float = 1.0) -> Table:
    """Add up weights.

    Args:
        profile: Of one event; see `pick_event`.
        by: `function`, `module`, `kind`, `line`, `comm`, `pid`, `tid`, `cpu`, `cgroup` or `time`.
        bucket: Seconds that make one row, for `time`.

    Returns:
        One row a group, largest self weight first. `self`: weight of the samples whose leaf it is. `total`:
        weight of the samples that hold it, once each however often it recurs. `samples`: how many samples
        hold it; not there if the source only has weights. Groups of samples have `total` alone. Exact int64.

    Raises:
        UsageError: The profile does not have what is asked for.
        FormatError: The weights do not add up within int64.
    """
    check_sum(profile)
    if by in SAMPLE_GROUPS:
        found = sample_groups(profile, by, bucket)
        size = len(next(iter(found.columns.values())))
        total = sum_by(found.of, profile.samples.weight, size)
        counts = sum_by(found.of, profile.samples.count, size)
        made = table(profile, dict(found.columns), {"total": total}, counts)
        return made if by == "time" else made.sort(["total", *found.columns])
    found = frame_groups(profile, by)
    size = len(next(iter(found.columns.values())))
    node = found.of[profile.stacks.frame]
    start, end = intervals(profile.stacks.parent)
    outer = outermost(start, end, node)
    own, seen = own_weights(profile)
    sums = [
        sum_by(node, own, size),
        sum_by(node[outer], subtree_sum(profile.stacks.parent, own)[outer], size),
    ]
    counts = sum_by(node[outer], subtree_sum(profile.stacks.parent, seen)[outer], size)
    made = table(profile, dict(found.columns), {"self": sums[0], "total": sums[1]}, counts)
    return made.take(np.flatnonzero(sums[1] | counts)).sort(["self", "total", *found.columns])


def check_sum(profile: Profile) -> None:
    """Raise if weights or counts do not add up within int64: no sum of a part of them can then wrap.

    Raises:
        FormatError: They do not.
    """
    if profile.total > _LARGEST or sum(profile.samples.count.tolist()) > _LARGEST:
        raise FormatError("the weights of this profile do not add up within 64 bits")


def own_weights(profile: Profile) -> tuple[Int64, Int64]:
    """Return weight and number of the samples that end with each stack, shape (stacks,) each."""
    samples, size = profile.samples, len(profile.stacks)
    present = samples.stack >= 0
    stack = samples.stack[present]
    return (
        sum_by(stack.astype(np.int64), samples.weight[present], size),
        sum_by(stack.astype(np.int64), samples.count[present], size),
    )


def sum_by(group: Int64, values: Int64, size: int) -> Int64:
    """Add up values by group, exactly; shape (size,)."""
    total = np.zeros(size, np.int64)
    np.add.at(total, group, values)
    return total


def table(profile: Profile, columns: dict[str, Column], sums: dict[str, Int64], counts: Int64) -> Table:
    """Return a table of groups with their sums, the shares of these, and numbers of samples."""
    whole = profile.total
    for name, values in sums.items():
        columns[name] = values
        columns[f"{name}_share"] = values / whole if whole else np.zeros(len(values))
    if knows_samples(profile):
        columns["samples"] = counts
    unit = profile.meta.events[0].unit if profile.meta.events else ""
    return Table(columns, unit, whole)
