"""Which recorder records what is asked for."""

from collections.abc import Callable, Sequence
from typing import Protocol

from kprof.recorders.reach import RECORDING_SUFFIX, needs_bpf
from kprof.recorders.request import Recording, RecordRequest


class Recorder(Protocol):
    """A recorder."""

    def __call__(
        self,
        request: RecordRequest,
        folder: str,
        *,
        note: Callable[[str], None],
        progress: Callable[[float, int], None] | None,
    ) -> Recording:
        """Record into a private directory of ours.

        Args:
            request: What to record.
            folder: Where the recording is left.
            note: Told what a user must know, before recording starts.
            progress: Called now and then, once a second or more, with seconds and bytes recorded so far;
                None if nobody looks, which is cheaper.

        Raises:
            TargetError: The target does not exist.
            NotAvailableError: Not permitted, or not available here.
            AbortedError: A second signal came; the message says where the raw data lies.
        """
        ...


def choose_backend(wanted: str, events: Sequence[str], output: str = "") -> str:
    """Return `perf` or `bpf`.

    Args:
        wanted: One of these, or `auto`: perf, unless an event or the output needs bpf.
        events: What is to be recorded, as given.
        output: Name of the output.
    """
    if wanted != "auto":
        return wanted
    if output.endswith(RECORDING_SUFFIX):
        return "bpf"
    return "bpf" if any(needs_bpf(event) for item in events for event in item.split(",")) else "perf"


def find_recorder(backend: str) -> Recorder:
    """Return what records with a backend."""
    if backend == "perf":
        from kprof.recorders.perf import record  # noqa: PLC0415 - only one of them is needed

        return record
    from kprof.recorders.bpf import record as record_bpf  # noqa: PLC0415 - needs numpy and libbpf

    return record_bpf
