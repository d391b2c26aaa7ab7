"""One recording with BPF programs, from start to a whole file."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np

from kprof.errors import KprofError, NotAvailableError
from kprof.recorders.bpf import failure, libbpf
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.engine import Engine
from kprof.recorders.bpf.pace import Pace
from kprof.recorders.bpf.plan import Plan, plan
from kprof.recorders.bpf.relatives import Relatives
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.recorders.bpf.sources import RawTracepoint
from kprof.recorders.bpf.space import SpaceLog
from kprof.recorders.bpf.waiting import Waiting
from kprof.recorders.gate import Gate
from kprof.recorders.request import Recording, RecordRequest
from kprof.recorders.signals import StopSignals
from kprof.system import host, permissions
from kprof.system.cgroups import unified_directory
from kprof.system.cpus import chosen_cpus
from kprof.system.kallsyms import ranges_of
from kprof.system.procfs import own_pid_is_global, process_of, start_of
from kprof.wire import bpf_events as layout

Progress = Callable[[float, int], None]
# Ends and signals wake us; the end of a thread does not.
_TICK = 1.0
_ROWS_APART = 1 << 16
_OUR_WAY = rb"bpf_trace_run\d+|__bpf_trace_\w+|__traceiter_\w+|bpf_trampoline_\w+\t\[bpf\]"
_ALL_BITS = (1 << 64) - 1


def record(
    request: RecordRequest,
    folder: str,
    *,
    note: Callable[[str], None] = lambda _text: None,
    progress: Progress = lambda _elapsed, _size: None,
) -> Recording:
    """Record; see `kprof.recorders.backend.Recorder`."""
    request.check()
    allowed = permissions.current()
    failure.check_permissions(allowed)
    if not own_pid_is_global():
        raise NotAvailableError(
            "kprof runs in a pid namespace, where process ids are not those that BPF programs see",
            "run it on the host, or start the container with --pid=host",
        )
    planned = plan(request, hardware=host.has_hardware_counters(), fastest=host.fastest_sampling())
    for text in planned.notes:
        note(text)
    try:
        with StopSignals() as signals, _Session(request, planned, folder) as session:
            session.start()
            for text in session.engine.notes:
                note(text)
            session.follow(signals, progress)
            for text in session.finish():
                note(text)
            # The command ends last: what it does at its end is not waited for.
            status = session.end_command(signals)
            return Recording(
                session.path, session.facts(), planned.sources[0].name, status, bool(signals.count)
            )
    except libbpf.LibbpfError as error:
        raise failure.translate(error, allowed) from None
    except OSError as error:
        raise NotAvailableError(
            f"the kernel refuses an event: {error.strerror}", "`dmesg` may say why"
        ) from None


class _Session:
    """The engine, the log of address spaces, the command if there is one, and the file."""

    def __init__(self, request: RecordRequest, planned: Plan, folder: str) -> None:
        self.request, self.plan, self.folder = request, planned, folder
        self.path = str(Path(folder, "recording.kprof"))
        self.cpus = chosen_cpus(request.cpus)
        self.gate: Gate | None = None
        self.build_ids = BuildIds()
        self.begun = self.ended = time.monotonic()
        self.begun_at = datetime.now().astimezone()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Load, attach, and let the command go."""
        request = self.request
        if request.command:
            out = sys.stderr.buffer if request.stdout_is_taken else None
            self.gate = Gate(self.folder, request.command, out)
            self._stack.callback(self.gate.close)
        pids = [self.gate.pid] if self.gate else list(request.pids)
        self.relatives = Relatives(pids or filter(None, map(process_of, request.tids)))
        self.targets = {task: start_of(task) for task in (*request.pids, *request.tids)}
        # The log comes first: it also names the programs that are loaded next.
        self.space = self._stack.enter_context(SpaceLog(chosen_cpus("")))
        self.engine = self._stack.enter_context(
            Engine(_settings(request, self.plan, self.cpus), self.plan.sources, self.cpus, self._rate())
        )
        self.engine.load()
        self.dump = self._stack.enter_context(DumpWriter(self.path, self._meta()))
        self._snapshot(pids)
        for task in pids or request.tids:
            self.engine.targets.put(task, 1)
        if request.cgroup:
            self._limit_to_cgroup(request.cgroup)
        if request.hold:
            request.hold()
        self.engine.attach(request.pids)
        if any(source.target for source in self.plan.sources):
            # Their way to the program exists since they are attached.
            self.dump.meta(self._meta())
        self.begun = time.monotonic()
        if self.gate:
            self.gate.open()

    def _rate(self) -> int:
        """Return about how many rows a second may come at most, where samples have a rate."""
        rate = max(source.frequency for source in self.plan.sources) * len(self.cpus)
        # With time stamps, hardly any two occurrences share a row.
        return max(rate, _ROWS_APART) if self.request.timestamps else rate

    def _snapshot(self, pids: list[int]) -> None:
        """Keep what is mapped already, of the targets or of everybody."""
        shot = Snapshot(time.monotonic_ns(), self.build_ids)
        if self.request.is_cpu_wide:
            self.dump.space(shot.everything())
        else:
            self.dump.space(shot.of(pids or self.request.tids))

    def _limit_to_cgroup(self, name: str) -> None:
        directory = os.open(unified_directory(name), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.engine.cgroups.put(0, directory)
        finally:
            os.close(directory)

    def follow(self, signals: StopSignals, progress: Progress) -> None:
        """Move what is counted to the file until the time, target or command ends, or a signal comes."""
        known = all(source.frequency for source in self.plan.sources)
        pace = Pace(self.engine.room, self._rate() if known else 0, self.begun)
        pids = [self.gate.pid] if self.gate else self.request.pids
        with Waiting(self.space.descriptors, pids) as waiting:
            while not signals.count and not self._is_over():
                waiting.wait(min(_TICK, self._left(), pace.left(time.monotonic())))
                self._log()
                now = time.monotonic()
                if pace.left(now) <= 0:
                    rows = self.engine.drain(self.dump)
                    self.dump.tallies(self.engine.tallies())
                    pace.moved(rows, now)
                progress(now - self.begun, self.dump.size)

    def _log(self) -> None:
        """Write what happened to address spaces since the last time."""
        self.dump.space(self.build_ids.add_to(self.relatives.pick(self.space.read())))

    def _left(self) -> float:
        """Return how many seconds are left."""
        if self.request.duration is None:
            return _TICK
        return self.request.duration - (time.monotonic() - self.begun)

    def _is_over(self) -> bool:
        if self._left() <= 0:
            return True
        if self.gate and self.gate.has_ended():
            return True
        return bool(self.targets) and not any(start_of(task) == start for task, start in self.targets.items())

    def finish(self) -> list[str]:
        """Stop, and write the rest; return what a user must be told.

        Raises:
            KprofError: What was counted is not what was seen.
        """
        self.engine.detach()
        ended_ns, self.ended = time.monotonic_ns(), time.monotonic()
        # Twice: what one finds may be explained by what the next one finds.
        self._log()
        self._log()
        self.engine.finish(self.dump, ended_ns)
        tallies = self.engine.tallies()
        self.dump.tallies(tallies)
        self.dump.end()
        for event in tallies["events"]:
            if event["seen"] != event["counted"] + event["no_room"] + event["nested"]:
                raise KprofError(f"the accounting of {event['event']} does not add up: {event}")
        untracked = tallies["untracked"]
        return [f"{untracked:,} children are not recorded: too many processes at once"] if untracked else []

    def end_command(self, signals: StopSignals) -> int | None:
        """End the command if it still runs; return its status, None if there is none."""
        return self.gate.finish(signals, by_itself=self.gate.has_ended()) if self.gate else None

    def _meta(self) -> dict[str, Any]:
        events = [{"name": source.name, "unit": source.unit} for source in self.plan.sources]
        # Functions between a tracepoint and a program on it: what is above them is not the kernel's work.
        direct = all(s.hooks and not isinstance(s.hooks[0], RawTracepoint) for s in self.plan.sources)
        hidden = [] if direct else ranges_of(_OUR_WAY)
        return {
            "events": events,
            "clock": "CLOCK_MONOTONIC",
            "arch": os.uname().machine,
            "hidden": hidden,
            "timestamps": self.request.timestamps,
            "facts": self._known(),
        }

    def _known(self) -> dict[str, str]:
        return {
            "target": self.request.title,
            "recorder": f"bpf (libbpf {libbpf.version()})",
            "call graph": "fp",
            **self.plan.facts,
            **host.facts(),
            "kernel memory": f"{self.engine.memory / 1e6:.0f} MB for {self.engine.room:,} rows and stacks",
            "started": self.begun_at.isoformat(timespec="seconds"),
        }

    def facts(self) -> dict[str, str]:
        """Return what a report's head says of the recording."""
        return {**self._known(), "duration": f"{self.ended - self.begun:.1f} s"}


def _settings(request: RecordRequest, planned: Plan, cpus: tuple[int, ...]) -> np.ndarray[Any, Any]:
    settings = np.zeros(1, layout.SETTINGS)
    settings["self"] = os.getpid()
    if request.pids or request.command:
        settings["targets"] = layout.PROCESSES
    elif request.tids:
        settings["targets"] = layout.THREADS
    settings["in_cgroup"] = bool(request.cgroup)
    settings["timestamps"] = request.timestamps
    settings["on_cpus"] = bool(request.cpus)
    for cpu in cpus:
        settings["cpus"][0, cpu // 64] |= np.uint64(1 << cpu % 64)
    if request.comm:
        name = request.comm.encode()[:15]
        settings["comm"], settings["comm_length"] = name, len(name) + 1
    for number, source in enumerate(planned.sources):
        settings["events"]["sides"][0, number] = source.sides
        settings["events"]["weight"][0, number] = source.weight or 0
    settings["events"]["least"] = request.least
    settings["events"]["most"] = _ALL_BITS if request.most is None else request.most
    return settings
