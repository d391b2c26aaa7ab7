"""Whether perf can record an event here: it does so for the length of a command that ends at once."""

import tempfile
from pathlib import Path

from kprof.recorders.perf.session import record
from kprof.recorders.request import RecordRequest

_SPIN = ("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
_RATE = 997


def attempt(event: str = "") -> int:
    """Record an event of a command that computes for some milliseconds.

    Args:
        event: As `-e` takes it; the default one if empty.

    Returns:
        The bytes of the recording.

    Raises:
        KprofError: perf cannot.
    """
    request = RecordRequest(
        command=_SPIN, events=(event,) if event else (), frequency=None if event else _RATE
    )
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        return Path(record(request, folder).path).stat().st_size
