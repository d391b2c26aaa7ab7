"""What being recorded costs the target: it runs with and without a recorder, in turn."""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from kprof.errors import KprofError, UsageError
from kprof.pipeline.contenders import Contender
from kprof.pipeline.side_by_side import run_round
from kprof.recorders import RecordRequest
from kprof.recorders.signals import StopSignals
from kprof.system.process import run

# A recorder is still at work when progress is asked for the last time.
_MARGIN = 1.0
_TICK = 0.25
WALL, CPU, PROGRESS = "time", "CPU time", "time for a step"


@dataclass(frozen=True, slots=True)
class Took:
    """What the target took.

    Attributes:
        recorder: Name of what recorded it; empty if nothing did.
        round: Number of the round.
        amounts: Seconds, by `WALL` and `CPU` of a command, or by `PROGRESS` of a process.
    """

    recorder: str
    round: int
    amounts: dict[str, float]


def measure_overhead(
    request: RecordRequest,
    contenders: Sequence[Contender],
    rounds: int,
    progress: str = "",
    tick: Callable[[str], None] = lambda _text: None,
) -> list[Took]:
    """Let the target run without and with each recorder, one after the other, in several rounds.

    Who is first changes from round to round, so that a machine that gets slower hits all alike.

    Args:
        request: The target. What a process does by itself is not known, so it needs `progress`.
        contenders: What records.
        rounds: How often.
        progress: A shell command that prints a number that grows with the work that was done.
        tick: Told several times a second what is measured now.

    Raises:
        UsageError: There is nothing to measure.
        KprofError: A recorder failed, or the command did.
    """
    check(request, progress)
    took = []
    turns: list[Sequence[Contender]] = [[], *([one] for one in contenders)]
    for number in range(rounds):
        start = number % len(turns)
        for turn in turns[start:] + turns[:start]:
            name = turn[0].name if turn else ""
            say = partial(tick, f"round {number + 1} of {rounds}, {name or 'without a recorder'}")
            measure = _command if request.command else partial(_progress, text=progress)
            took.append(Took(name, number, measure(request, turn, say)))
    return took


def check(request: RecordRequest, progress: str) -> None:
    """Raise if there is nothing to measure.

    Raises:
        UsageError: The target is no command, and nothing tells its progress.
    """
    if not request.command and not progress:
        raise UsageError(
            "how much work the target does is not known, so neither is its slowdown",
            "give a command with -- COMMAND, or --progress 'COMMAND that prints how much was done'",
        )


def _command(request: RecordRequest, turn: Sequence[Contender], tick: Callable[[], None]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        ran = run_round(request, turn, folder, tick)
    if ran.interrupted:
        raise KeyboardInterrupt
    assert ran.ended is not None  # noqa: S101 - a command was given
    if ran.ended.status:
        raise KprofError(f"the command ended with {ran.ended.status}", "a failing command tells no slowdown")
    return {WALL: ran.seconds, CPU: ran.ended.cpu}


def _progress(
    request: RecordRequest, turn: Sequence[Contender], tick: Callable[[], None], *, text: str
) -> dict[str, float]:
    seconds = request.duration or 0.0
    longer = replace(request, duration=seconds + _MARGIN)
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        ran = run_round(longer, turn, folder, tick, beside=partial(_pace, text, seconds))
    if ran.interrupted:
        raise KeyboardInterrupt
    return {PROGRESS: ran.seconds}


def _pace(text: str, seconds: float) -> float:
    """Return the seconds that a step of progress takes."""
    begun, before = time.monotonic(), _steps(text)
    with StopSignals() as signals:
        while (left := begun + seconds - time.monotonic()) > 0 and not signals.count:
            time.sleep(min(left, _TICK))
        if signals.count:
            return 0.0
    after, ended = _steps(text), time.monotonic()
    if after <= before:
        raise UsageError(
            f"--progress: {before:g} before and {after:g} after", "it must grow with the work that is done"
        )
    return (ended - begun) / (after - before)


def _steps(text: str) -> float:
    result = run(["/bin/sh", "-c", text])
    with suppress(ValueError, IndexError):
        return float(result.out.split()[0])
    said = result.err.strip().splitlines()
    raise UsageError(
        f"--progress printed no number{': ' + said[-1] if said else ''}", f"try it alone: {text}"
    )
