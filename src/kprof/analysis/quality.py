"""How far can a profile be trusted? The counts behind every summary and every report's head."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kprof.model import Kind, Profile
from kprof.model.events import base_name
from kprof.model.labels import UNKNOWN
from kprof.model.tree import depths, path_sum, subtree_sum

_UNKNOWN_LIMIT = 0.10
_LOST_LIMIT = 0.01
_NO_STACK_LIMIT = 0.10
_SKIPPED_LIMIT = 0.01
_KERNEL = "[kernel"


@dataclass(frozen=True, slots=True)
class Report:
    """What `judge` found.

    Attributes:
        facts: Short statements for a summary: `382157 samples`, `3.1 % unknown frames`.
        warnings: What is past a threshold, and what to do about it.
    """

    facts: Sequence[str] = ()
    warnings: Sequence[str] = field(default_factory=list)


def _observed(profile: Profile) -> npt.NDArray[np.int64]:
    """Return how often each row was seen; folded text only knows what its rows weigh."""
    return profile.samples.count if knows_samples(profile) else profile.samples.weight


def knows_samples(profile: Profile) -> bool:
    """Say whether rows know how many samples they stand for; folded text only has weights."""
    return profile.meta.knows_samples


def _unknown_frames(profile: Profile) -> npt.NDArray[np.bool_]:
    frames = profile.frames
    unnamed = np.fromiter((name == UNKNOWN for name in frames.name), bool, len(frames))
    unknown: npt.NDArray[np.bool_] = unnamed | (frames.kind == Kind.UNKNOWN)
    return unknown


def unknown_share(profile: Profile) -> float:
    """Return the share, 0 to 1, of frames without a symbol, each counted as often as it was seen."""
    if not len(profile.stacks):
        return 0.0
    parent = profile.stacks.parent
    per_stack = path_sum(parent, _unknown_frames(profile)[profile.stacks.frame].astype(np.int64))
    present = profile.samples.stack >= 0
    stack, seen = profile.samples.stack[present], _observed(profile)[present].astype(float)
    frames_seen = float((depths(parent)[stack] * seen).sum())
    return float((per_stack[stack] * seen).sum()) / frames_seen if frames_seen else 0.0


def judge(profile: Profile) -> Report:
    """Return what a user must know about a profile before believing it."""
    quality = profile.meta.quality
    kept = int(profile.samples.count.sum())
    lost = sum(quality.lost.values())
    unknown = unknown_share(profile)
    # Folded text does not tell how many samples a line was, nor what was lost on the way to it.
    folded = not knows_samples(profile)
    facts = [f"{counted(quality.read, 'stack' if folded else 'sample')} read", f"{kept:,} kept"]
    facts += [f"{n:,} left out by {cause}" for cause, n in quality.filtered.items()]
    if not folded:
        facts += [f"{quality.without_stack:,} without a stack", f"{lost:,} lost"]
    facts.append(f"{unknown:.1%} unknown frames")
    if quality.skipped_lines:
        facts.append(f"{counted(quality.skipped_lines, 'line')} not understood")
    if quality.truncated:
        facts.append(f"{quality.truncated:,} truncated")
    warnings = _losses(profile, kept)
    if unknown > _UNKNOWN_LIMIT:
        warnings.append(f"{unknown:.1%} of the frames have no symbol: {_unknown_hint(profile)}")
    if quality.skipped_lines > _SKIPPED_LIMIT * max(quality.read, 1):
        lines = counted(quality.skipped_lines, "line")
        warnings.append(f"{lines} not understood: what stood there is not in the profile")
    return Report(facts, warnings)


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: `1 sample`, `2,000 samples`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _losses(profile: Profile, kept: int) -> list[str]:
    quality = profile.meta.quality
    warnings = []
    lost = sum(quality.lost.values())
    if lost > _LOST_LIMIT * (quality.read + lost):
        share = lost / (quality.read + lost)
        # A tracepoint is recorded whenever it is met: it has no frequency.
        fewer = "fewer events" if _is_tracepoint(profile) else "a lower -F"
        warnings.append(f"{share:.1%} of the samples were lost: record with {fewer}, or fewer CPUs")
    # inferno's dialect has no rows for what has no stack.
    without = quality.without_stack
    of = max(kept - profile.samples.without_stack + without, 1)
    if without > _NO_STACK_LIMIT * of:
        warnings.append(f"{without / of:.1%} of the samples have no stack: was it recorded with -g?")
    return warnings


def _is_tracepoint(profile: Profile) -> bool:
    return bool(profile.meta.events) and ":" in base_name(profile.meta.events[0].name)


def _unknown_hint(profile: Profile) -> str:
    """Name the module in which most frames lack a symbol, or say that they belong to none."""
    present = profile.samples.stack >= 0
    seen = np.zeros(len(profile.stacks), np.float64)
    np.add.at(seen, profile.samples.stack[present], _observed(profile)[present])
    seen = subtree_sum(profile.stacks.parent, seen)
    unknown = _unknown_frames(profile)[profile.stacks.frame]
    modules: Counter[str] = Counter()
    for frame, times in zip(profile.stacks.frame[unknown].tolist(), seen[unknown].tolist(), strict=True):
        modules[_module_of(profile, frame)] += times
    (worst, times), *_ = modules.most_common(1) or [("", 0)]
    if not worst:
        return "they belong to no file, so stacks may be broken; try `-g dwarf`, or build with frame pointers"
    if worst.startswith(_KERNEL):
        return "most are the kernel's, whose names were hidden: use --root, and kernel.kptr_restrict below 2"
    share = "most of them" if times > sum(modules.values()) / 2 else "the largest part"
    return f"{share} in {worst}; install its debug symbols"


def _module_of(profile: Profile, frame: int) -> str:
    mapping = int(profile.frames.mapping[frame])
    if mapping >= 0:
        return profile.mappings.path[mapping]
    # Folded text calls a frame without a symbol by its module: "[libc.so.6]".
    name = profile.frames.name[frame]
    if int(profile.frames.address[frame]) >> 63:
        return _KERNEL
    return "" if name in {UNKNOWN, ""} else name.strip("[]")
