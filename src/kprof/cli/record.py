"""`kprof record`: stacks of a process, a command, a control group or the whole host."""

import os
import shlex
import shutil
import signal
import sys
import tempfile
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from kprof.cli import options as o
from kprof.cli.console import be_quiet, progress_line, reading, status, summary, warn
from kprof.errors import EmptyProfileError, KprofError, OutputError, UsageError

_TARGET = "What to record (one of these)"
_HOW = "How to record it"
_OUT = "What to leave"
_RAW_SUFFIX = ".data"
_SUFFIXES = (".folded", ".html", _RAW_SUFFIX)


class CallGraph(StrEnum):
    """How perf finds the callers."""

    fp = "fp"
    dwarf = "dwarf"
    lbr = "lbr"


class RecordCommand(TyperCommand):
    """The command, which tells where the options of what it starts belong."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; click's classes are within Typer or beside it, so they go without their names."""
        line = shlex.join(args)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if type(error).__name__ == "NoSuchOption" and not line.startswith("-"):
                error.message += f". A command with options stands behind --: kprof record -- {line}"  # type: ignore[attr-defined]
            raise


def record(  # noqa: PLR0917 - Typer passes by name
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND ARGS...]", help="Start this and record it.", show_default=False),
    ] = None,
    pid: Annotated[
        list[str] | None,
        typer.Option(
            "--pid", "-p", metavar="PID", help="A process, with its threads.", rich_help_panel=_TARGET
        ),
    ] = None,
    tid: Annotated[
        list[str] | None,
        typer.Option("--tid", "-t", metavar="TID", help="A thread.", rich_help_panel=_TARGET),
    ] = None,
    all_cpus: Annotated[
        bool, typer.Option("--all-cpus", "-a", help="The whole host.", rich_help_panel=_TARGET)
    ] = False,
    cpus: Annotated[
        str, typer.Option("--cpu", "-C", metavar="CPUS", help="CPUs, as in 0,2-3.", rich_help_panel=_TARGET)
    ] = "",
    cgroup: Annotated[
        str,
        typer.Option(metavar="PATH", help="A control group, as in system.slice.", rich_help_panel=_TARGET),
    ] = "",
    frequency: Annotated[
        int | None,
        typer.Option(
            "--freq",
            "-F",
            metavar="HZ",
            help="Samples a second and CPU. Default: 997 for a process or command, 99 for CPUs.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration",
            "-d",
            metavar="SECONDS",
            help="Stop after this time. Default: when the target ends, or at Ctrl-C.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            "-e",
            metavar="EVENT",
            help="Any event of perf; several may be given, the first is the one that is folded."
            " Default: cycles, or cpu-clock where there are none.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    call_graph: Annotated[
        CallGraph,
        typer.Option(
            "--call-graph",
            "-g",
            help="fp follows frame pointers; dwarf copies stacks and works without them; lbr asks the CPU.",
            rich_help_panel=_HOW,
        ),
    ] = CallGraph.fp,
    root: Annotated[
        bool,
        typer.Option("--root", help="Run perf, and only perf, through sudo.", rich_help_panel=_HOW),
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The suffix chooses: .folded, .html (the page), .data (perf.data); - is folded on stdout.",
            rich_help_panel=_OUT,
        ),
    ] = "out.folded",
    keep_data: o.KeepData = False,
    archive: Annotated[
        bool,
        typer.Option(
            "--archive",
            help="Leave perf.data, and beside it the binaries and symbols that name it elsewhere.",
            rich_help_panel=_OUT,
        ),
    ] = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Record stacks with perf, then fold or draw them.

    Ctrl-C ends the recording and keeps what was recorded. With a command, its exit code is kprof's.
    """
    be_quiet(quiet)
    from kprof.recorders.perf import RecordRequest  # noqa: PLC0415 - only this command records

    kept = _check_outputs(output, keep_data=keep_data or archive, force=force)
    request = RecordRequest(
        pids=_numbers(pid, "-p"),
        tids=_numbers(tid, "-t"),
        all_cpus=all_cpus,
        cpus=cpus,
        cgroup=cgroup,
        command=command or (),
        frequency=frequency,
        duration=duration,
        events=event or (),
        call_graph=call_graph.value,
        elevate=_sudo() if root else (),
        stdout_is_taken=output == "-",
    )
    request.check()
    folder = tempfile.mkdtemp(prefix="kprof-")
    keep_folder = False
    try:
        code = _record_into(folder, request, output, kept)
        if archive:
            _archive(kept)
    except KprofError as error:
        keep_folder = folder in str(error)
        raise
    finally:
        if not keep_folder:
            shutil.rmtree(folder, ignore_errors=True)
    if code:
        raise typer.Exit(code)


def _record_into(folder: str, request, output: str, kept: str) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Record, write what is wanted, and return the exit code."""
    from kprof.recorders.perf import AbortedError  # noqa: PLC0415 - only this command records
    from kprof.recorders.perf import record as run_perf  # noqa: PLC0415 - only this command records

    status(f"recording {request.title}{'' if request.duration else '; Ctrl-C ends it'}")
    with progress_line() as update:

        def show(elapsed: float, size: int) -> None:
            left = f", {max(request.duration - elapsed, 0):.0f} s left" if request.duration else ""
            update(f"recording {request.title}: {elapsed:.1f} s{left}, {size / 1e6:.2f} MB")

        recording = run_perf(request, folder, note=status, progress=show)
    if kept:
        _move(recording.path, kept)
        status(f"wrote {kept}")
    path = kept or recording.path
    if PurePath(output).suffix != _RAW_SUFFIX:
        # From here on SIGTERM aborts as Ctrl-C does: what was recorded must not be left unnamed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _write(path, recording, request, output)
        except EmptyProfileError:
            raise EmptyProfileError(
                f"no samples of {request.title} in {recording.facts['duration']}", _why_empty(request)
            ) from None
        except KprofError as error:
            raise type(error)(f"{error}; the raw data is in {path}", error.help_text) from None
        except KeyboardInterrupt:
            raise AbortedError(f"aborted; the raw data is in {path}") from None
    return recording.command_status or 0


