"""Options of `kprof record` that only the bpf backend knows: what counts, and for how much."""

from typing import Annotated

import typer

from kprof.cli.record_choices import Weight
from kprof.errors import UsageError

_PANEL = "What the bpf backend counts"


Comm = Annotated[
    str, typer.Option("--comm", metavar="NAME", help="Only threads of this name.", rich_help_panel=_PANEL)
]
Inherit = Annotated[
    bool,
    typer.Option(
        "--inherit/--no-inherit", help="Children of the processes, too, or not.", rich_help_panel=_PANEL
    ),
]
Weighed = Annotated[
    Weight | None,
    typer.Option(
        "--weight",
        help="What intervals weigh, such as those of off-cpu: their time, their bytes, or 1.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Least = Annotated[
    int,
    typer.Option(
        "--min-ns", metavar="NS", min=0, help="Leave shorter intervals out.", rich_help_panel=_PANEL
    ),
]
Most = Annotated[
    int | None,
    typer.Option("--max-ns", metavar="NS", min=0, help="Leave longer ones out.", rich_help_panel=_PANEL),
]
Waker = Annotated[
    bool,
    typer.Option(
        "--waker",
        help="With -e off-cpu: join the stack of what woke the thread to its own, leaf to leaf.",
        rich_help_panel=_PANEL,
    ),
]
Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help="With -e malloc: only what is allocated and not freed when the recording ends.",
        rich_help_panel=_PANEL,
    ),
]
Timestamps = Annotated[
    bool,
    typer.Option(
        "--timestamps",
        help="Keep time and CPU of every sample, for filters and heat maps.",
        rich_help_panel=_PANEL,
    ),
]


def check(recorder: str, **given: object) -> None:
    """Raise if one of these is given to perf.

    Raises:
        UsageError: One is.
    """
    if recorder == "perf" and (name := next((name for name, value in given.items() if value), "")):
        raise UsageError(f"--{name.replace('_', '-')} needs the bpf backend", "give it with --backend bpf")
