"""Recordings of `perf record`, read without perf."""

from typing import TYPE_CHECKING, Any

from kprof.readers.perf_data.read import read, sniff

if TYPE_CHECKING:
    from kprof.readers.perf_data.fields import EventFields, read_fields

__all__ = ["EventFields", "read", "read_fields", "sniff"]


def __getattr__(name: str) -> Any:
    if name in {"EventFields", "read_fields"}:
        # No command needs them: none should wait for them.
        from kprof.readers.perf_data import fields  # noqa: PLC0415

        return getattr(fields, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
