"""Options that several commands share, so that they are spelt and explained once."""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kprof.model import Filter

_FILTERS = "What to keep"
FORM = "How to write it"

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Any recording or profile, plain or packed with gzip or zstd; - is stdin.",
        show_default=False,
    ),
]
Event = Annotated[
    str,
    typer.Option(
        "--event",
        "--event-filter",
        "-e",
        metavar="NAME",
        help="Keep this event; `cycles` also finds `cycles:u`. Default: the first one that has samples.",
        rich_help_panel=_FILTERS,
    ),
]
OnlyComm = Annotated[
    list[str] | None,
    typer.Option(
        "--only-comm",
        metavar="NAME",
        help="Keep threads of this name; may be repeated.",
        rich_help_panel=_FILTERS,
    ),
]
OnlyPid = Annotated[
    list[int] | None,
    typer.Option(
        "--only-pid", metavar="PID", help="Keep this process; may be repeated.", rich_help_panel=_FILTERS
    ),
]
OnlyTid = Annotated[
    list[int] | None,
    typer.Option(
        "--only-tid", metavar="TID", help="Keep this thread; may be repeated.", rich_help_panel=_FILTERS
    ),
]
OnlyCpu = Annotated[
    list[int] | None,
    typer.Option(
        "--only-cpu", metavar="CPU", help="Keep this CPU; may be repeated.", rich_help_panel=_FILTERS
    ),
]
Start = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="Keep what is at or behind this: seconds from the first sample (2.5, 250ms), from the last (-1),"
        " or a share of the time (10%).",
        rich_help_panel=_FILTERS,
    ),
]
End = Annotated[
    str,
    typer.Option(metavar="TIME", help="Keep what is before this, told likewise.", rich_help_panel=_FILTERS),
]
Focus = Annotated[
    str,
    typer.Option(metavar="REGEX", help="Keep stacks with a frame that matches.", rich_help_panel=_FILTERS),
]
Ignore = Annotated[
    str,
    typer.Option(metavar="REGEX", help="Drop stacks with a frame that matches.", rich_help_panel=_FILTERS),
]
RootAt = Annotated[
    str,
    typer.Option(
        "--root-at",
        metavar="REGEX",
        help="Make the outermost frame that matches the root of its stack.",
        rich_help_panel=_FILTERS,
    ),
]


class NameForm(StrEnum):
    """How functions are called."""

    plain = "plain"
    short = "short"
    full = "full"
    raw = "raw"


Names = Annotated[
    NameForm,
    typer.Option(
        help="plain: no argument lists; short: no template arguments either; full: as the language writes"
        " them; raw: as symbol tables do.",
    ),
]
Inline = Annotated[
    bool | None,
    typer.Option(
        "--inline/--no-inline",
        help="perf.data: inlined functions as frames. Default: yes, but not with --compat.",
        show_default=False,
    ),
]
KeepData = Annotated[
    bool,
    typer.Option("--keep-data", help="Leave perf.data beside the output.", rich_help_panel="What to leave"),
]
Force = Annotated[
    bool, typer.Option("--force", "-f", help="Overwrite what is there.", rich_help_panel="What to leave")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.", rich_help_panel=FORM)]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Write Markdown.", rich_help_panel=FORM)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")]


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The values of the options above that make a `Filter`."""

    comm: list[str] | None
    pid: list[int] | None
    tid: list[int] | None
    cpu: list[int] | None
    start: str
    end: str
    focus: str
    ignore: str
    root_at: str

    def build(self) -> "Filter":
        """Return the filter."""
        from kprof.model import Filter, parse_moment  # noqa: PLC0415 - needs numpy

        start, end = (parse_moment(text) if text else None for text in (self.start, self.end))
        return Filter(
            self.comm or (), self.pid or (), self.tid or (), self.cpu or (),
            start, end, self.focus, self.ignore, self.root_at,
        )  # fmt: skip


def start_numpy() -> None:
    """Import numpy without the threads that its linear algebra starts at import, which cost 50 ms.

    The variable is taken back at once: a command that kprof profiles must not inherit it.
    """
    name = "OPENBLAS_NUM_THREADS"
    if name in os.environ:
        return
    os.environ[name] = "1"
    try:
        import numpy  # noqa: F401, ICN001, PLC0415 - imported for its effect
    finally:
        del os.environ[name]
