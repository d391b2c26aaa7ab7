"""`kprof events`: what can be traced here, with which arguments, by what, and why not."""

from typing import Annotated

import typer

from kprof.cli import options as o
from kprof.cli.console import be_quiet, status, warn
from kprof.errors import UsageError

_SHOW = "show"


def events(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATTERN | show NAME]",
            help="A piece of a name, or a pattern such as 'execve*'; or show and the name of one event.",
            show_default=False,
        ),
    ] = None,
    binary: Annotated[
        list[str] | None,
        typer.Option("--binary", "-b", metavar="FILE", help="List its functions and USDT probes, too."),
    ] = None,
    pid: Annotated[
        list[int] | None,
        typer.Option("--pid", "-p", metavar="PID", help="Those of a process and its libraries."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """List events, and say of each which backend reaches it, or why not.

    perf's events, tracepoints, system calls, raw tracepoints, kernel functions, the bpf backend's own events,
    and functions and probes of binaries. `kprof events show NAME` gives the arguments of one, with C types.
    """
    be_quiet(quiet)
    name, pattern = _asked(words or [])
    o.start_numpy()
    from kprof.cli import events_view as view  # noqa: PLC0415 - only this command
    from kprof.survey.binaries import binaries_of  # noqa: PLC0415 - needs numpy
    from kprof.survey.catalog import Catalog  # noqa: PLC0415
    from kprof.survey.describe import describe  # noqa: PLC0415

    paths = [*(binary or ()), *(path for each in pid or () for path in binaries_of(each))]
    if name:
        paths += view.binary_in(name)
    catalog = Catalog(list(dict.fromkeys(paths)))
    if name:
        found = describe(name, catalog)
        view.page(view.description_json(found) if as_json else view.description_text(found), plain=as_json)
        return
    rows = list(catalog.matching(pattern))
    for note in catalog.notes:
        warn(note)
    if not rows:
        raise UsageError(f"no event fits {pattern}", "kprof events lists all; quote * from the shell")
    view.page(view.list_json(rows) if as_json else view.list_text(rows), plain=as_json)
    status(view.count(rows))


def _asked(words: list[str]) -> tuple[str, str]:
    """Return the one event that is to be shown, or the pattern."""
    if words[:1] == [_SHOW]:
        if len(words) != 2:  # noqa: PLR2004 - show and a name
            raise UsageError(
                "show needs the name of one event", "as in: kprof events show sched:sched_switch"
            )
        return words[1], ""
    if len(words) > 1:
        raise UsageError("one pattern at a time", "quote it from the shell, as in: kprof events 'execve*'")
    return "", "".join(words)
