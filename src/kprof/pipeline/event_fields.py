"""A recording -> the fields of one of its tracepoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kprof.pipeline.inputs import open_source

if TYPE_CHECKING:
    from kprof.readers.perf_data import EventFields


def read_fields(name: str, event: str | None = None) -> EventFields:
    """Read the fields that a tracepoint gives with each of its samples.

    Args:
        name: File name of a perf.data; `-` is standard input.
        event: Name of a tracepoint, such as `sched:sched_switch`. May be None if only one has samples.

    Raises:
        FormatError: It is no perf.data, damaged, or lacks the format of the tracepoint.
        UsageError: It cannot be read, holds no such tracepoint, or several and none is named.
    """
    from kprof.readers import perf_data  # noqa: PLC0415 - no command needs this

    with open_source(name) as source:
        return perf_data.read_fields(source, event)
