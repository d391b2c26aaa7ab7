"""The order of things: inputs -> one profile -> an output."""

from kprof.pipeline.archives import archive
from kprof.pipeline.event_fields import read_fields
from kprof.pipeline.inputs import Choice, Progress, read
from kprof.pipeline.outputs import (
    OUTPUT_SUFFIXES,
    check_not_an_input,
    check_output,
    write,
    write_folded,
    write_page,
    write_text,
)

__all__ = [
    "OUTPUT_SUFFIXES",
    "Choice",
    "Progress",
    "archive",
    "check_not_an_input",
    "check_output",
    "read",
    "read_fields",
    "write",
    "write_folded",
    "write_page",
    "write_text",
]
