"""How far can a profile be trusted? The counts behind every summary and every report's head."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kprof.model import Kind, Profile
from kprof.model.labels import UNKNOWN
from kprof.model.tree import depths, path_sum

_UNKNOWN_LIMIT = 0.10
_LOST_LIMIT = 0.01
_NO_STACK_LIMIT = 0.10
_SKIPPED_LIMIT = 0.01


@dataclass(frozen=True, slots=True)
class Report:
    """What `judge` found.

    Attributes:
        facts: Short statements for a summary: `382157 samples`, `3.1 % unknown frames`.
        warnings: What is past a threshold, and what to do about it.
    """

    facts: Sequence[str] = ()
    warnings: Sequence[str] = field(default_factory=list)


def unknown_share(profile: Profile) -> float:
    """Return the share, 0 to 1, of frames without a symbol, each counted as often as it was sampled."""
    if not len(profile.stacks):
        return 0.0
    frames = profile.frames
    unknown = np.fromiter((name == UNKNOWN for name in frames.name), bool, len(frames))
    unknown |= frames.kind == Kind.UNKNOWN
    parent = profile.stacks.parent
    per_stack = path_sum(parent, unknown[profile.stacks.frame].astype(np.int64))
    present = profile.samples.stack >= 0
    stack, count = profile.samples.stack[present], profile.samples.count[present].astype(float)
    frames_seen = float((depths(parent)[stack] * count).sum())
    return float((per_stack[stack] * count).sum()) / frames_seen if frames_seen else 0.0


def judge(profile: Profile) -> Report:
    """Return what a user must know about a profile before believing it."""
    quality = profile.meta.quality
    kept = int(profile.samples.count.sum())
    lost = sum(quality.lost.values())
    unknown = unknown_share(profile)
    # Folded text has one line for all equal samples: nobody knows how many they were.
    what = "stacks" if profile.meta.facts.get("input") == "folded stacks" else "samples"
    facts = [f"{quality.read:,} {what} read", f"{kept:,} kept"]
    facts += [f"{n:,} left out by {cause}" for cause, n in quality.filtered.items()]
    facts += [f"{quality.without_stack:,} without a stack", f"{lost:,} lost", f"{unknown:.1%} unknown frames"]
    if quality.skipped_lines:
        facts.append(f"{quality.skipped_lines:,} lines not understood")
    if quality.truncated:
        facts.append(f"{quality.truncated:,} truncated")
    warnings = []
    if lost > _LOST_LIMIT * (quality.read + lost):
        share = lost / (quality.read + lost)
        warnings.append(f"{share:.1%} of the samples were lost: record with a lower -F, or fewer CPUs")
    if quality.without_stack > _NO_STACK_LIMIT * max(quality.read, 1):
        share = quality.without_stack / quality.read
        warnings.append(f"{share:.1%} of the samples have no stack: was it recorded with -g?")
    if unknown > _UNKNOWN_LIMIT:
        warnings.append(f"{unknown:.1%} of the frames have no symbol: {_unknown_hint(profile)}")
    if quality.skipped_lines > _SKIPPED_LIMIT * max(quality.read, 1):
        warnings.append(f"{quality.skipped_lines:,} lines were not understood and are not in the profile")
    return Report(facts, warnings)


def _unknown_hint(profile: Profile) -> str:
    """Name the module in which most frames lack a symbol, by distinct places."""
    modules: dict[int, int] = {}
    for name, mapping in zip(profile.frames.name, profile.frames.mapping.tolist(), strict=True):
        if name == UNKNOWN and mapping >= 0:
            modules[mapping] = modules.get(mapping, 0) + 1
    if not modules:
        return "stacks may be broken; try `-g dwarf`, or build with frame pointers"
    worst = max(modules, key=modules.__getitem__)
    return f"most of them in {profile.mappings.path[worst]}; install its debug symbols"
