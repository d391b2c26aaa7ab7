"""Whether an event can be counted here: its programs are loaded and attached, and taken away at once."""

import numpy as np

from kprof.errors import NotAvailableError
from kprof.recorders.bpf import failure
from kprof.recorders.bpf.engine import Engine
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.plan import plan
from kprof.recorders.request import RecordRequest
from kprof.system import host, permissions
from kprof.system.cpus import chosen_cpus
from kprof.wire import bpf_events as layout


def attempt(event: str) -> None:
    """Load and attach what counts an event, on one CPU where it is an event of CPUs.

    Raises:
        UsageError: There is no such event.
        NotAvailableError: This host does not permit it, or does not have it.
    """
    allowed = permissions.current()
    failure.check_permissions(allowed)
    planned = plan(
        RecordRequest(all_cpus=True, events=(event,)),
        hardware=host.has_hardware_counters(),
        fastest=host.fastest_sampling(),
    )
    settings = np.zeros(1, layout.SETTINGS)
    # Nobody is counted: the target is a process that there is not.
    settings["targets"] = layout.PROCESSES
    try:
        with Engine(settings, planned.sources, chosen_cpus("")[:1], 1) as engine:
            engine.load()
            engine.attach(())
    except LibbpfError as error:
        raise failure.translate(error, allowed) from None
    except OSError as error:
        raise NotAvailableError(
            f"the kernel refuses {event}: {error.strerror}", "`dmesg` may say why"
        ) from None
