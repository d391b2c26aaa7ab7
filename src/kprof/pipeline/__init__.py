"""The order of things: inputs -> one profile -> an output."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kprof.pipeline.inputs import Choice, Progress, read, read_with_begin
from kprof.pipeline.outputs import (
    check_not_an_input,
    check_picture,
    fitting,
    holds_several_events,
    render_page,
    write,
    write_folded,
    write_page,
    write_picture,
    write_text,
)

if TYPE_CHECKING:
    from kprof.pipeline.archives import archive
    from kprof.pipeline.event_fields import read_fields
    from kprof.pipeline.recording import nothing_seen, read_recording, record
    from kprof.pipeline.sides import (
        alike,
        read_comparable,
        read_each,
        render_beside,
        render_difference,
        write_beside,
        write_difference,
    )

# What few commands use, by module: it would take milliseconds of the start of all.
_RARE = {
    "archives": {"archive"},
    "event_fields": {"read_fields"},
    "recording": {"nothing_seen", "read_recording", "record"},
    "sides": {
        "alike",
        "read_comparable",
        "read_each",
        "render_beside",
        "render_difference",
        "write_beside",
        "write_difference",
    },
}

__all__ = [
    "Choice",
    "Progress",
    "alike",
    "archive",
    "check_not_an_input",
    "check_picture",
    "fitting",
    "holds_several_events",
    "nothing_seen",
    "read",
    "read_comparable",
    "read_each",
    "read_fields",
    "read_recording",
    "read_with_begin",
    "record",
    "render_beside",
    "render_difference",
    "render_page",
    "write",
    "write_beside",
    "write_difference",
    "write_folded",
    "write_page",
    "write_picture",
    "write_text",
]


def __getattr__(name: str) -> Any:
    for module, names in _RARE.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
