"""One trace, from start to end: what happens is handed on as it happens."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Protocol, Self

from kprof.errors import NotAvailableError
from kprof.recorders.bpf import failure, libbpf
from kprof.recorders.bpf.waiting import Waiting
from kprof.recorders.gate import Gate
from kprof.recorders.request import RecordRequest
from kprof.recorders.signals import StopSignals
from kprof.recorders.trace.decode import Row
from kprof.recorders.trace.request import Traced, TraceRequest
from kprof.system import permissions
from kprof.system.procfs import own_pid_is_global, start_of

# Ends, signals and events wake us; the end of a thread does not.
_TICK = 0.25
# What comes in a burst is handed on together.
_SETTLE = 0.02
Sink = Callable[[Row], None]


class Engine(Protocol):
    """What loads the programs, and gives what they tell."""

    @property
    def descriptors(self) -> Sequence[int]:
        """What is ready when there is something to be read; none if one has to look again and again."""
        ...

    def load(self, tasks: Sequence[int], folder: str) -> None:
        """Load the programs for some processes or threads, for all if there are none.

        Args:
            tasks: They.
            folder: A private directory of ours.
        """
        ...

    def attach(self) -> None:
        """Let the programs run."""
        ...

    def rows(self) -> Iterator[Row]:
        """Give what came since the last call."""
        ...

    def detach(self) -> None:
        """Stop: what came before can still be read, and nothing more comes."""
        ...

    def account(self) -> tuple[int, dict[str, int]]:
        """Return how many events the filter left out, and how many were lost, by cause."""
        ...

    def close(self) -> None:
        """Give all back."""
        ...


def trace(
    request: TraceRequest, engine: Engine, sink: Sink, *, flush: Callable[[], None], ready: Callable[[], None]
) -> Traced:
    """Trace until the time, the target or the command ends, or a signal comes.

    Args:
        request: What is asked for.
        engine: What traces.
        sink: Given each event.
        flush: Called when there is nothing more for now.
        ready: Called when all programs are attached.

    Raises:
        TargetError: The target does not exist.
        NotAvailableError: Not permitted, or not available here.
        KprofError: What `sink` raises.
    """
    request.scope.check()
    if not own_pid_is_global():
        raise NotAvailableError(
            "kprof runs in a pid namespace, where process ids are not those that BPF programs see",
            "run it on the host, or start the container with --pid=host",
        )
    try:
        with StopSignals() as signals, _Session(request.scope, engine, sink) as session:
            session.start()
            ready()
            session.follow(signals, flush)
            session.finish()
            flush()
            session.outcome.command_status = session.end_command(signals)
            session.outcome.interrupted = bool(signals.count)
            return session.outcome
    except libbpf.LibbpfError as error:
        raise failure.translate(error, permissions.current()) from None


class _Session:
    """The engine, the command if there is one, and what came."""

    def __init__(self, scope: RecordRequest, engine: Engine, sink: Sink) -> None:
        self._scope, self._engine, self._sink = scope, engine, sink
        self._gate: Gate | None = None
        self._stack = ExitStack()
        self.outcome = Traced()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Load, attach, and let the command go."""
        scope = self._scope
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="kprof-"))
        if scope.command:
            out = sys.stderr.buffer if scope.stdout_is_taken else None
            self._gate = Gate(folder, scope.command, out)
            self._stack.callback(self._gate.close)
        tasks = [self._gate.pid] if self._gate else [*scope.pids, *scope.tids]
        self._targets = {task: start_of(task) for task in (*scope.pids, *scope.tids)}
        self._stack.callback(self._engine.close)
        try:
            self._engine.load(tasks, folder)
            self._engine.attach()
        except OSError as error:
            raise NotAvailableError(
                f"the kernel refuses an event: {error.strerror}", "`dmesg` may say why"
            ) from None
        self._begun = time.monotonic()
        if self._gate:
            self._gate.open()

    def follow(self, signals: StopSignals, flush: Callable[[], None]) -> None:
        """Hand on what happens until the end."""
        pids = [self._gate.pid] if self._gate else self._scope.pids
        descriptors = self._engine.descriptors
        with Waiting(descriptors, pids) as waiting:
            while not signals.count and not self._is_over():
                waiting.wait(min(_TICK if descriptors else _SETTLE, self._left()))
                if self._drain(signals):
                    flush()
                    time.sleep(min(_SETTLE, self._left()))

    def _drain(self, signals: StopSignals) -> int:
        before = self.outcome.rows
        for row in self._engine.rows():
            self.outcome.rows += 1
            self._sink(row)
            # A second signal means it, however much there is to tell.
            if signals.count > 1:
                break
        return self.outcome.rows - before

    def _left(self) -> float:
        """Return how many seconds are left."""
        duration = self._scope.duration
        return _TICK if duration is None else max(duration - (time.monotonic() - self._begun), 0.0)

    def _is_over(self) -> bool:
        if self._scope.duration is not None and not self._left():
            return True
        if self._gate and self._gate.has_ended():
            return True
        return bool(self._targets) and not any(
            start_of(task) == start for task, start in self._targets.items()
        )

    def finish(self) -> None:
        """Stop, hand on the rest, and count what was lost."""
        self._engine.detach()
        for row in self._engine.rows():
            self.outcome.rows += 1
            self._sink(row)
        self.outcome.left_out, self.outcome.lost = self._engine.account()

    def end_command(self, signals: StopSignals) -> int | None:
        """End the command if it still runs; return its status, None if there is none."""
        return self._gate.finish(signals, by_itself=self._gate.has_ended()) if self._gate else None
