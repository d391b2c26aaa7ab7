"""Recordings of `perf record`, read without perf."""

from kprof.readers.perf_data.read import read, sniff

__all__ = ["read", "sniff"]
