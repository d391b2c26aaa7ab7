"""What is to be traced."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kprof.recorders.request import RecordRequest


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """What to trace.

    Attributes:
        events: As `kprof trace` takes them.
        scope: Whose events, for how long.
        fields: Those that are shown; none for what is usual for each event.
        condition: A filter; empty for none.
        least: Intervals that are shorter are left out, in nanoseconds.
        stacks: `u` for the stack of the process, `k` for the kernel's, `uk` for both; empty for none.
        engine: `auto`, `libbpf`, `bpftrace` or `bcc`.
    """

    events: Sequence[str]
    scope: RecordRequest
    fields: Sequence[str] = ()
    condition: str = ""
    least: int = 0
    stacks: str = ""
    engine: str = "auto"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of what is shown.

    Attributes:
        name: Its name.
        form: How its values are shown; see `kprof.recorders.trace.fields`.
        is_number: Whether its values are numbers.
    """

    name: str
    form: str = "text"
    is_number: bool = False


@dataclass(slots=True)
class Traced:
    """What came of it.

    Attributes:
        rows: How many events were told.
        left_out: How many the filter left out.
        lost: Events that were lost, by cause.
        command_status: Exit code of the command that was started; None if none was.
        interrupted: Whether a signal ended it.
    """

    rows: int = 0
    left_out: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    command_status: int | None = None
    interrupted: bool = False
