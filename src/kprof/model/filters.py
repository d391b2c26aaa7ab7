"""Keeping a part of a profile."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kprof.errors import UsageError
from kprof.model.labels import frame_labels
from kprof.model.moments import time_mask
from kprof.model.profile import Profile
from kprof.model.tables import Samples, Stacks
from kprof.model.tree import path_any

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Filter:
    """What to keep; an empty field keeps everything.

    Attributes:
        comms: Thread names, exactly.
        pids: Process ids.
        tids: Thread ids.
        cpus: CPU numbers.
        start: Seconds from the first sample; from the last one if negative; or a `Share` of the time.
        end: The same, exclusive.
        focus: Keep samples with a frame that matches this regular expression.
        ignore: Drop samples with a frame that matches.
        root_at: Make the outermost frame that matches the root; drop samples without one.
    """

    comms: Sequence[str] = ()
    pids: Sequence[int] = ()
    tids: Sequence[int] = ()
    cpus: Sequence[int] = ()
    start: float | None = None
    end: float | None = None
    focus: str = ""
    ignore: str = ""
    root_at: str = ""

    @property
    def needs_times(self) -> bool:
        """Whether samples must have times."""
        return self.start is not None or self.end is not None

    @property
    def needs_every_sample(self) -> bool:
        """Whether samples must be read one by one, since rows of equal samples have no time or CPU."""
        return bool(self.cpus) or self.needs_times

    @property
    def needs_ids(self) -> bool:
        """Whether samples of different processes and threads must be kept apart."""
        return bool(self.pids or self.tids)

    def apply(self, profile: Profile) -> Profile:
        """Return what is left of a profile; what is not left is counted in its quality.

        Raises:
            UsageError: A regular expression is wrong, or the profile lacks what is filtered by.
        """
        # Masks are made one after the other: each is of the rows that the one before left.
        # Time comes first, since it counts from the first sample of all.
        for cause, make in (
            ("time", self._time_mask),
            ("comm", self._comm_mask),
            ("pid", lambda p: _member_mask(p.samples, "pid", self.pids)),
            ("tid", lambda p: _member_mask(p.samples, "tid", self.tids)),
            ("cpu", lambda p: _member_mask(p.samples, "cpu", self.cpus)),
        ):
            profile = _keep(profile, cause, make(profile))
        if self.focus:
            profile = _keep(
                profile, "focus", _sample_mask(profile, _matching(profile, self.focus, "--focus"))
            )
        if self.ignore:
            mask = ~_sample_mask(profile, _matching(profile, self.ignore, "--ignore"))
            profile = _keep(profile, "ignore", mask)
        return _root_at(profile, self.root_at) if self.root_at else profile

    def _comm_mask(self, profile: Profile) -> Mask | None:
        if not self.comms:
            return None
        if profile.samples.comm is None:
            raise UsageError("this profile has no thread names to filter by")
        rows = [i for i, comm in enumerate(profile.comms) if comm in self.comms]
        return np.isin(profile.samples.comm, rows)

    def _time_mask(self, profile: Profile) -> Mask | None:
        samples = profile.samples
        if not self.needs_times:
            return None
        if samples.time_ns is None:
            raise UsageError("this profile has no times to filter by")
        return time_mask(samples.time_ns, self.start, self.end)


def _member_mask(samples: Samples, column: str, wanted: Sequence[int]) -> Mask | None:
    if not wanted:
        return None
    values = getattr(samples, column)
    if values is None:
        raise UsageError(f"this profile has no {column} to filter by")
    return np.isin(values, list(wanted))


def _keep(profile: Profile, cause: str, mask: Mask | None) -> Profile:
    if mask is None or mask.all():
        return profile
    quality = profile.meta.quality
    filtered = dict(quality.filtered)
    dropped = profile.samples.take(~mask)
    filtered[cause] = filtered.get(cause, 0) + int(dropped.count.sum())
    left = max(quality.without_stack - dropped.without_stack, 0)
    meta = replace(profile.meta, quality=replace(quality, filtered=filtered, without_stack=left))
    return replace(profile, samples=profile.samples.take(mask), meta=meta)


def _matching(profile: Profile, pattern: str, option: str) -> Mask:
    """Say of every stack whether a frame of it matches, by the label that is shown."""
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"{option}: {pattern!r} is not a regular expression: {error}") from None
    labels = frame_labels(profile.frames, profile.mappings)
    frames = np.fromiter((search(label) is not None for label in labels), bool, len(labels))
    return path_any(profile.stacks.parent, frames[profile.stacks.frame])


def _sample_mask(profile: Profile, stacks: Mask) -> Mask:
    stack = profile.samples.stack
    return np.append(stacks, False)[stack]  # row -1, no stack, matches nothing


def _root_at(profile: Profile, pattern: str) -> Profile:
    inside = _matching(profile, pattern, "--root-at")
    profile = _keep(profile, "root-at", _sample_mask(profile, inside))
    rows = np.append(np.cumsum(inside, dtype=np.int32) - 1, np.int32(-1))
    parent = profile.stacks.parent[inside]
    above = np.append(inside, False)[parent]  # row -1 is above every root
    stacks = Stacks(
        np.where(above, rows[parent], np.int32(-1)).astype(np.int32), profile.stacks.frame[inside]
    )
    samples = replace(profile.samples, stack=rows[profile.samples.stack])
    return replace(profile, stacks=stacks, samples=samples)
