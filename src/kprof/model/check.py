"""Do the tables of a profile agree with each other?"""

from collections.abc import Mapping, Sequence

import numpy as np

from kprof.errors import KprofError
from kprof.model.tables import Frames, Kind, Mappings, Meta, Samples, Stacks


class ProfileInvalidError(KprofError):
    """A profile's tables contradict each other; it is a fault of the code that built it."""


def check(
    mappings: Mappings,
    frames: Frames,
    stacks: Stacks,
    samples: Samples,
    *,
    names: Mapping[str, Sequence[str]],
    meta: Meta,
) -> None:
    """Raise if a table contradicts another.

    Args:
        mappings: As in `Profile`.
        frames: As in `Profile`.
        stacks: As in `Profile`.
        samples: As in `Profile`.
        names: What each column of samples that holds rows of a list of names points at.
        meta: As in `Profile`.

    Raises:
        ProfileInvalidError: What is wrong with which table.
    """
    if mappings.build_id and len(mappings.build_id) != len(mappings.path):
        raise ProfileInvalidError("mappings: build_id and path differ in length")
    _check_frames(frames, len(mappings))
    _check_stacks(stacks, len(frames))
    _check_samples(samples, len(stacks), names, len(meta.events))


def _check_frames(frames: Frames, mappings: int) -> None:
    sizes = {"mapping": len(frames.mapping), "address": len(frames.address), "kind": len(frames.kind)}
    for name, size in sizes.items():
        if size != len(frames):
            raise ProfileInvalidError(f"frames: {name} and name differ in length")
    if frames.source and len(frames.source) != len(frames):
        raise ProfileInvalidError("frames: source and name differ in length")
    _in_range("frames.mapping", frames.mapping, -1, mappings)
    _in_range("frames.kind", frames.kind, 0, len(Kind))


def _check_stacks(stacks: Stacks, frames: int) -> None:
    if len(stacks.parent) != len(stacks.frame):
        raise ProfileInvalidError("stacks: parent and frame differ in length")
    _in_range("stacks.parent", stacks.parent, -1, len(stacks))
    _in_range("stacks.frame", stacks.frame, 0, frames)
    if np.any(stacks.parent >= np.arange(len(stacks))):
        raise ProfileInvalidError("stacks: a parent does not stand before its child")


def _check_samples(samples: Samples, stacks: int, names: Mapping[str, Sequence[str]], events: int) -> None:
    for name in samples.__slots__:
        column = getattr(samples, name)
        if column is not None and len(column) != len(samples):
            raise ProfileInvalidError(f"samples: {name} and stack differ in length")
    _in_range("samples.stack", samples.stack, -1, stacks)
    _in_range("samples.event", samples.event, 0, events)
    for name, rows in names.items():
        if (column := getattr(samples, name)) is not None:
            _in_range(f"samples.{name}", column, -1, len(rows))
    if np.any(samples.weight < 0) or np.any(samples.count < 0):
        raise ProfileInvalidError("samples: a weight or count is negative")


def _in_range(what: str, column: np.ndarray, low: int, high: int) -> None:
    if len(column) and (column.min() < low or column.max() >= high):
        raise ProfileInvalidError(f"{what}: a value lies outside [{low}, {high})")
