"""Addresses -> functions."""

from kprof.symbols.options import SymbolOptions
from kprof.symbols.symbolise import symbolise

__all__ = ["SymbolOptions", "symbolise"]
