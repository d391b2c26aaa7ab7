"""Profile -> bytes, one format a module."""
