"""One run of `perf record`, from start to a whole file."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self

from kprof.recorders.gate import Gate, command_output
from kprof.recorders.perf import failure
from kprof.recorders.perf.control import Control
from kprof.recorders.perf.events import EventPlan, plan_events
from kprof.recorders.request import Recording, RecordRequest
from kprof.recorders.signals import AbortedError, StopSignals
from kprof.system import host, permissions
from kprof.system.cgroups import below_root
from kprof.system.process import Child, run
from kprof.system.procfs import last_descendant, start_of
from kprof.system.tools import find_perf

Progress = Callable[[float, int], None]
_TICK = 0.05
_PATIENCE = 30.0
# Left alone, perf writes a quiet target's first samples only after some seconds.
_FLUSH_SECONDS = 1.0
_SMALL_BUFFER = ("-m", "16")


def record(
    request: RecordRequest,
    folder: str,
    *,
    note: Callable[[str], None] = lambda _text: None,
    progress: Progress | None = None,
) -> Recording:
    """Record.

    Args:
        request: What to record.
        folder: A private directory of ours; perf.data is left there.
        note: Told what a user must know, before recording starts.
        progress: Called about ten times a second with seconds and bytes recorded so far, if somebody looks.

    Raises:
        TargetError: The target does not exist.
        NotAvailableError: Not permitted, or not available here.
        AbortedError: A second signal came; the message says where the raw data lies.
    """
    request.check()
    perf = find_perf()
    allowed = permissions.current(perf=perf)
    plan = plan_events(request, allowed, hardware=_has_cycles(perf))
    for text in plan.notes:
        note(text)
    session = _Session(request, plan, perf, folder)
    with StopSignals() as signals, session:
        if not session.start_somehow():
            if session.is_running:
                raise failure.late(_PATIENCE)
            raise failure.translate(session.message(), allowed, cpu_wide=request.is_cpu_wide)
        for text in failure.warnings(session.message()):
            note(text)
        session.follow(signals, progress)
        status = session.finish(signals)
        message = session.message()
    # perf dies of the signal that stopped it, after its file is whole.
    if session.exit_code not in {0, -signal.SIGINT, -signal.SIGTERM} or failure.is_incomplete(message):
        raise failure.translate(message, allowed, cpu_wide=request.is_cpu_wide)
    return Recording(session.data, session.facts(), plan.first, status, bool(signals.count))


def _has_cycles(perf: str) -> bool:
    """Say whether hardware cycles can be counted: a PMU that is listed may still not have them."""
    if not host.has_hardware_counters():
        return False
    return "<not supported>" not in run([perf, "stat", "-e", "cycles:u", "--", "true"]).err


def _call_graph(request: RecordRequest) -> str:
    """Return it as perf takes it, which has one way for all processes."""
    if request.call_graph == "dwarf":
        return f"dwarf,{request.stack_bytes}"
    return "fp" if request.call_graph == "auto" else request.call_graph


class _Session:
    """perf, the command if there is one, and the files between them."""

    def __init__(self, request: RecordRequest, plan: EventPlan, perf: str, folder: str) -> None:
        self.request, self.plan, self.program = request, plan, perf
        self.data = str(Path(folder, "perf.data"))
        # Made by us, so that it stays ours if perf runs as root.
        Path(self.data).touch(0o600)
        self.control = Control(folder)
        self.gate = Gate(folder, request.command, command_output(request)) if request.command else None
        # A number that is used again is another task: keep what tells them apart.
        self.targets = {task: start_of(task) for task in (*request.pids, *request.tids)}
        # The waiting shell's maps must not be read: perf would keep them after the command's exec.
        self.synthesis: Sequence[str] = ("--synth", "task") if self.gate or request.waits else ()
        self.perf: Child | None = None
        # In memory, for a full disk is among the things that perf complains of.
        self.errors = os.fdopen(os.memfd_create("kprof-perf-errors"), "a+b")
        self.begun = time.monotonic()
        self.begun_at = datetime.now().astimezone()
        self.ended: float | None = None
        self.started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.perf and self.perf.poll() is None:
            self.perf.terminate()
        if self.gate:
            self.gate.close()
        self.control.close()
        self.errors.close()

    def arguments(self, extra: Sequence[str] = ()) -> list[str]:
        """Return perf's command line."""
        request = self.request
        line = [*request.elevate, self.program, "record", "-o", self.data, *self.plan.arguments, *extra]
        line += [
            "--call-graph",
            _call_graph(request),
            "--sample-cpu",
            "--period",
            "--no-buildid-cache",
            *self.synthesis,
        ]
        line += [*self.control.arguments, *(("-D", "-1") if request.hold else ())]
        if self.gate:
            return [*line, "-p", str(self.gate.pid)]
        if request.pids or request.tids:
            return [*line, "-p" if request.pids else "-t", ",".join(map(str, request.pids or request.tids))]
        line += ["-C", request.cpus] if request.cpus else ["-a"]
        # perf wants one -G for every -e that stands before it.
        events = self.plan.arguments.count("-e")
        return [*line, *(["-G", ",".join([below_root(request.cgroup)] * events)] if request.cgroup else [])]

    def start_somehow(self) -> bool:
        """Start perf, with less where it is too old or is refused something; say whether it samples."""
        if self.start():
            return True
        if failure.is_unknown_option(self.message(), "synth"):
            self.synthesis = ()
            if self.start():
                return True
        return failure.is_memory_lock(self.message()) and self.start(_SMALL_BUFFER)

    def start(self, extra: Sequence[str] = ()) -> bool:
        """Start perf, wait until it samples, and let the command go."""
        self.errors.truncate(0)
        # sudo takes over a terminal that it may read: Ctrl-C would reach neither us nor the command.
        self.perf = Child(self.arguments(extra), out=self.errors, err=self.errors, no_input=True)
        deadline = time.monotonic() + _PATIENCE
        if self.request.hold and self._is_held(deadline):
            self.request.hold()
            deadline = time.monotonic() + _PATIENCE
        while self.perf.poll() is None and time.monotonic() < deadline:
            if self.control.answers(_TICK):
                self.started = True
                break
        self.begun = time.monotonic()
        if self.started and self.gate:
            self.gate.open()
        # A target that ends at once may take perf with it before it answers.
        self.started = self.started or (self.perf.poll() == 0 and Path(self.data).stat().st_size > 0)
        return self.started

    def _is_held(self, deadline: float) -> bool:
        """Wait until perf is ready to sample, which it does not do yet."""
        assert self.perf is not None  # noqa: S101 - start() comes first
        while self.perf.poll() is None and time.monotonic() < deadline:
            if self.control.holds(_TICK):
                return True
        return False

    def follow(self, signals: StopSignals, progress: Progress | None) -> None:
        """Wait for the end of the time, the target, the command or a signal."""
        assert self.perf is not None  # noqa: S101 - start() comes first
        flushed = 0.0
        while self.perf.wait(_TICK) is None and not signals.count:
            elapsed = time.monotonic() - self.begun
            if elapsed >= flushed + _FLUSH_SECONDS:
                flushed = elapsed
                self.control.flush()
            if progress:
                progress(elapsed, self.size())
            if self.request.duration is not None and elapsed >= self.request.duration:
                break
            if self.gate and self.gate.has_ended():
                break
            if self.targets and not any(start_of(task) == start for task, start in self.targets.items()):
                break
        self.ended = time.monotonic()

    def size(self) -> int:
        """Bytes recorded so far."""
        with suppress(OSError):
            return Path(self.data).stat().st_size
        return 0

    def finish(self, signals: StopSignals) -> int | None:
        """Stop perf and wait for its file to be whole; return the command's status.

        Raises:
            AbortedError: Another signal came meanwhile.
        """
        assert self.perf is not None  # noqa: S101 - start() comes first
        before = signals.count
        by_itself = self.perf.poll() is not None and not before
        if not by_itself:
            self.control.stop()
            if not self.request.elevate:
                self.perf.signal(signal.SIGINT)
        while self.perf.wait(_TICK) is None:
            if signals.count > max(before, 1):
                self.abort()
        return self.gate.finish(signals, by_itself=by_itself) if self.gate else None

    def abort(self) -> None:
        """Give up at once."""
        assert self.perf is not None  # noqa: S101 - start() comes first
        if self.request.elevate:
            run([*self.request.elevate, "kill", "-KILL", str(last_descendant(self.perf.pid))])
        self.perf.signal(signal.SIGKILL)
        raise AbortedError(f"aborted; the raw data, perhaps not whole, is in {self.data}")

    @property
    def exit_code(self) -> int:
        """Exit code of perf; negative for the signal that killed it."""
        return (self.perf.poll() if self.perf else None) or 0

    @property
    def is_running(self) -> bool:
        """Whether perf has not ended."""
        return self.perf is not None and self.perf.poll() is None

    def message(self) -> str:
        """What perf wrote so far."""
        # Read in place: perf shares the file's position.
        descriptor = self.errors.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def facts(self) -> dict[str, str]:
        """Return what a report's head says of the recording."""
        version = run([self.program, "--version"]).out.strip().removeprefix("perf version ")
        ended = self.ended if self.ended is not None else time.monotonic()
        return {
            "target": self.request.title,
            "recorder": f"perf {version}",
            "call graph": _call_graph(self.request),
            **self.plan.facts,
            **host.facts(),
            "started": self.begun_at.isoformat(timespec="seconds"),
            "duration": f"{ended - self.begun:.1f} s",
        }
