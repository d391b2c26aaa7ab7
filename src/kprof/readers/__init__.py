"""Bytes -> Profile, one format a module. The format is found by content, never by suffix."""

from kprof.readers.options import ReadOptions
from kprof.readers.registry import PERF_DATA, Format, find_format, known_formats
from kprof.readers.source import Source

__all__ = [
    "PERF_DATA",
    "Format",
    "ReadOptions",
    "Source",
    "find_format",
    "known_formats",
]
