"""One recording with BPF programs, from start to a whole file."""

import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Self

from kprof.errors import KprofError, NotAvailableError
from kprof.recorders.bpf import failure, libbpf
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.capabilities import fewer_capabilities
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.engines import Choice, choose, open_engine
from kprof.recorders.bpf.framing import Framing
from kprof.recorders.bpf.pace import Pace
from kprof.recorders.bpf.relatives import Relatives
from kprof.recorders.bpf.remarks import remarks
from kprof.recorders.bpf.scope import Job, scope_of
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.recorders.bpf.sources import RawTracepoint
from kprof.recorders.bpf.space import SpaceLog
from kprof.recorders.bpf.waiting import Waiting
from kprof.recorders.gate import Command
from kprof.recorders.request import Recording, RecordRequest
from kprof.recorders.signals import StopSignals
from kprof.system import host, permissions
from kprof.system.cgroups import unified_directory
from kprof.system.cpus import chosen_cpus
from kprof.system.kallsyms import ranges_of
from kprof.system.process import find_program
from kprof.system.procfs import all_processes, process_of, start_of
from kprof.wire import bpf_events as layout

Progress = Callable[[float, int], None]
# Ends and signals wake us; the end of a thread does not.
_TICK = 1.0
# Of processes, where nobody looks: what they map in this time is hardly gone at its end.
_LONG_TICK = 5.0
# While it matters what processes run next.
_CHOOSING_TICK = 0.25
_OUR_WAY = rb"bpf_trace_run\d+|__bpf_trace_\w+|__traceiter_\w+|bpf_trampoline_\w+\t\[bpf\]"


def record_here(
    request: RecordRequest,
    folder: str,
    path: str,
    start_command: Callable[[], Command],
    *,
    note: Callable[[str], None],
    progress: Progress | None,
    client: int = 0,
) -> Recording:
    """Record, with the rights of this process.

    Args:
        request: What to record.
        folder: A private directory of ours.
        path: Where the recording is left.
        start_command: Starts the command of the request, if it has one.
        note: As in `kprof.recorders.backend.Recorder`, and so is what is raised.
        progress: As there.
        client: The process that we work for, which is not recorded either.
    """
    allowed = permissions.current()
    failure.check_permissions(allowed)
    failure.check_namespace()
    choice = choose(request)
    for text in choice.notes:
        note(text)
    try:
        with StopSignals() as signals, _Session(request, choice, (folder, path), client) as session:
            for text in session.start(start_command):
                note(text)
            with fewer_capabilities(for_good=bool(client)):
                session.follow(signals, progress)
                for text in session.finish():
                    note(text)
            # The command ends last: what it does at its end is not waited for.
            status = session.end_command(signals)
            name = choice.planned.sources[0].name
            return Recording(path, session.facts(), name, status, bool(signals.count))
    except libbpf.LibbpfError as error:
        raise failure.translate(error, allowed) from None
    except OSError as error:
        text = f"the kernel refuses an event: {error.strerror}"
        raise NotAvailableError(text, "`dmesg` may say why") from None


