"""The recorder that drives `perf record`."""

from kprof.recorders.perf.session import record

__all__ = ["record"]
