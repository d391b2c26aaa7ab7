"""Several recorders record one target at the same time; each leaves a profile and what it cost."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any

import numpy as np

from kprof.errors import EmptyProfileError
from kprof.model import Profile
from kprof.pipeline.contenders import Contender
from kprof.pipeline.costs import Cost
from kprof.pipeline.inputs import Choice, read
from kprof.pipeline.recording import nothing_seen
from kprof.recorders import Recording, RecordRequest, find_recorder
from kprof.recorders.shared_command import Ended, SharedCommand, Start
from kprof.recorders.signals import StopSignals
from kprof.recorders.volume import bytes_moved
from kprof.system.cgroups import cpu_seconds_of
from kprof.system.cpus import chosen_cpus
from kprof.system.procfs import cpu_seconds
from kprof.system.worker import Done, run_beside


@dataclass(frozen=True, slots=True)
class Taken:
    """What one of them made of it.

    Attributes:
        profile: What it saw, of all events.
        cost: What that took.
        notes: What its recorder had to say.
    """

    profile: Profile
    cost: Cost
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """What all of them made of the same time.

    Attributes:
        taken: One a contender.
        status: Exit code of the command, None if there is none.
        interrupted: Whether a signal ended it.
    """

    taken: Sequence[Taken]
    status: int | None
    interrupted: bool


@dataclass(slots=True)
class _Times:
    """When a recorder was launched, and when it began to sample."""

    launched: float = field(default_factory=time.monotonic)
    begun: float = 0.0


class _Running:
    """How much CPU time the target had by when."""

    def __init__(self, request: RecordRequest) -> None:
        self._request = request
        self._times: list[float] = []
        self._ran: list[float] = []

    def look(self) -> None:
        """Take note of now."""
        self._times.append(time.monotonic())
        # A process that has ended has no CPU time any more.
        self._ran.append(max(_ran(self._request), self._ran[-1] if self._ran else 0.0))

    def between(self, begun: float, ended: float) -> float:
        """Return the CPU time from one moment to another."""
        before, after = np.interp((begun, ended), self._times, self._ran)
        return float(after - before)


_PATIENCE = 30.0
_Work = tuple[Recording, _Times, float, list[str]]


@dataclass(frozen=True, slots=True)
class Ran:
    """A round whose recordings were not read yet.

    Attributes:
        results: What each contender left.
        seconds: How long the command ran; or what ran beside the recorders returned.
        running: CPU time of the target that is no command.
        ended: How the command ended, None if there is none.
        interrupted: Whether a signal ended it.
    """

    results: Sequence[Done[_Work]]
    seconds: float
    running: _Running
    ended: Ended | None
    interrupted: bool


def record_round(
    request: RecordRequest,
    contenders: Sequence[Contender],
    folder: str,
    choice: Choice | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Round:
    """Record one target with several recorders at the same time.

    A command is started once, and goes when all of them sample.

    Args:
        request: What to record, for how long.
        contenders: What records.
        folder: Where the recordings are left, each in a folder of its own.
        choice: How they are read.
        tick: Called several times a second.

    Raises:
        KprofError: One of them cannot record, or saw nothing.
    """
    ran = run_round(request, contenders, folder, tick)
    choice = replace(choice or Choice(), every_event=True, event="")
    pairs = zip(contenders, ran.results, strict=True)
    taken = [_taken(one, done, ran, choice, request) for one, done in pairs]
    return Round(taken, ran.ended.status if ran.ended else None, ran.interrupted)


def run_round(
    request: RecordRequest,
    contenders: Sequence[Contender],
    folder: str,
    tick: Callable[[], None] = lambda: None,
    beside: Callable[[], float] | None = None,
) -> Ran:
    """Record as `record_round` does, without reading what is left.

    Args:
        request: What to record, for how long.
        contenders: What records; nothing lets the command run alone.
        folder: Where the recordings are left, each in a folder of its own.
        tick: Called several times a second.
        beside: What else is done in the meantime, in a process of its own, from when all of them sample.

    Raises:
        KprofError: One of them cannot record.
    """
    request.check()
    # Ctrl-C reaches the recorders as well; each then ends and leaves what it has.
    with StopSignals() as signals, ExitStack() as stack:
        start = Start()
        stack.callback(start.close)
        command = None
        if request.command:
            command = stack.enter_context(SharedCommand(folder, request.command, request.duration))
        work = _work(request, contenders, folder, command, start)
        if command:
            work.append(partial(start.run, len(contenders), command.follow))
        elif beside:
            work.append(partial(start.run, len(contenders), beside))

        running = _Running(request)

        def stop() -> int | None:
            tick()
            running.look()
            return None if signals.reached_command else signals.last

        results: list[Done[Any]] = run_beside(work, stop)
        ended = command.finish(signals) if command else None
        seconds = results[-1].value if command or beside else 0.0
        return Ran(results[: len(contenders)], seconds, running, ended, bool(signals.count))


def _work(
    request: RecordRequest,
    contenders: Sequence[Contender],
    folder: str,
    command: SharedCommand | None,
    start: Start,
) -> list[Callable[[], Any]]:
    target = replace(request, command=(), pids=(command.pid,), waits=True) if command else request
    # All begin at the same time: the first waits for the last.
    barrier = get_context("fork").Barrier(len(contenders)) if len(contenders) > 1 else None
    work: list[Callable[[], Any]] = []
    for one in contenders:
        place = Path(folder, one.name)
        place.mkdir()
        # Found here, so that imports are not the recorder's cost.
        recorder = find_recorder(one.backend)
        asked = replace(one.request(target), hold=partial(_hold, barrier) if barrier else None)
        work.append(partial(_record, recorder, asked, str(place), start.one_is_ready, barrier))
    return work


def _hold(barrier: Barrier) -> None:
    with suppress(BrokenBarrierError):
        barrier.wait(_PATIENCE)


def _record(
    record: Any,
    request: RecordRequest,
    folder: str,
    ready: Callable[[], None],
    barrier: Barrier | None,
) -> _Work:
    times, notes = _Times(), list[str]()

    def watch(elapsed: float, _size: int) -> None:
        if not times.begun:
            times.begun = time.monotonic() - elapsed
            ready()

    try:
        recording = record(request, folder, note=notes.append, progress=watch)
    finally:
        if barrier and not times.begun:
            # The others must not wait for one that failed.
            barrier.abort()
    return recording, times, time.monotonic(), notes


def _taken(one: Contender, done: Done[_Work], ran: Ran, choice: Choice, request: RecordRequest) -> Taken:
    recording, times, stopped, notes = done.value
    begun = time.monotonic()
    try:
        profile = read([recording.path], choice, facts={**recording.facts, "target": request.title})
    except EmptyProfileError:
        why = nothing_seen(recording, request)
        raise EmptyProfileError(f"{one.name}: {why}", why.help_text) from None
    ended = times.begun + float(recording.facts["duration"].split()[0])
    finish = stopped - ended + time.monotonic() - begun
    rate = int(recording.facts.get("frequency", "0").split()[0])
    seconds = ran.ended.cpu if ran.ended else ran.running.between(times.begun, ended)
    cost = Cost(
        done.user,
        done.system,
        done.waits,
        bytes_moved(one.backend, recording.path),
        round(rate * seconds) if rate and seconds else None,
        int(profile.samples.count.sum()),
        sum(profile.meta.quality.lost.values()),
        os.stat(recording.path).st_size,  # noqa: PTH116 - one number of one file
        times.begun - times.launched,
        finish,
    )
    return Taken(profile, cost, notes)


def _ran(request: RecordRequest) -> float:
    """Return for how long the target has run on CPUs, in seconds since any moment."""
    if request.pids:
        return sum(map(cpu_seconds, request.pids))
    if request.tids:
        return sum(cpu_seconds(tid, thread=True) for tid in request.tids)
    if request.cgroup:
        return cpu_seconds_of(request.cgroup)
    return time.monotonic() * len(chosen_cpus(request.cpus))
