"""Several backends record one target at the same time; each leaves a profile and what it cost."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kprof.model import Profile
from kprof.pipeline.inputs import Choice, read
from kprof.recorders import Recording, RecordRequest, find_recorder
from kprof.recorders.signals import StopSignals
from kprof.recorders.volume import bytes_moved
from kprof.system.procfs import cpu_seconds
from kprof.system.worker import Done, run_beside


@dataclass(frozen=True, slots=True)
class Cost:
    """What a recording took.

    Attributes:
        user: CPU seconds of the recorder in programs, from its start to a whole file.
        system: CPU seconds of the recorder in the kernel. What sampling itself takes is the target's time.
        moved: Bytes from kernel to user.
        asked: Samples that the rate asks for in the target's CPU time.
        taken: Samples in the profile.
        lost: Samples that the recorder says were lost.
        disk: Bytes of the recording.
        start: Seconds until it sampled.
        finish: Seconds from its end until there was a profile.
    """

    user: float
    system: float
    moved: int
    asked: int
    taken: int
    lost: int
    disk: int
    start: float
    finish: float

    def rows(self) -> dict[str, str]:
        """Return each figure as text, by its name."""
        return {
            "CPU of the recorder, user": f"{self.user:.3f} s",
            "CPU of the recorder, system": f"{self.system:.3f} s",
            "from kernel to user": f"{self.moved / 1e3:,.0f} kB",
            "samples asked for": f"{self.asked:,}",
            "samples taken": f"{self.taken:,}",
            "samples lost": f"{self.lost:,}",
            "size on disk": f"{self.disk / 1e3:,.0f} kB",
            "until it samples": f"{self.start:.2f} s",
            "from stop to profile": f"{self.finish:.2f} s",
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """What one backend made of it.

    Attributes:
        backend: `perf` or `bpf`.
        profile: What it saw.
        cost: What that took.
        notes: What its recorder had to say.
    """

    backend: str
    profile: Profile
    cost: Cost
    notes: Sequence[str] = ()


@dataclass(slots=True)
class _Watch:
    """When sampling began and ended, and how much the target ran by then."""

    pids: Sequence[int]
    launched: float = field(default_factory=time.monotonic)
    begun: float = 0.0
    ended: float = 0.0
    ran: tuple[float, float] = (0.0, 0.0)

    def __call__(self, elapsed: float, _size: int) -> None:
        """Take note; called by a recorder as it goes on."""
        self.ended, ran = time.monotonic(), sum(map(cpu_seconds, self.pids))
        if not self.begun:
            self.begun, self.ran = self.ended - elapsed, (ran, ran)
        self.ran = (self.ran[0], max(ran, self.ran[1]))


def record_both(
    request: RecordRequest, backends: Sequence[str], folder: str, choice: Choice | None = None
) -> list[Taken]:
    """Record one target with several backends at the same time.

    Args:
        request: What to record, for how long.
        backends: `perf`, `bpf`.
        folder: Where the recordings are left, each in a folder of its own.
        choice: How they are read.

    Raises:
        KprofError: One of them cannot record, or saw nothing.
    """
    work = []
    for backend in backends:
        place = Path(folder, backend)
        place.mkdir()
        # Found here, so that imports are not the recorder's cost.
        work.append(partial(_record, find_recorder(backend), request, str(place)))
    # Ctrl-C reaches the recorders as well; each then ends and leaves what it has.
    with StopSignals():
        results = run_beside(work)
    taken = []
    for backend, done in zip(backends, results, strict=True):
        recording, watch, ended, notes = done.value
        begun = time.monotonic()
        profile = read([recording.path], choice, facts=recording.facts)
        finish = ended - watch.ended + time.monotonic() - begun
        taken.append(Taken(backend, profile, _cost(backend, done, profile, finish), notes))
    return taken


def _record(
    record: object, request: RecordRequest, folder: str
) -> tuple[Recording, _Watch, float, list[str]]:
    watch, notes = _Watch(request.pids), list[str]()
    recording = record(request, folder, note=notes.append, progress=watch)  # type: ignore[operator]
    return recording, watch, time.monotonic(), notes


def _cost(
    backend: str, done: Done[tuple[Recording, _Watch, float, list[str]]], profile: Profile, finish: float
) -> Cost:
    recording, watch, _, _ = done.value
    rate = int(recording.facts.get("frequency", "0").split()[0])
    return Cost(
        done.user,
        done.system,
        bytes_moved(backend, recording.path),
        round(rate * (watch.ran[1] - watch.ran[0])),
        int(profile.samples.count.sum()),
        sum(profile.meta.quality.lost.values()),
        os.stat(recording.path).st_size,  # noqa: PTH116 - one number of one file
        watch.begun - watch.launched,
        finish,
    )
