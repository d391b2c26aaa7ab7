"""Recordings of `perf record`, read without perf."""

from kprof.readers.perf_data.read import StackDumpsError, read, sniff

__all__ = ["StackDumpsError", "read", "sniff"]
