"""Attaching a program to what a source names."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kprof.errors import UsageError
from kprof.recorders.bpf import uprobes
from kprof.recorders.bpf.libbpf import LibbpfError, perf_event_open
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.sources import Hook, Kprobe, PerfEvent, Places, RawTracepoint, Source, Tracepoint
from kprof.wire import bpf_events as layout
from kprof.wire import perf_abi as abi


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an attachment reaches.

    Attributes:
        number: Of the event within the recording.
        cpus: Where events of perf are opened.
        pids: Processes in whose programs functions are looked at; all processes if there are none.
    """

    number: int
    cpus: Sequence[int]
    pids: Sequence[int]


def attach(loaded: BpfObject, source: Source, hook: Hook, reach: Reach) -> int:
    """Attach the program of a source; return how many of its places in programs could hold no breakpoint.

    Raises:
        UsageError: There is not what it is attached to.
        LibbpfError: The kernel refuses the attachment.
        OSError: The kernel refuses the event.
    """
    if isinstance(hook, Places):
        program = hook.program or source.programs[0]
        return uprobes.attach(loaded, program, hook, reach.number, reach.pids)
    (program,) = source.programs
    if isinstance(hook, Kprobe):
        loaded.attach_to_kernel_function(program, hook)
        return 0
    if isinstance(hook, RawTracepoint):
        _attach_to_raw_tracepoint(loaded, program, hook.name)
        return 0
    for cpu in reach.cpus if isinstance(hook, PerfEvent) else reach.cpus[:1]:
        event = perf_event_open(_attr(source, hook), cpu=cpu)
        try:
            loaded.attach_to_event(program, event, reach.number)
        except LibbpfError:
            os.close(event)
            raise
    return 0


def _attach_to_raw_tracepoint(loaded: BpfObject, program: str, name: str) -> None:
    try:
        loaded.attach_to_raw_tracepoint(program, name)
    except LibbpfError as error:
        if error.number != errno.ENOENT:
            raise
        raise UsageError(
            f"there is no raw tracepoint {name}", f"`kprof events raw_tp:{name[:4]}` lists those like it"
        ) from None


def _attr(source: Source, hook: PerfEvent | Tracepoint) -> np.ndarray[Any, Any]:
    attr = np.zeros(1, abi.ATTR)
    attr["size"] = abi.ATTR.itemsize
    if isinstance(hook, Tracepoint):
        attr["type"], attr["config"], attr["period"] = abi.TYPE_TRACEPOINT, hook.number, 1
        return attr
    attr["type"], attr["config"], attr["period"] = hook.kind, hook.config, hook.period or hook.frequency
    flags = abi.EXCLUDE_IDLE | (0 if hook.period else abi.FREQ)
    if not source.sides & layout.USER:
        flags |= abi.EXCLUDE_USER
    if not source.sides & layout.KERNEL:
        flags |= abi.EXCLUDE_KERNEL | abi.EXCLUDE_HV
    attr["flags"] = flags
    return attr
