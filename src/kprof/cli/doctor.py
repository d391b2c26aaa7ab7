"""`kprof doctor`: what works on this host, what does not, why, and what mends it."""

from typing import Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import progress_line

_NOTHING_RECORDS = 3


def doctor(
    binary: Annotated[
        list[str] | None,
        typer.Option(
            "--binary",
            "-b",
            metavar="FILE",
            help="Look at the frame pointers and symbols of this program or library. Default: the C library.",
        ),
    ] = None,
    pid: Annotated[
        list[int] | None,
        typer.Option(
            "--pid", "-p", metavar="PID", help="Look at the program of a process and its libraries."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Say what can record here, tried and not guessed, and which command mends what cannot.

    Leaves with 0 if something can record, else with 3.
    """
    o.start_numpy()
    from kprof.cli.doctor_view import to_json, to_text  # noqa: PLC0415 - only this command
    from kprof.survey.doctor import diagnose  # noqa: PLC0415 - needs numpy
    from kprof.system.files import write_whole  # noqa: PLC0415

    with progress_line() as update:
        update("trying what records")
        found = diagnose(binaries=binary or (), pids=pid or ())
    text = to_json(found) if as_json else to_text(found)
    write_whole("-", text.encode(errors="replace"))
    if not found.can_record:
        raise typer.Exit(_NOTHING_RECORDS)
