"""Whose events programs look at, as they are told before and after they are loaded."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from kprof.recorders.bpf.loader import BpfMap
from kprof.recorders.request import RecordRequest
from kprof.system.cgroups import unified_directory
from kprof.wire import bpf_events as layout


def scope_settings(request: RecordRequest, cpus: Sequence[int]) -> np.ndarray[Any, Any]:
    """Return one `bpf_events.SETTINGS` that says who is looked at, and nothing else."""
    settings = np.zeros(1, layout.SETTINGS)
    settings["self"] = os.getpid()
    if request.pids or request.command:
        settings["targets"] = layout.PROCESSES
    elif request.tids:
        settings["targets"] = layout.THREADS
    settings["in_cgroup"] = bool(request.cgroup)
    settings["on_cpus"] = bool(request.cpus)
    for cpu in cpus:
        settings["cpus"][0, cpu // 64] |= np.uint64(1 << cpu % 64)
    if request.comm:
        name = request.comm.encode("utf-8", "surrogateescape")[:15]
        settings["comm"], settings["comm_length"] = name, len(name) + 1
    return settings


def fill_scope(request: RecordRequest, tasks: Sequence[int], targets: BpfMap, cgroups: BpfMap) -> None:
    """Say which tasks, and which control group, are looked at.

    Args:
        request: What is asked for.
        tasks: Processes or threads.
        targets: The map of them.
        cgroups: The map of the control group.

    Raises:
        TargetError: The control group is not there.
        LibbpfError: There is no room.
    """
    for task in tasks:
        targets.put(task, 1)
    if request.cgroup:
        directory = os.open(unified_directory(request.cgroup), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            cgroups.put(0, directory)
        finally:
            os.close(directory)
