"""Several profiles as one."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np

from kprof.model.profile import Profile
from kprof.model.tables import Event, Frames, Int32, Mappings, Meta, Quality, Samples, Stacks

_OPTIONAL = ("pid", "tid", "cpu", "time_ns")


def merge(profiles: Sequence[Profile]) -> Profile:
    """Put profiles together. Events, threads and control groups of the same name become one, counts add up.

    Args:
        profiles: At least one.
    """
    if len(profiles) == 1:
        return profiles[0]
    events: dict[Event, int] = {}
    comms: dict[str, int] = {}
    cgroups: dict[str, int] = {}
    event = _renamed(profiles, lambda p: [events.setdefault(e, len(events)) for e in p.meta.events], "event")
    comm = _renamed(profiles, lambda p: [comms.setdefault(c, len(comms)) for c in p.comms], "comm")
    cgroup = _renamed(profiles, lambda p: [cgroups.setdefault(c, len(cgroups)) for c in p.cgroups], "cgroup")
    frame_base = _bases([len(p.frames) for p in profiles])
    stack_base = _bases([len(p.stacks) for p in profiles])
    samples = Samples(
        _shifted([p.samples.stack for p in profiles], stack_base),
        event if event is not None else np.zeros(0, np.int32),
        np.concatenate([p.samples.weight for p in profiles]),
        np.concatenate([p.samples.count for p in profiles]),
        comm=comm,
        cgroup=cgroup,
        **{name: _column(profiles, name) for name in _OPTIONAL},
    )
    stacks = Stacks(
        _shifted([p.stacks.parent for p in profiles], stack_base),
        _shifted([p.stacks.frame for p in profiles], frame_base),
    )
    mappings, frames = _merge_frames(profiles)
    facts: dict[str, str] = {}
    for profile in profiles:
        for key, value in profile.meta.facts.items():
            facts[key] = value if facts.get(key, value) == value else f"{facts[key]}; {value}"
    if len({profile.meta.facts.get("input") for profile in profiles}) > 1:
        facts.pop("input", None)  # it says how to read the counts, so it holds for all or for none
    meta = Meta(tuple(events), _merge_quality([p.meta.quality for p in profiles]), facts)
    return Profile(mappings, frames, stacks, samples, list(comms), meta, list(cgroups))


def _bases(sizes: list[int]) -> list[int]:
    return [0, *np.cumsum(sizes[:-1]).tolist()]


def _shifted(columns: list[Int32], bases: list[int]) -> Int32:
    moved = [np.where(c >= 0, c + base, c) for c, base in zip(columns, bases, strict=True)]
    return np.concatenate(moved).astype(np.int32)


def _renamed(
    profiles: Sequence[Profile], number: Callable[[Profile], list[int]], column: str
) -> Int32 | None:
    """Concatenate a column whose values are rows of a table that is merged by name."""
    parts, known = [], False
    for profile in profiles:
        rows = np.array([*number(profile), -1], np.int32)
        values = getattr(profile.samples, column)
        known |= values is not None
        parts.append(rows[values] if values is not None else np.full(len(profile.samples), -1, np.int32))
    return np.concatenate(parts) if known else None


def _column(profiles: Sequence[Profile], name: str) -> np.ndarray | None:
    columns = [getattr(p.samples, name) for p in profiles]
    present = [c for c in columns if c is not None]
    if not present:
        return None
    filled = [np.full(len(p.samples), -1, present[0].dtype) if c is None else c
              for p, c in zip(profiles, columns, strict=True)]  # fmt: skip
    return np.concatenate(filled)


def _merge_frames(profiles: Sequence[Profile]) -> tuple[Mappings, Frames]:
    bases = _bases([len(p.mappings) for p in profiles])
    mappings = Mappings(
        [path for p in profiles for path in p.mappings.path],
        [b for p in profiles for b in (p.mappings.build_id or [""] * len(p.mappings))],
    )
    frames = Frames(
        [name for p in profiles for name in p.frames.name],
        _shifted([p.frames.mapping for p in profiles], bases),
        np.concatenate([p.frames.address for p in profiles]),
        np.concatenate([p.frames.kind for p in profiles]),
        [s for p in profiles for s in (p.frames.source or [""] * len(p.frames))],
    )
    return mappings, frames


def _merge_quality(parts: list[Quality]) -> Quality:
    merged: dict[str, int | dict[str, int]] = {}
    for field in fields(Quality):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], dict):
            merged[field.name] = dict(sum((Counter(v) for v in values), Counter()))
        else:
            merged[field.name] = sum(values)
    return Quality(**merged)  # type: ignore[arg-type]
