"""Several recordings in one table: what each function weighed in each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kprof.analysis.table import Column, Table, texts
from kprof.analysis.top import FRAME_GROUPS, top
from kprof.errors import UsageError
from kprof.model import Profile
from kprof.model.labels import frame_labels

Float = npt.NDArray[np.float64]
_MARK = re.compile(r"_\[[kji]\]$")


@dataclass(frozen=True, slots=True)
class Runs:
    """What n groups of frames weighed in r recordings.

    Attributes:
        columns: What tells the groups apart, by name of the column, shape (n,) each.
        own: Weight of the samples whose leaf is in the group, shape (r, n).
        total: Weight of the samples that hold the group, once each, shape (r, n).
        whole: Weight of each recording, shape (r,).
        unit: Unit of the weights.
    """

    columns: Mapping[str, Column]
    own: Float
    total: Float
    whole: Float
    unit: str

    def shares(self) -> Runs:
        """Return the same as shares of each recording's own weight, 0 to 1; of nothing they are 0."""
        part = np.divide(1.0, self.whole, out=np.zeros(len(self.whole)), where=self.whole > 0)[:, None]
        return replace(self, own=self.own * part, total=self.total * part)


def measure(profiles: Sequence[Profile], by: str = "function") -> Runs:
    """Add up weights of each profile, with one column for what is the same in all of them.

    A function is told by name and file; by name alone if a profile does not know files, as folded text.

    Args:
        profiles: Each of one event, all of the same unit.
        by: `function`, `module`, `kind` or `line`.

    Raises:
        UsageError: The units differ, or a profile lacks what is asked for.
        FormatError: The weights of one do not add up within int64.
    """
    if by not in FRAME_GROUPS:
        raise UsageError(f"{by} cannot be compared", f"choose one of {', '.join(FRAME_GROUPS)}")
    profiles = alike(profiles)
    unit = _unit(profiles)
    tables = [top(profile, by) for profile in profiles]
    keys: dict[tuple[str, ...], int] = {}
    rows = [_rows(table, keys) for table in tables]
    own, total = (np.zeros((len(tables), len(keys))) for _ in range(2))
    for run, (table, row) in enumerate(zip(tables, rows, strict=True)):
        own[run, row] = table.columns["self"]
        total[run, row] = table.columns["total"]
    names = _names(tables[0])
    parts = list(zip(*keys, strict=True)) or [()] * len(names)
    columns = {name: texts(part) for name, part in zip(names, parts, strict=True)}
    return Runs(columns, own, total, np.array([float(p.total) for p in profiles]), unit)


def alike(profiles: Sequence[Profile]) -> list[Profile]:
    """Return profiles whose functions can be told apart in the same way: all by file, or none."""
    if all(len(profile.mappings) for profile in profiles):
        return list(profiles)
    return [_by_name(profile) for profile in profiles]


def _by_name(profile: Profile) -> Profile:
    """Forget files; what has no symbol keeps the file's name as its own, as in folded text."""
    names = [_MARK.sub("", name) for name in frame_labels(profile.frames, profile.mappings)]
    nowhere = np.full(len(profile.frames), -1, np.int32)
    return replace(profile, frames=replace(profile.frames, name=names, mapping=nowhere))


def _unit(profiles: Sequence[Profile]) -> str:
    units = {profile.meta.events[0].unit if profile.meta.events else "samples" for profile in profiles}
    # Folded text does not say what its numbers are: shares can be compared, whatever they are of.
    units -= {"samples", "weight"} if len(units) > 1 else set()
    if len(units) > 1:
        raise UsageError(
            f"{' and '.join(sorted(units))} cannot be compared", "choose the same event of each with -e"
        )
    return units.pop() if units else "weight"


def _names(table: Table) -> list[str]:
    return [name for name, column in table.columns.items() if column.dtype == object]


def _rows(table: Table, keys: dict[tuple[str, ...], int]) -> npt.NDArray[np.int64]:
    columns = [table.columns[name].tolist() for name in _names(table)]
    found = [keys.setdefault(key, len(keys)) for key in zip(*columns, strict=True)]
    return np.array(found, np.int64)