class _Session:
    """The engine, the log of address spaces, the command if there is one, and the file."""

    def __init__(self, request: RecordRequest, choice: Choice, places: tuple[str, str], client: int) -> None:
        self.request, self.choice, self.plan, self.client = request, choice, choice.planned, client
        self.folder, self.path = places
        self.cpus = chosen_cpus(request.cpus)
        self.gate: Command | None = None
        self.build_ids = BuildIds()
        self.begun = self.ended = time.monotonic()
        self.begun_at = datetime.now().astimezone()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, start_command: Callable[[], Command]) -> list[str]:
        """Load, attach, and let the command go; return what a user must be told."""
        request = self.request
        if request.command:
            self.gate = start_command()
            self._stack.callback(self.gate.close)
        pids = [self.gate.pid] if self.gate else list(request.pids)
        self.by_others = any(source.is_by_others for source in self.plan.sources)
        known = () if self.by_others else pids or filter(None, map(process_of, request.tids))
        self.relatives = Relatives(known)
        self.targets = {task: start_of(task) for task in (*request.pids, *request.tids)}
        # The log comes first: it also names the programs that are loaded next.
        self.space = self._stack.enter_context(SpaceLog(chosen_cpus("")))
        group = unified_directory(request.cgroup) if request.cgroup else ""
        scope = scope_of(request, pids or request.tids, self.cpus, group)
        job = Job(request, self.plan, scope, self.folder, self.cpus, self._rate(), self.client)
        self.engine = self._stack.enter_context(open_engine(self.choice, job))
        self.engine.load()
        self.framing = Framing(self._mark)
        self._choose(pids)
        self.hidden = self._way()
        self.dump = self._stack.enter_context(DumpWriter(self.path, self._meta()))
        self._snapshot(pids)
        if request.hold:
            request.hold()
        self.engine.attach()
        if any(source.target for source in self.plan.sources):
            # Their way to the program exists since they are attached, and only as long.
            self.hidden = self._way()
            self.dump.meta(self._meta())
        self.begun = time.monotonic()
        if self.gate:
            self.gate.open()
        return self.engine.notes

    @property
    def _chooses(self) -> bool:
        return any(source.copies == layout.COPY_UNFRAMED for source in self.plan.sources)

    def _choose(self, pids: list[int]) -> None:
        """Find out whose frame pointers can be followed."""
        if not self._chooses:
            return
        if self.gate:
            self.framing.begins(self.gate.pid, find_program(self.request.command[0]) or "")
        elif self.request.is_cpu_wide:
            self.framing.look_at(all_processes())
        else:
            self.framing.look_at(pids or map(process_of, self.request.tids))

    def _mark(self, pid: int, kept: bool) -> None:
        self.engine.mark_framed(pid, kept=kept)

    def _rate(self) -> int:
        """Return about how many rows a second may come at most, where samples have a rate."""
        return max(source.frequency for source in self.plan.sources) * len(self.cpus)

    def _snapshot(self, pids: list[int]) -> None:
        """Keep what is mapped already, of the targets or of everybody."""
        shot = Snapshot(time.monotonic_ns(), self.build_ids)
        if self.request.is_cpu_wide or self.by_others:
            self.dump.space(shot.everything())
        else:
            self.dump.space(shot.of(pids or self.request.tids))

    def follow(self, signals: StopSignals, progress: Progress | None) -> None:
        """Move what is counted to the file until the time, target or command ends, or a signal comes."""
        known = all(source.frequency for source in self.plan.sources)
        pace = Pace(self.engine.rooms.rows, self._rate() if known else 0, self.begun)
        pids = [self.gate.pid] if self.gate else self.request.pids
        # What fills a ring buffer cannot be foreseen.
        idle = self.request.pids and not progress and not self.engine.descriptors
        usual = _LONG_TICK if idle else _TICK
        tick = _CHOOSING_TICK if self._chooses else usual
        if progress:
            progress(0.0, self.dump.size)
        with Waiting((*self.space.descriptors, *self.engine.descriptors), pids) as waiting:
            while not signals.count and not self._is_over():
                waiting.wait(min(tick, self._left(), pace.left(time.monotonic())))
                self._log()
                now = time.monotonic()
                if pace.left(now) <= 0 or self.engine.is_crowded:
                    rows = self.engine.drain(self.dump)
                    self.dump.tallies(self.engine.tallies())
                    pace.moved(rows, now)
                if progress:
                    progress(now - self.begun, self.dump.size)

    def _log(self) -> None:
        """Write what happened to address spaces since the last time."""
        records = self.build_ids.add_to(self.relatives.pick(self.space.read()))
        self.dump.space(records)
        if self._chooses:
            self.framing.follow(records)

    def _left(self) -> float:
        """Return how many seconds are left."""
        if self.request.duration is None:
            return math.inf
        return self.request.duration - (time.monotonic() - self.begun)

    def _is_over(self) -> bool:
        if self._left() <= 0 or (self.gate and self.gate.has_ended()):
            return True
        return bool(self.targets) and not any(start_of(task) == start for task, start in self.targets.items())

    def finish(self) -> list[str]:
        """Stop, and write the rest; return what a user must be told.

        Raises:
            KprofError: What was counted is not what was seen.
        """
        told = len(self.engine.notes)
        self.engine.detach()
        ended_ns, self.ended = time.monotonic_ns(), time.monotonic()
        # Twice: what one finds may be explained by what the next one finds.
        self._log()
        self._log()
        self.engine.finish(self.dump, ended_ns)
        tallies = self.engine.tallies()
        self.dump.tallies(tallies)
        for event in tallies["events"]:
            if event["seen"] != event["counted"] + event["no_room"] + event["nested"]:
                raise KprofError(f"the accounting of {event['event']} does not add up: {event}")
        # Once more, for what was chosen meanwhile.
        self.dump.meta(self._meta())
        self.dump.end()
        return [*self.engine.notes[told:], *remarks(tallies, self.framing.says())]

    def end_command(self, signals: StopSignals) -> int | None:
        """End the command if it still runs; return its status, None if there is none."""
        return self.gate.finish(signals, by_itself=self.gate.has_ended()) if self.gate else None

    def _way(self) -> list[tuple[int, int]]:
        """Return where the functions between a tracepoint and a program on it are: not the kernel's work."""
        direct = all(s.hooks and not isinstance(s.hooks[0], RawTracepoint) for s in self.plan.sources)
        return [] if direct else ranges_of(_OUR_WAY)

    def _meta(self) -> dict[str, Any]:
        events = [
            {"name": source.name, "unit": source.unit, "details": source.details}
            for source in self.plan.sources
        ]
        return {
            "events": events,
            "clock": "CLOCK_MONOTONIC",
            "arch": os.uname().machine,
            "hidden": self.hidden,
            "timestamps": self.request.timestamps,
            "facts": self._known(),
        }

    def _known(self) -> dict[str, str]:
        return {
            "target": self.request.title,
            "recorder": f"bpf ({self.engine.title})",
            **({"engine": self.choice.reason} if self.choice.reason else {}),
            "call graph": self._call_graph(),
            **self.plan.facts,
            **host.facts(),
            "kernel memory": self._memory(),
            "started": self.begun_at.isoformat(timespec="seconds"),
        }

    def _memory(self) -> str:
        rooms = self.engine.rooms
        copies = f", {rooms.copies / 1e6:.0f} MB of them for copies" if rooms.copies else ""
        return f"{rooms.memory / 1e6:.0f} MB for {rooms.rows:,} rows and stacks{copies}"

    def _call_graph(self) -> str:
        copies = {source.copies for source in self.plan.sources}
        if self._chooses and self.framing.says():
            return self.framing.says()
        return "fp" if copies == {layout.FOLLOW} else f"copies of up to {self.request.stack_bytes:,} bytes"

    def facts(self) -> dict[str, str]:
        """Return what a report's head says of the recording."""
        return {**self._known(), "duration": f"{self.ended - self.begun:.1f} s"}
