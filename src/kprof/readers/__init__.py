"""Bytes -> Profile, one format a module. The format is found by content, never by suffix."""

from kprof.readers.options import ReadOptions
from kprof.readers.registry import Format, find_format, known_formats
from kprof.readers.source import Source

__all__ = ["Format", "ReadOptions", "Source", "find_format", "known_formats"]