def _archive(path: str) -> None:
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy

    status(f"wrote {pipeline.archive(path)}")


def _write(path: str, recording, request, output: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.readers import ReadOptions  # noqa: PLC0415

    choice = pipeline.Choice(ReadOptions(ids=False), recording.event)
    with reading([]) as progress:
        profile = pipeline.read(
            [path], choice, facts=recording.facts, elevate=request.elevate, progress=progress
        )
    summary(profile, pipeline.write(profile, output, title=request.title))


def _why_empty(request) -> str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if request.events:
        return "the event did not happen; record for longer, or another -e"
    return "the target was not on a CPU: it sleeps or waits; record for longer with -d"


def _numbers(values: list[str] | None, option: str) -> tuple[int, ...]:
    """Return the ids of `-p 1,2 -p 3`."""
    texts = [text.strip() for value in values or () for text in value.split(",") if text.strip()]
    for text in texts:
        if not text.isdigit() or int(text) == 0:
            raise UsageError(
                f"{option} {text}: not an id", "give a number, or several with commas between them"
            )
    return tuple(map(int, texts))


def _sudo() -> tuple[str, ...]:
    from kprof.system.process import find_program  # noqa: PLC0415

    if os.geteuid() == 0:
        return ()
    if not find_program("sudo"):
        raise UsageError("--root needs sudo, which is not installed", "run kprof itself as root instead")
    # Nobody can type a password where there is no terminal.
    return ("sudo",) if sys.stdin.isatty() else ("sudo", "-n")


def _check_outputs(output: str, *, keep_data: bool, force: bool) -> str:
    """Raise before anything is recorded if an output cannot be written; return where perf.data goes.

    Raises:
        UsageError: The suffix is not known, or the file exists.
        OutputError: The directory is missing or may not be written to.
    """
    suffix = PurePath(output).suffix
    if output != "-" and suffix not in _SUFFIXES:
        raise UsageError(f"cannot tell a format from {output}", f"end it in one of {', '.join(_SUFFIXES)}")
    if suffix == _RAW_SUFFIX:
        kept = output
    elif keep_data:
        kept = "perf.data" if output == "-" else str(PurePath(output).with_suffix(_RAW_SUFFIX))
    else:
        kept = ""
    for name in {output, kept} - {"-", ""}:
        path = Path(name)
        if path.exists() and path.is_file() and not force:
            raise UsageError(f"{name} exists", "overwrite it with --force, or name another with -o")
        if not path.parent.is_dir():
            raise OutputError(f"cannot write {name}: {path.parent} is not a directory", "make it first")
        if not os.access(path.parent, os.W_OK):
            raise OutputError(
                f"cannot write {name}: {path.parent} may not be written to", "choose another place"
            )
    return kept


def _move(source: str, target: str) -> None:
    from kprof.system.files import whole_file  # noqa: PLC0415

    try:
        with Path(source).open("rb") as data, whole_file(target) as file:
            shutil.copyfileobj(data, file, 1 << 20)
    except KprofError as error:
        warn(f"the recording is still in {source}")
        raise type(error)(f"{error}; the recording is in {source}", error.help_text) from None
    Path(source).unlink()
