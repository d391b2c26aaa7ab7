"""What the programs are told before they are loaded."""

import os
from typing import Any

import numpy as np

from kprof.recorders.bpf.plan import Plan
from kprof.recorders.request import RecordRequest
from kprof.wire import bpf_events as layout

_ALL_BITS = (1 << 64) - 1


def settings_of(request: RecordRequest, planned: Plan, cpus: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return one `bpf_events.SETTINGS`.

    Args:
        request: What is asked for.
        planned: The events.
        cpus: Where they are recorded.
    """
    settings = np.zeros(1, layout.SETTINGS)
    settings["self"] = os.getpid()
    if request.pids or request.command:
        settings["targets"] = layout.PROCESSES
    elif request.tids:
        settings["targets"] = layout.THREADS
    settings["in_cgroup"] = bool(request.cgroup)
    settings["timestamps"] = request.timestamps
    settings["copy_bytes"] = request.stack_bytes
    settings["on_cpus"] = bool(request.cpus)
    for cpu in cpus:
        settings["cpus"][0, cpu // 64] |= np.uint64(1 << cpu % 64)
    if request.comm:
        name = request.comm.encode()[:15]
        settings["comm"], settings["comm_length"] = name, len(name) + 1
    for number, source in enumerate(planned.sources):
        settings["events"]["sides"][0, number] = source.sides
        settings["events"]["weight"][0, number] = source.weight or 0
        settings["events"]["copies"][0, number] = source.copies
    settings["events"]["least"] = request.least
    settings["events"]["most"] = _ALL_BITS if request.most is None else request.most
    return settings
