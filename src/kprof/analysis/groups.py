"""What the rows of a report stand for: functions, files, threads, CPUs, stretches of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kprof.analysis.table import Column, texts
from kprof.errors import UsageError
from kprof.model import Kind, Profile
from kprof.model.labels import frame_labels, module_name
from kprof.model.tables import Int64

NOT_KNOWN = "[not known]"
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Groups:
    """Into which of m groups each frame, or each sample, falls.

    Attributes:
        columns: What tells the groups apart, by name of the column, shape (m,) each.
        of: The group of every frame or sample, shape (n,). int64.
    """

    columns: Mapping[str, Column]
    of: Int64


def functions(profile: Profile) -> Groups:
    """Group frames by function: by name and file, whatever the address and whether inlined or not."""
    names = frame_labels(profile.frames, profile.mappings)
    return _distinct({"function": names, "module": _modules(profile)})


def frame_groups(profile: Profile, by: str) -> Groups:
    """Group frames by `function`, `module`, `kind` or `line`."""
    if by == "module":
        return _distinct({"module": [module or NOT_KNOWN for module in _modules(profile)]})
    if by == "kind":
        kinds = [kind.name.lower() for kind in Kind]
        return _distinct({"kind": [kinds[kind] for kind in profile.frames.kind.tolist()]})
    if by == "line":
        if not any(profile.frames.source):
            raise UsageError("this profile has no source lines to group by")
        names = frame_labels(profile.frames, profile.mappings)
        return _distinct({"line": [s or NOT_KNOWN for s in profile.frames.source], "function": names})
    return functions(profile)


def sample_groups(profile: Profile, by: str, bucket: float) -> Groups:
    """Group samples by `comm`, `pid`, `tid`, `cpu`, `cgroup` or `time`.

    Args:
        profile: Whose samples.
        by: What they are grouped by.
        bucket: Seconds that make one row, for `time`.

    Raises:
        UsageError: The profile does not have it.
    """
    if by == "time":
        return _times(profile, bucket)
    values = getattr(profile.samples, by)
    if values is None:
        raise UsageError(f"this profile has no {by} to group by")
    if by in {"comm", "cgroup"}:
        names = profile.comms if by == "comm" else profile.cgroups
        used, of = np.unique(values, return_inverse=True)
        return Groups({by: texts([names[i] if i >= 0 else NOT_KNOWN for i in used.tolist()])}, of)
    if by == "tid" and profile.samples.comm is not None:
        names = [*profile.comms, NOT_KNOWN]
        comms = [names[i] for i in profile.samples.comm.tolist()]
        return _distinct({"tid": values.tolist(), "comm": comms})
    used, of = np.unique(values, return_inverse=True)
    return Groups({by: used.astype(np.int64)}, of)


def _times(profile: Profile, bucket: float) -> Groups:
    times = profile.samples.time_ns
    if times is None or not np.any(times >= 0):
        raise UsageError("this profile has no times to group by")
    if not bucket > 0:
        raise UsageError("a row of the report must stand for more than 0 seconds", "give --bucket a length")
    # From the first sample, like --start and --end.
    since = np.maximum(times - int(times[times >= 0].min()), 0)
    used, of = np.unique(since // max(int(bucket * _SECOND), 1), return_inverse=True)
    return Groups({"time": used * max(int(bucket * _SECOND), 1) / _SECOND}, of)


def _modules(profile: Profile) -> list[str]:
    names = [*(module_name(path) for path in profile.mappings.path), ""]
    return [names[i] for i in profile.frames.mapping.tolist()]


def _distinct(columns: Mapping[str, Sequence[str]]) -> Groups:
    number: dict[tuple[str, ...], int] = {}
    of = [number.setdefault(key, len(number)) for key in zip(*columns.values(), strict=True)]
    parts = list(zip(*number, strict=True)) or [()] * len(columns)
    found = {name: _column(part) for name, part in zip(columns, parts, strict=True)}
    return Groups(found, np.array(of, np.int64))


def _column(values: Sequence[str | int]) -> Column:
    if values and isinstance(values[0], int):
        return np.array(values, np.int64)
    return texts([str(value) for value in values])
