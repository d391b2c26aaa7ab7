"""The one type in which readers and exporters meet: `Profile`."""

from kprof.model.builder import Frame, ProfileBuilder
from kprof.model.check import ProfileInvalidError
from kprof.model.compact import compact
from kprof.model.events import pick_event
from kprof.model.filters import Filter
from kprof.model.merge import merge
from kprof.model.moments import Share, parse_moment
from kprof.model.profile import Profile
from kprof.model.tables import (
    Event,
    Frames,
    Kind,
    Mappings,
    Meta,
    Quality,
    Samples,
    Stacks,
)

__all__ = [
    "Event",
    "Filter",
    "Frame",
    "Frames",
    "Kind",
    "Mappings",
    "Meta",
    "Profile",
    "ProfileBuilder",
    "ProfileInvalidError",
    "Quality",
    "Samples",
    "Share",
    "Stacks",
    "compact",
    "merge",
    "parse_moment",
    "pick_event",
]
