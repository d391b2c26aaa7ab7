"""Choosing one event of a profile that holds several."""

from dataclasses import replace

from kprof.errors import UsageError
from kprof.model.profile import Profile
from kprof.model.tables import Event

# The name of what an input counts without naming it.
NO_EVENT = "samples"
_TIME_UNITS = ("cpu-clock", "task-clock")


def event_of(name: str) -> Event:
    """Return the event of a name that perf gave it, with the unit of its periods."""
    return Event(name or NO_EVENT, "ns" if name.partition(":")[0] in _TIME_UNITS else "events")


def base_name(name: str) -> str:
    """Return an event's name without modifiers and without its PMU: `cpu_core/cycles/ppp` is `cycles`."""
    if name.count("/") >= 2:  # noqa: PLR2004 - a PMU event is pmu/name/modifiers
        pmu, parts = name.split("/")[:2]
        # What is set with `=` is no name: `task-clock/call-graph=fp/` sets how an event is recorded.
        return pmu if all("=" in part for part in parts.split(",")) else parts
    head, colon, tail = name.rpartition(":")
    return head if colon and tail and set(tail) <= set("ukhGHIpPSDWe") else name


def find_event(events: tuple[Event, ...], wanted: str) -> int:
    """Return the row of the event that `wanted` names, exactly or but for its modifiers.

    Raises:
        UsageError: There is no such event, or more than one.
    """
    names = [event.name for event in events]
    if wanted in names:
        return names.index(wanted)
    found = [i for i, name in enumerate(names) if wanted in {base_name(name), name.rstrip(":")}]
    if len(found) == 1:
        return found[0]
    present = ", ".join(names) or "no events"
    problem = "names more than one event" if found else "is not in this profile"
    raise UsageError(f"event {wanted!r} {problem}", f"it has {present}; choose one with --event")


def pick_event(profile: Profile, wanted: str = "") -> Profile:
    """Keep one event: the one named, or the first that was seen. What is left out is counted in the quality.

    Events are never added up: a page fault and a nanosecond have no sum.
    """
    events = profile.meta.events
    if len(events) <= 1 and not wanted:
        return profile
    seen = profile.samples.event
    row = find_event(events, wanted) if wanted else int(seen.min()) if len(seen) else 0
    keep = profile.samples.event == row
    samples = profile.samples.take(keep)
    samples.event[:] = 0
    left = max(profile.meta.quality.without_stack - profile.samples.take(~keep).without_stack, 0)
    filtered = dict(profile.meta.quality.filtered)
    for other, event in enumerate(events):
        left_out = int(profile.samples.count[profile.samples.event == other].sum())
        if other != row and left_out:
            filtered[f"event {event.name}"] = left_out
    quality = replace(profile.meta.quality, filtered=filtered, without_stack=left)
    return replace(
        profile, samples=samples, meta=replace(profile.meta, events=(events[row],), quality=quality)
    )
