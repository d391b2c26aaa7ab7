"""Events that are made of several programs: each begins and ends an interval, or weighs what happens."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf.binaries import allocators
from kprof.recorders.bpf.functions import named_places
from kprof.recorders.bpf.sources import Place, Places, Source
from kprof.recorders.request import RecordRequest
from kprof.system.syscalls import syscall_names
from kprof.system.tracefs import has_tracepoint
from kprof.wire import bpf_events as layout

LIVE = "live"
_STATES = {
    layout.SLEEPS: "[S: sleeping]",
    layout.WAITS: "[D: uninterruptible]",
    layout.STOPPED: "[T: stopped]",
    layout.TRACED: "[t: traced]",
    layout.PARKED: "[P: parked]",
    layout.IDLE: "[I: idle]",
}
# By the flags of contention_begin: LCB_F_ of include/trace/events/lock.h.
_LOCKS = {
    1: "[spinlock]",
    2: "[rwsem: read]",
    3: "[rwlock: read]",
    4: "[rwsem: write]",
    5: "[rwlock: write]",
    8: "[rtmutex]",
    18: "[percpu-rwsem: read]",
    20: "[percpu-rwsem: write]",
    32: "[mutex]",
    33: "[mutex]",
}
_WEIGHTS = {"ns": layout.WEIGH_TIME, "bytes": layout.WEIGH_BYTES, "count": layout.WEIGH_ONE}
_UNITS = {layout.WEIGH_TIME: "ns", layout.WEIGH_BYTES: "bytes", layout.WEIGH_ONE: "events"}
# Allocating functions, and which of their arguments tell the size. realloc(NULL, n) calls malloc by itself.
_ALLOCATING = {
    "malloc": layout.FIRST,
    "calloc": layout.FIRST_TIMES_SECOND,
    "realloc": layout.SECOND_IF_FIRST,
    "aligned_alloc": layout.SECOND,
    "memalign": layout.SECOND,
    "posix_memalign": layout.THIRD,
    "valloc": layout.FIRST,
    "pvalloc": layout.FIRST,
}
_FREEING = {"free": layout.ONE}


def _interval(name: str, programs: Sequence[str], sides: int = layout.USER | layout.KERNEL) -> Source:
    return Source(name, "ns", name.replace("-", "_"), programs, (), sides, layout.WEIGH_TIME)


def _off_cpu(request: RecordRequest) -> Source:
    programs = ("off_cpu", "waker") if request.waker else ("off_cpu",)
    return replace(_interval("off-cpu", programs), details=_STATES, is_by_others=request.waker)


def _wakeup(_request: RecordRequest) -> Source:
    return replace(_interval("wakeup", ("blocks", "wakes")), counts_open=False, is_by_others=True)


def _block_io(_request: RecordRequest) -> Source:
    if has_tracepoint("block:block_io_start"):
        return _interval("block-io", ("io_start", "io_done"))
    return _interval("block-io", ("rq_issue", "rq_complete"))


def _syscall(_request: RecordRequest) -> Source:
    # The kernel's part is its entry, the same for all.
    names = {number: f"sys_{name}" for number, name in syscall_names(os.uname().machine).items()}
    details = {**names, layout.COMPAT: "[system call of a 32-bit program]"}
    return replace(_interval("syscall", ("sys_enter", "sys_exit"), layout.USER), details=details)


def _lock(_request: RecordRequest) -> Source:
    if not has_tracepoint("lock:contention_begin"):
        raise NotAvailableError("this kernel does not tell of contended locks", "it needs Linux 5.19")
    return replace(_interval("lock", ("contention_begin", "contention_end")), details=_LOCKS)


def _tcp(_request: RecordRequest) -> Source:
    if not has_tracepoint("sock:sock_send_length"):
        raise NotAvailableError("this kernel does not tell what sockets send", "it needs Linux 6.3")
    return Source("tcp", "bytes", "tcp", ("sends", "receives"))


def _malloc(request: RecordRequest) -> Source:
    if request.live:
        return _live(request)
    hooks = [Places(path, named_places(path, _ALLOCATING)) for path in allocators(request)]
    return Source("malloc", "bytes", "sample", ("function",), hooks, layout.USER)


def _live(request: RecordRequest) -> Source:
    hooks: list[Places] = []
    for path in allocators(request):
        allocating = named_places(path, _ALLOCATING)
        hooks += [
            Places(path, named_places(path, _FREEING), program="frees"),
            Places(path, allocating, returns=True, program="allocated"),
            Places(path, allocating, program="allocates"),
        ]
    programs = ("allocates", "allocated", "frees")
    hooks = [hook for hook in hooks if hook.places]
    return Source("malloc-live", "bytes", LIVE, programs, hooks, layout.USER)


_BUILDERS: dict[str, Callable[[RecordRequest], Source]] = {
    "off-cpu": _off_cpu,
    "wakeup": _wakeup,
    "block-io": _block_io,
    "malloc": _malloc,
    "lock": _lock,
    "syscall": _syscall,
    "tcp": _tcp,
}
# Those whose intervals move bytes.
_WITH_BYTES = frozenset({"block-io"})
RECIPES = tuple(_BUILDERS)


def recipe(name: str, sides: int, request: RecordRequest) -> Source:
    """Return the source of a recipe, with the weight and the sides of the stack that are asked for.

    Raises:
        UsageError: It has no such weight.
        NotAvailableError: This kernel, or the target, lacks what it needs.
    """
    source = _BUILDERS[name](request)
    source = replace(source, sides=sides & source.sides)
    if not source.sides:
        raise NotAvailableError(f"{name} has no stacks of that side", f"leave the modifier of {name} out")
    if not request.weight or request.weight == source.unit:
        return source
    weight = _WEIGHTS[request.weight]
    if source.file == LIVE and weight == layout.WEIGH_ONE:
        return replace(source, unit="events")
    if name == "malloc" and weight == layout.WEIGH_ONE:
        calls = [
            replace(hook, places=[Place(place.name, place.offset) for place in hook.places])
            for hook in source.hooks
            if isinstance(hook, Places)
        ]
        return replace(source, hooks=calls, unit="events")
    if source.weight is None or (weight == layout.WEIGH_BYTES and name not in _WITH_BYTES):
        raise UsageError(f"{name} cannot be weighed by {request.weight}", f"it is weighed by {source.unit}")
    return replace(source, weight=weight, unit=_UNITS[weight])
