"""Recorders leave a file; readers interpret it."""

from kprof.recorders.backend import choose_backend, find_recorder
from kprof.recorders.request import Recording, RecordRequest
from kprof.recorders.signals import AbortedError

__all__ = ["AbortedError", "RecordRequest", "Recording", "choose_backend", "find_recorder"]
