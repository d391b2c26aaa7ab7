"""Whether an event can be counted here: its programs are loaded and attached, and taken away at once."""

import os
import tempfile

from kprof.errors import NotAvailableError
from kprof.recorders.bpf import failure
from kprof.recorders.bpf.engines import choose, open_engine
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.scope import Job, Scope
from kprof.recorders.request import RecordRequest
from kprof.system import permissions
from kprof.system.cpus import chosen_cpus
from kprof.wire import bpf_events as layout


def attempt(event: str, engine: str = "libbpf") -> None:
    """Load and attach what counts an event, on one CPU where it is an event of CPUs.

    Args:
        event: The event, as `-e` takes it.
        engine: `libbpf`, `bpftrace` or `bcc`.

    Raises:
        UsageError: There is no such event.
        NotAvailableError: This host does not permit it, or does not have it, or not with this engine.
    """
    allowed = permissions.current()
    failure.check_permissions(allowed)
    request = RecordRequest(all_cpus=True, events=(event,), engine=engine)
    choice = choose(request)
    # Nobody is counted: the target is a process that there is not.
    scope = Scope(layout.PROCESSES, itself=os.getpid())
    try:
        with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
            job = Job(request, choice.planned, scope, folder, chosen_cpus("")[:1])
            with open_engine(choice, job) as opened:
                opened.load()
                opened.attach()
    except LibbpfError as error:
        raise failure.translate(error, allowed) from None
    except OSError as error:
        raise NotAvailableError(
            f"the kernel refuses {event}: {error.strerror}", "`dmesg` may say why"
        ) from None
