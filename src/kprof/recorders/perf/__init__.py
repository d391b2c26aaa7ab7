"""The recorder that drives `perf record`."""

from kprof.recorders.perf.request import Recording, RecordRequest
from kprof.recorders.perf.session import AbortedError, record

__all__ = ["AbortedError", "RecordRequest", "Recording", "record"]
