"""Inlined functions as frames of their own: one node of the tree becomes a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kprof.model.profile import Profile
from kprof.model.tables import Frames, Kind, Stacks


@dataclass(slots=True)
class Inlined:
    """Functions that were inlined, outermost first, in the order of the frames that they lie in.

    Attributes:
        frame: Row of the frame that each lies in; rows of one frame stand together.
        name: What each is called.
        source: `file:line` that each was at, empty if not known.
    """

    frame: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    source: list[str] = field(default_factory=list)

    def add(self, frame: int, name: str, source: str) -> None:
        """Add a function within those that were added for the same frame before."""
        self.frame.append(frame)
        self.name.append(name)
        self.source.append(source)


def expand(profile: Profile, inlined: Inlined) -> Profile:
    """Return a profile in which inlined functions are frames above the frame that they lie in."""
    if not inlined.frame:
        return profile
    frames, stacks = profile.frames, profile.stacks
    inner = np.array(inlined.frame, np.int64)
    # Within a frame, functions keep their order; frames are put in order.
    order = np.argsort(inner, kind="stable")
    inner = inner[order]
    depth = np.bincount(inner, minlength=len(frames)).astype(np.int64)
    first = len(frames) + np.cumsum(depth) - depth
    size = depth[stacks.frame] + 1
    start = np.cumsum(size) - size
    leaf = start + size - 1
    node = np.repeat(np.arange(len(stacks)), size)
    level = np.arange(len(node)) - start[node]
    above = np.append(leaf, -1)[stacks.parent]  # row -1 is above every root
    parent = np.where(level == 0, above[node], np.arange(len(node)) - 1)
    leaf_frame = stacks.frame[node]
    frame = np.where(level == 0, leaf_frame, first[leaf_frame] + level - 1)
    return replace(
        profile,
        frames=_with(frames, inner, [inlined.name[i] for i in order], [inlined.source[i] for i in order]),
        stacks=Stacks(parent.astype(np.int32), frame.astype(np.int32)),
        samples=replace(profile.samples, stack=np.append(leaf, -1)[profile.samples.stack].astype(np.int32)),
    )


def _with(frames: Frames, inner: np.ndarray, names: Sequence[str], sources: Sequence[str]) -> Frames:
    """Add frames at the places of the frames that they lie in."""
    return Frames(
        [*frames.name, *names],
        np.concatenate([frames.mapping, frames.mapping[inner]]),
        np.concatenate([frames.address, frames.address[inner]]),
        np.concatenate([frames.kind, np.full(len(inner), Kind.INLINED, np.uint8)]),
        [*frames.source, *sources] if frames.source else (),
    )
