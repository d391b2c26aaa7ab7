"""What one side sees and another cannot: no difference, as only one of them looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kprof.analysis.quality import knows_samples
from kprof.analysis.top import own_weights, sum_by
from kprof.errors import UsageError
from kprof.model import Event, Kind, Profile, pick_event
from kprof.model.events import NO_EVENT, base_name, find_event
from kprof.model.tree import path_any

# All of them sample who is on a CPU, by whatever clock.
_ON_CPU = {"cycles", "cpu-cycles", "cpu-clock", "task-clock", "on-cpu", "cpu", NO_EVENT}
_KERNEL = (Kind.KERNEL, Kind.MODULE)
_KINDS = {
    "kernel frames": _KERNEL,
    "inlined frames": (Kind.INLINED,),
    "frames of compiled scripts (JIT)": (Kind.JIT, Kind.JS, Kind.JAVA),
    "frames of Python": (Kind.PYTHON,),
}
# What is rarer than this on the side that has it may be missing on the other by chance.
_LEAST_SHARE, _LEAST_SAMPLES = 0.005, 30


@dataclass(frozen=True, slots=True)
class OneSided:
    """Something that only some of the sides have.

    Attributes:
        what: `event off-cpu`, `kernel frames`, `thread gzip`.
        sides: The numbers of those that have it.
        weight: What it weighs there, in the unit of its event; of the first that has it.
        share: Of all of that event, 0 to 1; 1 for an event.
        unit: The unit.
    """

    what: str
    sides: Sequence[int]
    weight: int
    share: float
    unit: str


def same_event(profiles: Sequence[Profile], wanted: str = "") -> tuple[list[Profile], list[OneSided]]:
    """Keep of each profile the event that all of them have, and tell what only some have.

    Events that sample who is on a CPU are the same, by whichever clock they do.

    Args:
        profiles: With all their events.
        wanted: The event; the first that all have if empty.

    Raises:
        UsageError: There is none.
    """
    if not all(map(knows_samples, profiles)):
        # Folded text does not say what it counts.
        return [pick_event(profile, wanted) for profile in profiles], []
    seen = [[p.meta.events[i] for i in sorted(set(p.samples.event.tolist()))] for p in profiles]
    names = [{_name(event) for event in events} for events in seen]
    shared = [event for event in seen[0] if all(_name(event) in others for others in names)]
    if wanted:
        return [pick_event(profile, wanted) for profile in profiles], _events(profiles, seen, names)
    if not shared:
        told = " and ".join(", ".join(event.name for event in events) for events in seen)
        raise UsageError(
            f"{told} are not the same, so they cannot agree", "record the same event, or choose with -e"
        )
    picked = []
    for profile, events in zip(profiles, seen, strict=True):
        event = next(each for each in events if _name(each) == _name(shared[0]))
        picked.append(pick_event(profile, event.name) if len(profile.meta.events) > 1 else profile)
    return picked, _events(profiles, seen, names)


def _name(event: Event) -> str:
    name = base_name(event.name)
    return NO_EVENT if name in _ON_CPU else name


def _events(
    profiles: Sequence[Profile], seen: Sequence[Sequence[Event]], names: Sequence[set[str]]
) -> list[OneSided]:
    found: dict[str, OneSided] = {}
    for side, events in enumerate(seen):
        for event in events:
            having = [other for other, each in enumerate(names) if _name(event) in each]
            if len(having) < len(names) and _name(event) not in found and having[0] == side:
                row = find_event(profiles[side].meta.events, event.name)
                weight = int(profiles[side].samples.weight[profiles[side].samples.event == row].sum())
                found[_name(event)] = OneSided(f"event {event.name}", having, weight, 1.0, event.unit)
    return list(found.values())


def one_sided(profiles: Sequence[Profile]) -> list[OneSided]:
    """Find kinds of frames and threads that not all profiles have, and that chance does not explain.

    Args:
        profiles: Of one event each.
    """
    found = []
    for what, kinds in _KINDS.items():
        held = [_held(profile, kinds) for profile in profiles]
        found += _missing(what, held, profiles)
    if all(profile.samples.comm is not None and knows_samples(profile) for profile in profiles):
        threads = [_threads(profile) for profile in profiles]
        for name in sorted(set().union(*threads)):
            found += _missing(f"thread {name}", [of.get(name, 0) for of in threads], profiles)
    return found


def _held(profile: Profile, kinds: Sequence[Kind]) -> int:
    """Return the weight of the samples that hold a frame of these kinds."""
    holds = path_any(profile.stacks.parent, np.isin(profile.frames.kind[profile.stacks.frame], kinds))
    return int(own_weights(profile)[0][holds].sum())


def _threads(profile: Profile) -> dict[str, int]:
    """Return the weight of each name of a thread."""
    comm = profile.samples.comm
    assert comm is not None  # noqa: S101 - asked for where there are names
    known = comm >= 0
    weight = sum_by(comm[known].astype(np.int64), profile.samples.weight[known], len(profile.comms))
    return dict(zip(profile.comms, weight.tolist(), strict=True))


def _missing(what: str, held: Sequence[int], profiles: Sequence[Profile]) -> list[OneSided]:
    having = [side for side, weight in enumerate(held) if weight]
    if not having or len(having) == len(held):
        return []
    first = having[0]
    profile = profiles[first]
    share = held[first] / max(profile.total, 1)
    # As many as chance cannot leave out of the other side, where samples are told.
    samples = share * int(profile.samples.count.sum()) if knows_samples(profile) else _LEAST_SAMPLES
    if share < _LEAST_SHARE or samples < _LEAST_SAMPLES:
        return []
    unit = profile.meta.events[0].unit if profile.meta.events else "samples"
    return [OneSided(what, having, held[first], share, unit)]
