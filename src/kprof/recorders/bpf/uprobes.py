"""Attaching to places in programs: all of a file at once where the kernel can (Linux 6.6), or one by one."""

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from kprof.errors import UsageError
from kprof.recorders.bpf.libbpf import LibbpfError, bpf, load_nothing, pointer
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.sources import Place, Places
from kprof.wire import bpf_events as layout
from kprof.wire import bpf_syscall as abi

# Each takes a file descriptor.
_MOST_ALONE = 500
_EVERYBODY = -1
# A place may hold an instruction that cannot be replaced by a breakpoint, or none at all.
_NO_PLACE = {errno.EINVAL, errno.EOPNOTSUPP, errno.EIO, 524}  # the last is the kernel's own ENOTSUPP


@cache
def many_at_once() -> bool:
    """Say whether the kernel attaches to many places at once, and then tells processes from threads.

    The first kernels that could took the process that they were given for a thread. The file that is given
    here cannot hold a program, so that nothing is attached, and each step fails in its own way.
    """
    try:
        program = load_nothing(abi.PROG_TYPE_KPROBE, abi.TRACE_UPROBE_MULTI)
    except LibbpfError:
        return False
    try:
        return _refusal(program, 0) == errno.EBADF and _refusal(program, _EVERYBODY) == errno.EINVAL
    finally:
        os.close(program)


def _refusal(program: int, pid: int) -> int:
    try:
        os.close(_link(program, Places("/", [Place("", 0)]), pid, 0))
    except LibbpfError as error:
        return error.number
    return 0


def attach(loaded: BpfObject, program: str, hook: Places, number: int, pids: Sequence[int]) -> int:
    """Attach a program to the places of a file; return how many of them could hold no breakpoint.

    Args:
        loaded: The object.
        program: Its program, which was loaded for many places if `many_at_once()`.
        hook: The places.
        number: Of the event within the recording.
        pids: Processes; all if there are none.

    Raises:
        UsageError: There are too many for this kernel.
        LibbpfError: The kernel refuses.
    """
    many = many_at_once()
    if not many and len(hook.places) * max(len(pids), 1) > _MOST_ALONE:
        raise UsageError(
            f"{len(hook.places):,} places in {hook.path} are too many to be attached one by one",
            f"narrow the pattern to {_MOST_ALONE} places; Linux 6.6 attaches all at once",
        )
    refused = 0
    for pid in pids or (_EVERYBODY,):
        each = _attach_many if many else _attach_alone
        refused = max(refused, each(loaded, program, hook, number, pid))
    return refused


def _attach_many(loaded: BpfObject, program: str, hook: Places, number: int, pid: int) -> int:
    try:
        link = _link(loaded.descriptor(program), hook, 0 if pid == _EVERYBODY else pid, number)
        loaded.keep_descriptor(link)
    except LibbpfError as error:
        if error.number not in _NO_PLACE or len(hook.places) == 1:
            if error.number in _NO_PLACE:
                return 1
            raise
        half = len(hook.places) // 2
        parts = (hook.places[:half], hook.places[half:])
        return sum(_attach_many(loaded, program, replace(hook, places=part), number, pid) for part in parts)
    return 0


def _link(program: int, hook: Places, pid: int, number: int) -> int:
    places = hook.places
    offsets = np.array([place.offset for place in places], np.uint64)
    semaphores = np.array([place.semaphore for place in places], np.uint64)
    cookies = np.array([_cookie(place, hook, number) for place in places], np.uint64)
    path = np.frombuffer(hook.path.encode("utf-8", "surrogateescape") + b"\0", np.uint8)
    request = np.zeros(1, abi.LINK_UPROBE_MULTI)
    request["prog_fd"], request["attach_type"] = program, abi.TRACE_UPROBE_MULTI
    request["path"], request["offsets"], request["cookies"] = (
        pointer(path),
        pointer(offsets),
        pointer(cookies),
    )
    request["ref_ctr_offsets"] = pointer(semaphores) if semaphores.any() else 0
    request["cnt"], request["pid"] = len(places), pid % (1 << 32)
    request["uprobe_flags"] = abi.UPROBE_MULTI_RETURN if hook.returns else 0
    return bpf(abi.LINK_CREATE, request, f"attaching to {len(places):,} places in {hook.path}")


def _attach_alone(loaded: BpfObject, program: str, hook: Places, number: int, pid: int) -> int:
    refused = 0
    for place in hook.places:
        try:
            loaded.attach_to_place(program, hook, place, pid, _cookie(place, hook, number))
        except LibbpfError as error:
            if error.number not in _NO_PLACE:
                raise
            refused += 1
    return refused


def _cookie(place: Place, hook: Places, number: int) -> int:
    inside = 0 if place.starts and not hook.returns else layout.COOKIE_INSIDE
    return number | place.weight << layout.COOKIE_SHIFT | inside
