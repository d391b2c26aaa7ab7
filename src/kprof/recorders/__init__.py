"""Recorders leave a file; readers interpret it."""
