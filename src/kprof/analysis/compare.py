"""Recordings of one thing by different recorders: all that is to be said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kprof.analysis.agreement import Agreement, agree, match
from kprof.analysis.disagreement import Disagreement, explain, mean_depth
from kprof.analysis.noise import Noise, measure_noise
from kprof.analysis.one_sided import OneSided, one_sided, same_event
from kprof.analysis.quality import unknown_share
from kprof.model import Profile, merge

_TWO = 2


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What is known of one side.

    Attributes:
        event: What was counted.
        samples: How many samples there are.
        lost: How many were lost, as far as its recorder tells.
        without_stack: How many have no stack.
        unknown: Share of frames without a symbol, 0 to 1.
        depth: Frames a sample, on average by weight.
    """

    event: str
    samples: int
    lost: int
    without_stack: int
    unknown: float
    depth: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found.

    Attributes:
        profiles: What each side saw of the event that all have, its rounds added up.
        sides: What is known of each side.
        agreement: How far the first two agree.
        disagreement: Why they do not.
        one_sided: What only some sides have; events among it are left out of all else.
        noise: How far recordings lie apart; None if there are two recordings only.
    """

    profiles: Sequence[Profile]
    sides: Sequence[SideFacts]
    agreement: Agreement
    disagreement: Disagreement
    one_sided: Sequence[OneSided]
    noise: Noise | None


def compare(rounds: Sequence[Sequence[Profile]], event: str = "") -> Comparison:
    """Compare what two recorders or more saw of one thing.

    Args:
        rounds: What each recorder saw in a round, with all events; one round if there was one recording each.
        event: The event to compare; the first that all have if empty.

    Raises:
        UsageError: There is no such event.
        FormatError: Weights do not add up within int64.
    """
    count = len(rounds[0])
    picked, events = same_event([profile for each in rounds for profile in each], event)
    by_round = [picked[at : at + count] for at in range(0, len(picked), count)]
    profiles = [merge([each[side] for each in by_round]) for side in range(count)]
    matched = match(*profiles[:_TWO])
    several = count > _TWO or len(rounds) > 1
    return Comparison(
        profiles,
        [_facts(profile) for profile in profiles],
        agree(matched),
        explain(matched),
        [*_of_first_round(events, count), *one_sided(profiles)],
        measure_noise(by_round) if several else None,
    )


def _of_first_round(found: Sequence[OneSided], count: int) -> list[OneSided]:
    """Tell sides rather than recordings, of which there are several a side."""
    kept = []
    for one in found:
        sides = sorted({number % count for number in one.sides})
        if len(sides) < count:
            kept.append(OneSided(one.what, sides, one.weight, one.share, one.unit))
    return kept


def _facts(profile: Profile) -> SideFacts:
    return SideFacts(
        profile.meta.events[0].name if profile.meta.events else "samples",
        int(profile.samples.count.sum()),
        sum(profile.meta.quality.lost.values()),
        profile.meta.quality.without_stack,
        unknown_share(profile),
        mean_depth(profile),
    )
