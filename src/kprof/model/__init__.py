"""The one type in which readers and exporters meet: `Profile`."""

from kprof.model.builder import ProfileBuilder
from kprof.model.filters import Filter
from kprof.model.merge import merge
from kprof.model.profile import (
    Event,
    Frames,
    Kind,
    Mappings,
    Meta,
    Profile,
    ProfileInvalidError,
    Quality,
    Samples,
    Stacks,
)

__all__ = [
    "Event",
    "Filter",
    "Frames",
    "Kind",
    "Mappings",
    "Meta",
    "Profile",
    "ProfileBuilder",
    "ProfileInvalidError",
    "Quality",
    "Samples",
    "Stacks",
    "merge",
]
