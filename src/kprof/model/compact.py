"""Making what is equal one: files that many processes mapped, frames in them, stacks of these."""

from collections.abc import Hashable, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kprof.model.distinct import distinct
from kprof.model.profile import Profile
from kprof.model.tables import Frames, Int64, Mappings, Stacks
from kprof.model.tree import merged_paths


def compact(profile: Profile) -> Profile:
    """Return the same samples on smaller tables.

    Mappings of the same path and build-id become one, whichever process had them: what is left does not say
    whose they were. Events without samples go, as perf's dummies: a viewer could show one of them first.
    """
    mappings, frames = profile.mappings, profile.frames
    ids = mappings.build_id or [""] * len(mappings)
    mapping, first = _numbered(zip(mappings.path, ids, strict=True))
    own = np.append(mapping, np.int64(-1))[frames.mapping]
    columns: list[npt.NDArray[np.integer]] = [own, frames.address, frames.kind, _numbered(frames.name)[0]]
    if frames.source:
        columns.append(_numbered(frames.source)[0])
    keep, frame = _combinations(columns, len(frames))
    rows = keep.tolist()
    kept = Frames(
        [frames.name[i] for i in rows],
        own[keep].astype(np.int32),
        frames.address[keep],
        frames.kind[keep],
        [frames.source[i] for i in rows] if frames.source else (),
    )
    parent, leaf, node = merged_paths(profile.stacks.parent, frame[profile.stacks.frame])
    stack = np.append(node, np.int64(-1))[profile.samples.stack].astype(np.int32)
    events, event = distinct(profile.samples.event)
    seen = tuple(profile.meta.events[i] for i in events.tolist()) or profile.meta.events[:1]
    return replace(
        profile,
        meta=replace(profile.meta, events=seen),
        mappings=Mappings([mappings.path[i] for i in first], [ids[i] for i in first]),
        frames=kept,
        stacks=Stacks(parent, leaf.astype(np.int32)),
        samples=replace(profile.samples, stack=stack, event=event.astype(np.int32)),
    )


def _numbered(values: Iterable[Hashable]) -> tuple[Int64, list[int]]:
    """Return a number for each value, equal for equal ones, and where each number was first given."""
    numbers: dict[Hashable, int] = {}
    first: list[int] = []
    rows = []
    for i, value in enumerate(values):
        number = numbers.setdefault(value, len(numbers))
        if number == len(first):
            first.append(i)
        rows.append(number)
    return np.array(rows, np.int64), first


def _combinations(columns: list[npt.NDArray[np.integer]], size: int) -> tuple[Int64, Int64]:
    """Return the first row of each distinct combination, in order, and which combination each row is."""
    number = np.zeros(size, np.int64)
    for column in columns:
        # Numbered anew at every step, so that nothing overflows.
        values, place = distinct(column)
        number = distinct(number * max(len(values), 1) + place)[1]
    rows, first = _numbered(number.tolist())
    return np.array(first, np.int64), rows
