"""What the programs are told before they are loaded."""

from typing import Any

import numpy as np

from kprof.recorders.bpf.plan import Plan
from kprof.recorders.bpf.targeting import scope_settings
from kprof.recorders.request import RecordRequest

_ALL_BITS = (1 << 64) - 1


def settings_of(
    request: RecordRequest, planned: Plan, cpus: tuple[int, ...], client: int = 0
) -> np.ndarray[Any, Any]:
    """Return one `bpf_events.SETTINGS`.

    Args:
        request: What is asked for.
        planned: The events.
        cpus: Where they are recorded.
        client: The process that we work for, which is not recorded either.
    """
    settings = scope_settings(request, cpus)
    settings["client"] = client
    settings["timestamps"] = request.timestamps
    settings["copy_bytes"] = request.stack_bytes
    for number, source in enumerate(planned.sources):
        settings["events"]["sides"][0, number] = source.sides
        settings["events"]["weight"][0, number] = source.weight or 0
        settings["events"]["copies"][0, number] = source.copies
    settings["events"]["least"] = request.least
    settings["events"]["most"] = _ALL_BITS if request.most is None else request.most
    return settings
