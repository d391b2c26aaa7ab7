"""Recordings of this host, for Python and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kprof import pipeline
from kprof.api.views import Numbers, ProfileView, several
from kprof.errors import UsageError
from kprof.readers import ReadOptions
from kprof.recorders import RecordRequest, choose_backend

_BACKENDS = ("auto", "perf", "bpf")
_TARGETS = "pid=, tid=, command=, all_cpus=True, cpus= or cgroup="


def record(
    *,
    pid: Numbers = (),
    tid: Numbers = (),
    command: Sequence[str] = (),
    all_cpus: bool = False,
    cpus: str = "",
    cgroup: str = "",
    duration: float | None = None,
    backend: str = "auto",
    event: str | Sequence[str] = (),
    frequency: int | None = None,
    call_graph: str = "fp",
    names: str = "plain",
    progress: Callable[[float, int], None] | None = None,
) -> ProfileView:
    """Record stacks, as `kprof record` does. Exactly one kind of target is given.

    An interrupt (Ctrl-C, or the stop button of a notebook) ends the recording and keeps what was recorded.
    Where there is no duration, the end of the target does, too.

    Args:
        pid: Processes, with all their threads and future children.
        tid: Threads.
        command: Program and arguments to start.
        all_cpus: The whole host.
        cpus: CPUs, as in `0,2-3`.
        cgroup: A control group, as in `system.slice`.
        duration: Seconds.
        backend: `perf`, `bpf` or `auto`: perf, unless an event needs bpf.
        event: Any event of the backend, or several, which are kept apart.
        frequency: Samples a second and CPU; None for 997 of a process and 99 of CPUs.
        call_graph: How perf finds callers: `fp`, `dwarf` or `lbr`.
        names: As of `kprof.read`.
        progress: Called now and then, once a second or more, with seconds and bytes recorded so far.

    Raises:
        UsageError: The request makes no sense.
        TargetError: The target does not exist.
        NotAvailableError: Not permitted, or not available here; the note below it says what mends it.
        EmptyProfileError: The target was not seen at all.
    """
    events = (event,) if isinstance(event, str) else tuple(event)
    request = RecordRequest(
        several(pid), several(tid), all_cpus, cpus, cgroup, tuple(command),
        frequency=frequency, duration=duration, events=[name for name in events if name],
        call_graph=call_graph, timestamps=choose(backend, events) == "bpf",
    )  # fmt: skip
    if not (request.pids or request.tids or request.is_cpu_wide or request.command):
        raise UsageError("nothing to record", f"give {_TARGETS}")
    choice = pipeline.Choice(ReadOptions(names=names, every_sample=True), every_event=True)
    profile = pipeline.record(request, choose(backend, events), choice, progress=progress)
    return ProfileView(profile, request.title)


def choose(backend: str, events: Sequence[str] = ()) -> str:
    """Return `perf` or `bpf`.

    Raises:
        UsageError: There is no such backend.
    """
    if backend not in _BACKENDS:
        raise UsageError(f"there is no backend {backend}", f"choose one of {', '.join(_BACKENDS)}")
    return choose_backend(backend, events)
