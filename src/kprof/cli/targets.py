"""What is recorded: the options of every command that records, and the ids in them."""

from collections.abc import Sequence
from typing import Annotated

import typer

from kprof.errors import UsageError

_PANEL = "What to record (one of these)"

Pids = Annotated[
    list[str] | None,
    typer.Option("--pid", "-p", metavar="PID", help="A process, with its threads.", rich_help_panel=_PANEL),
]
Tids = Annotated[
    list[str] | None, typer.Option("--tid", "-t", metavar="TID", help="A thread.", rich_help_panel=_PANEL)
]
AllCpus = Annotated[bool, typer.Option("--all-cpus", "-a", help="The whole host.", rich_help_panel=_PANEL)]
Cpus = Annotated[
    str, typer.Option("--cpu", "-C", metavar="CPUS", help="CPUs, as in 0,2-3.", rich_help_panel=_PANEL)
]
Cgroup = Annotated[
    str, typer.Option(metavar="PATH", help="A control group, as in system.slice.", rich_help_panel=_PANEL)
]


def numbers(values: Sequence[str] | None, option: str) -> tuple[int, ...]:
    """Return the ids of `-p 1,2 -p 3`.

    Raises:
        UsageError: One is none.
    """
    texts = [text.strip() for value in values or () for text in value.split(",") if text.strip()]
    for text in texts:
        if not text.isdigit() or int(text) == 0:
            raise UsageError(
                f"{option} {text}: not an id", "give a number, or several with commas between them"
            )
    return tuple(map(int, texts))
