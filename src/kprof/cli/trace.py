"""`kprof trace`: one line an event, with the fields that one chooses."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from kprof.cli import options as o
from kprof.cli import targets as t
from kprof.cli.console import be_quiet, status, warn
from kprof.errors import UsageError

if TYPE_CHECKING:
    from kprof.recorders.trace.request import Traced, TraceRequest

_WHAT = "What to show"
_HOW = "How to trace"
_COMMAND = "kprof.command"
_FILES = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json"}


class Engine(StrEnum):
    """What loads BPF programs."""

    auto = "auto"
    libbpf = "libbpf"
    bpftrace = "bpftrace"
    bcc = "bcc"


class Stacks(StrEnum):
    """Which stacks."""

    user = "u"
    kernel = "k"
    both = "uk"


class TraceCommand(TyperCommand):
    """The command, which keeps what stands behind `--` apart from the events."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before `--`."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


def trace(  # noqa: PLR0917 - Typer passes by name
    ctx: typer.Context,
    events: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EVENT... [-- COMMAND ARGS...]",
            help="exec, exit, open, tcp-connect, block-io, signal; GROUP:TRACEPOINT; syscall:NAME and"
            " call:FUNCTION from entry to return; kprobe:, kretprobe:, fentry:, fexit:FUNCTION; raw_tp:NAME;"
            " uprobe:, uretprobe:, call:/PATH:FUNCTION. Behind --, a command to start and trace.",
            show_default=False,
        ),
    ] = None,
    fields: Annotated[
        str,
        typer.Option(
            "--fields",
            "-f",
            metavar="NAME,...",
            help="What to show: time, event, pid, tid, ppid, uid, gid, cpu, comm, cwd, cgroup, duration, and"
            " the event's own (`kprof events show EVENT`). Members of structures as in"
            " file->f_path.dentry->d_name.name, other types as in arg0:str.",
            rich_help_panel=_WHAT,
        ),
    ] = "",
    condition: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="EXPR",
            help="Only events that meet this, decided within the kernel: == != < <= > >=, & for bits, ~ for"
            " text with * and ?, && || ! ( ).",
            rich_help_panel=_WHAT,
        ),
    ] = "",
    stacks: Annotated[
        Stacks | None,
        typer.Option(
            "--stack",
            metavar="u|k|uk",
            help="Stacks of user, kernel, or both.",
            show_default=False,
            rich_help_panel=_WHAT,
        ),
    ] = None,
    least: Annotated[
        int,
        typer.Option(
            "--min-ns", metavar="NS", min=0, help="Leave shorter intervals out.", rich_help_panel=_WHAT
        ),
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a line of JSON an event.", rich_help_panel=o.FORM)
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.", rich_help_panel=o.FORM)] = False,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write .parquet, .csv or .jsonl.", rich_help_panel=o.FORM
        ),
    ] = "",
    pid: t.Pids = None,
    tid: t.Tids = None,
    all_cpus: t.AllCpus = False,
    cpus: t.Cpus = "",
    cgroup: t.Cgroup = "",
    comm: Annotated[
        str, typer.Option("--comm", metavar="NAME", help="Only threads of this name.", rich_help_panel=_HOW)
    ] = "",
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            "-d",
            metavar="SECONDS",
            help="Stop after this time. Default: at the target's end, or Ctrl-C.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="What loads BPF programs; bpftrace and bcc trace exec only.",
            rich_help_panel=_HOW,
        ),
    ] = Engine.auto,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Show one line an event: programs started, files opened, connections, signals, any probe.

    Without a target the whole host is traced. Ctrl-C ends it. What was lost is counted and told at the end.
    """
    be_quiet(quiet)
    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms", "give one of them")
    form = _form(output, as_json=as_json, as_csv=as_csv, force=force)
    o.start_numpy()
    from kprof.recorders import RecordRequest  # noqa: PLC0415 - only this command
    from kprof.recorders.trace.request import TraceRequest  # noqa: PLC0415

    command = ctx.meta.get(_COMMAND, [])
    anybody = not (pid or tid or all_cpus or cpus or cgroup or command)
    scope = RecordRequest(
        pids=t.numbers(pid, "-p"), tids=t.numbers(tid, "-t"), all_cpus=all_cpus or anybody, cpus=cpus,
        cgroup=cgroup, command=command, comm=comm, duration=duration, stdout_is_taken=_is_taken(output, form),
    )  # fmt: skip
    names = tuple(name for name in fields.replace(" ", "").split(",") if name)
    sides = stacks.value if stacks else ""
    wanted = TraceRequest(events or (), scope, names, condition, least, sides, engine.value)
    if code := _run(wanted, form, output):
        raise typer.Exit(code)


def _form(output: str, *, as_json: bool, as_csv: bool, force: bool) -> str:
    """Return the form of the output, which its suffix tells."""
    asked = "json" if as_json else "csv" if as_csv else ""
    if output in {"", "-"}:
        return asked or "text"
    form = next((form for suffix, form in _FILES.items() if output.endswith(suffix)), "")
    if not form or (asked and asked != form):
        raise UsageError(f"cannot tell a format from {output}", f"end it in one of {', '.join(_FILES)}")
    if os.path.lexists(output) and not force and os.path.isfile(output):  # noqa: PTH113 - one question
        raise UsageError(f"{output} exists", "overwrite it with --force, or name another with -o")
    return form


def _is_taken(output: str, form: str) -> bool:
    """Say whether what a command prints must not come between the events: where no person reads both."""
    return output in {"", "-"} and (form != "text" or not (sys.stdout is not None and sys.stdout.isatty()))


def _run(wanted: TraceRequest, form: str, output: str) -> int:
    from kprof.cli.trace_view import opened  # noqa: PLC0415 - only this command
    from kprof.recorders.trace.engines import choose  # noqa: PLC0415
    from kprof.recorders.trace.session import trace as trace_events  # noqa: PLC0415

    wanted.scope.check()
    planned, engine, name = choose(wanted)
    with opened(planned.columns, form, output, stacks=bool(wanted.stacks)) as writer:

        def ready() -> None:
            until = "" if wanted.scope.duration else "; Ctrl-C ends it"
            # The heads of columns, which nobody wants to see above an error.
            writer.flush()
            status(f"tracing {planned.title} of {wanted.scope.title} with {name}{until}")

        outcome = trace_events(wanted, engine, writer.row, flush=writer.flush, ready=ready)
    _tell(outcome, output)
    return outcome.command_status or 0


def _tell(outcome: Traced, output: str) -> None:
    left_out = f", {outcome.left_out:,} left out by the filter" if outcome.left_out else ""
    lost = sum(outcome.lost.values())
    status(f"{outcome.rows:,} event{'s' if outcome.rows != 1 else ''}{left_out}, {lost:,} lost")
    if lost:
        causes = ", ".join(f"{count:,}: {cause}" for cause, count in outcome.lost.items())
        warn(f"{lost:,} events were lost ({causes}); narrow it down with --filter or a target")
    if output not in {"", "-"}:
        status(f"wrote {output}")
