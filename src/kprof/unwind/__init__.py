"""Copies of stacks -> return addresses."""

from kprof._native._unwind import CfiTable, Maps, unwind
from kprof.unwind.table import table_of

__all__ = ["CfiTable", "Maps", "table_of", "unwind"]
