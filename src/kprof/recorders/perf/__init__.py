"""The recorder that drives `perf record`."""

from kprof.recorders.perf.request import Recording, RecordRequest
from kprof.recorders.perf.session import record

__all__ = ["RecordRequest", "Recording", "record"]
