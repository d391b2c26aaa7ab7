"""One trace, from start to end: what happens is handed on as it happens."""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from kprof.errors import NotAvailableError
from kprof.recorders.bpf import failure, libbpf
from kprof.recorders.bpf.targeting import fill_scope, scope_settings
from kprof.recorders.bpf.waiting import Waiting
from kprof.recorders.gate import Gate
from kprof.recorders.signals import StopSignals
from kprof.recorders.trace.decode import HEAD, Decoder, Row, piece_of
from kprof.recorders.trace.engine import TraceEngine
from kprof.recorders.trace.plan import TracePlan
from kprof.recorders.trace.request import Traced, TraceRequest
from kprof.system import permissions
from kprof.system.cpus import chosen_cpus
from kprof.system.procfs import own_pid_is_global, start_of
from kprof.wire import trace_events as wire

# Ends, signals and events wake us; the end of a thread does not.
_TICK = 0.25
# What comes in a burst is handed on together.
_SETTLE = 0.02
_CAUSES = {
    "no_room": "the buffer was full",
    "nested": "programs interrupted each other too deeply",
    "unpaired": "too many began at once",
    "missed": "the program ran already",
}

Sink = Callable[[Row], None]


def trace(
    request: TraceRequest,
    planned: TracePlan,
    sink: Sink,
    *,
    flush: Callable[[], None],
    ready: Callable[[], None],
) -> Traced:
    """Trace until the time, the target or the command ends, or a signal comes.

    Args:
        request: What is asked for.
        planned: What that is on this host.
        sink: Given each event.
        flush: Called when there is nothing more for now.
        ready: Called when all programs are attached.

    Raises:
        TargetError: The target does not exist.
        NotAvailableError: Not permitted, or not available here.
        KprofError: What `sink` raises.
    """
    request.scope.check()
    allowed = permissions.current()
    failure.check_permissions(allowed)
    if not own_pid_is_global():
        raise NotAvailableError(
            "kprof runs in a pid namespace, where process ids are not those that BPF programs see",
            "run it on the host, or start the container with --pid=host",
        )
    try:
        with StopSignals() as signals, _Session(request, planned, sink) as session:
            session.start()
            ready()
            session.follow(signals, flush)
            session.finish()
            flush()
            session.outcome.command_status = session.end_command(signals)
            session.outcome.interrupted = bool(signals.count)
            return session.outcome
    except libbpf.LibbpfError as error:
        raise failure.translate(error, allowed) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NotAvailableError(
            f"the kernel refuses an event: {error.strerror}", "`dmesg` may say why"
        ) from None


class _Session:
    """The engine, the command if there is one, and what came."""

    def __init__(self, request: TraceRequest, planned: TracePlan, sink: Sink) -> None:
        self._request, self._plan, self._sink = request, planned, sink
        self._gate: Gate | None = None
        self._pieces: dict[int, bytearray] = {}
        self._stack = ExitStack()
        self.outcome = Traced()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Load, attach, and let the command go."""
        scope = self._request.scope
        if scope.command:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="kprof-"))
            out = sys.stderr.buffer if scope.stdout_is_taken else None
            self._gate = Gate(folder, scope.command, out)
            self._stack.callback(self._gate.close)
        pids = [self._gate.pid] if self._gate else list(scope.pids)
        self._targets = {task: start_of(task) for task in (*scope.pids, *scope.tids)}
        settings = scope_settings(scope, chosen_cpus(scope.cpus))
        self._engine = self._stack.enter_context(TraceEngine(settings, self._plan.events))
        self._engine.load()
        fill_scope(scope, pids or list(scope.tids), self._engine.targets, self._engine.cgroups)
        since_epoch = time.time_ns() - time.monotonic_ns()
        self._decoders = [
            Decoder(planned.event, planned.shown, planned.numbers, since_epoch)
            for planned in self._plan.events
        ]
        self._engine.attach(scope.pids)
        self._begun = time.monotonic()
        if self._gate:
            self._gate.open()

    def follow(self, signals: StopSignals, flush: Callable[[], None]) -> None:
        """Hand on what happens until the end."""
        pids = [self._gate.pid] if self._gate else self._request.scope.pids
        with Waiting([self._engine.ring.descriptor], pids) as waiting:
            while not signals.count and not self._is_over():
                waiting.wait(min(_TICK, self._left()))
                if self._drain(signals):
                    flush()
                    time.sleep(min(_SETTLE, self._left()))

    def _drain(self, signals: StopSignals) -> int:
        before = self.outcome.rows
        # A second signal means it, however much there is to tell.
        for record in self._engine.ring.read():
            self._take(record)
            if signals.count > 1:
                break
        return self.outcome.rows - before

    def _take(self, record: bytes) -> None:
        kind, event, number = HEAD.unpack_from(record)
        if kind == wire.RECORD_PIECE:
            self._pieces.setdefault(number, bytearray()).extend(piece_of(record))
            return
        words = bytes(self._pieces.pop(number, b""))
        self.outcome.rows += 1
        self._sink(self._decoders[event].row(record, words))

    def _left(self) -> float:
        """Return how many seconds are left."""
        duration = self._request.scope.duration
        return _TICK if duration is None else max(duration - (time.monotonic() - self._begun), 0.0)

    def _is_over(self) -> bool:
        if self._request.scope.duration is not None and not self._left():
            return True
        if self._gate and self._gate.has_ended():
            return True
        return bool(self._targets) and not any(
            start_of(task) == start for task, start in self._targets.items()
        )

    def finish(self) -> None:
        """Stop, hand on the rest, and count what was lost."""
        self._engine.detach()
        for record in self._engine.ring.read():
            self._take(record)
        lost = dict.fromkeys(_CAUSES, 0)
        for number in range(len(self._plan.events)):
            tally = self._engine.tallies(number)
            self.outcome.left_out += tally["left_out"]
            for cause in ("no_room", "nested", "unpaired"):
                lost[cause] += tally[cause]
            lost["missed"] += self._engine.missed(number)
        self.outcome.lost = {_CAUSES[cause]: count for cause, count in lost.items() if count}

    def end_command(self, signals: StopSignals) -> int | None:
        """End the command if it still runs; return its status, None if there is none."""
        return self._gate.finish(signals, by_itself=self._gate.has_ended()) if self._gate else None
