"""What `kprof compare` does with a target: record it with several recorders, and measure what that costs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kprof.cli.console import progress_line, status, warn
from kprof.pipeline.contenders import Contender, parse_contenders
from kprof.pipeline.costs import Cost, middle
from kprof.recorders import RecordRequest

if TYPE_CHECKING:
    from kprof.analysis.slowdown import Slowdown
    from kprof.model import Profile
    from kprof.pipeline.side_by_side import Round

USUAL_SECONDS = 10.0
_USUAL_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be recorded.

    Attributes:
        request: Fields of a `RecordRequest`.
        engines: Names of recorders.
        runs: How often; None for what is usual.
        overhead: Whether the target's slowdown is measured.
        progress: How far the target is: a shell command.
    """

    request: Mapping[str, Any]
    engines: str
    runs: int | None
    overhead: bool
    progress: str


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared.

    Attributes:
        names: What the sides are called.
        rounds: What each side saw in a round, with all events.
        event: The event to compare; the first that all have if empty.
        costs: What each side cost in each round; none if the recordings were there already.
        slowdowns: How much slower the target was: by what was measured, then by side.
        title: What was recorded; empty if the recordings were there already.
    """

    names: Sequence[str]
    rounds: Sequence[Sequence[Profile]]
    event: str = ""
    costs: Sequence[Sequence[Cost]] = ()
    slowdowns: Mapping[str, Mapping[str, Slowdown]] = field(default_factory=dict)
    title: str = ""

    def counted(self, compared: Sequence[Profile]) -> list[Cost]:
        """Return the median cost of each side, with the samples of the event that is compared."""
        runs = len(self.rounds)
        middles = [middle(of_side) for of_side in zip(*self.costs, strict=True)]
        return [
            replace(cost, taken=float(profile.samples.count.sum()) / runs)
            for cost, profile in zip(middles, compared, strict=bool(middles))
        ]


def record(asked: Asked, choice: Any) -> Sides:
    """Record the target, and measure its slowdown if that is wanted.

    Raises:
        KprofError: A recorder cannot record it.
    """
    request = RecordRequest(**asked.request)
    request.check()
    contenders = parse_contenders(asked.engines)
    for one in contenders:
        one.request(request)
    if asked.overhead:
        from kprof.pipeline.overhead import check  # noqa: PLC0415 - few want it

        check(request, asked.progress)
    names = [one.name for one in contenders]
    rounds = _rounds(request, contenders, asked.runs or 1, choice)
    profiles, costs = (
        [[getattr(t, what) for t in each.taken] for each in rounds] for what in ("profile", "cost")
    )
    slowdowns = {}
    if asked.overhead and not rounds[-1].interrupted:
        slowdowns = _slowdowns(request, contenders, asked)
    return Sides(names, profiles, "", costs, slowdowns, request.title)


def _rounds(request: RecordRequest, contenders: Sequence[Contender], runs: int, choice: Any) -> list[Round]:
    from kprof.pipeline.side_by_side import record_round  # noqa: PLC0415 - needs numpy

    names = ", ".join(one.name for one in contenders)
    length = f" for {request.duration:g} s" if request.duration else ""
    times = f", {runs} times" if runs > 1 else ""
    status(f"recording {request.title} with {names}{length}{times}")
    rounds: list[Round] = []
    with progress_line() as update:
        for number in range(runs):
            with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
                tick = _clock(update, f"recording, round {number + 1} of {runs}")
                rounds.append(record_round(request, contenders, folder, choice, tick))
            if rounds[-1].interrupted:
                break
    _tell(contenders, rounds)
    return rounds


def _clock(update: Callable[[str], None], text: str) -> Callable[[], None]:
    begun = time.monotonic()
    return lambda: update(f"{text}: {time.monotonic() - begun:.0f} s")


def _tell(contenders: Sequence[Contender], rounds: Sequence[Round]) -> None:
    for one, taken in zip(contenders, rounds[0].taken, strict=True):
        for note in taken.notes:
            status(f"{one.name}: {note}")
    if failed := next((each.status for each in rounds if each.status), None):
        warn(f"the command ended with {failed}")


def _slowdowns(
    request: RecordRequest, contenders: Sequence[Contender], asked: Asked
) -> dict[str, dict[str, Slowdown]]:
    from kprof.analysis.slowdown import slowdown  # noqa: PLC0415 - few want it
    from kprof.pipeline.overhead import measure_overhead  # noqa: PLC0415

    runs = asked.runs if asked.runs and asked.runs > 1 else _USUAL_ROUNDS
    status(f"measuring the target's slowdown: {runs} rounds without a recorder and with each")
    with progress_line() as update:
        took = measure_overhead(request, contenders, runs, asked.progress, update)
    found: dict[str, dict[str, Slowdown]] = {}
    for what in took[0].amounts:
        by_name: dict[str, list[float]] = {}
        for one in sorted(took, key=lambda each: each.round):
            by_name.setdefault(one.recorder, []).append(one.amounts[what])
        without = by_name.pop("")
        found[what] = {one.name: slowdown(without, by_name[one.name]) for one in contenders}
    return found
