"""`kprof record`: stacks of a process, a command, a control group or the whole host."""

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from kprof.cli import counting, targets
from kprof.cli import options as o
from kprof.cli.console import be_quiet
from kprof.cli.record_choices import Backend, CallGraph, Engine
from kprof.errors import UsageError

if TYPE_CHECKING:
    from kprof.recorders import RecordRequest

_HOW = "How to record it"
_OUT = "What to leave"


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
    pid: targets.Pids = None,
    tid: targets.Tids = None,
    all_cpus: targets.AllCpus = False,
    cpus: targets.Cpus = "",
    cgroup: targets.Cgroup = "",
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
            help="Any event of perf, off-cpu, malloc and the like, or uprobe:PATH:FUNCTION, usdt:, kprobe:,"
            " raw_tp: and so on: kprof events lists all. Of several, the first one is folded."
            " Default: cycles, or cpu-clock where there are none.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    call_graph: Annotated[
        CallGraph,
        typer.Option(
            "--call-graph",
            "-g",
            help="fp follows frame pointers; dwarf copies stacks and works without them; lbr asks the CPU."
            " auto is fp with perf; bpf copies the stacks of those processes that keep no frame pointers.",
            rich_help_panel=_HOW,
        ),
    ] = CallGraph.auto,
    stack_size: Annotated[
        int,
        typer.Option(
            "--stack-size",
            metavar="BYTES",
            help="How much of each stack -g dwarf copies: perf up to 65,528, bpf up to 24,576.",
            rich_help_panel=_HOW,
        ),
    ] = 8192,
    backend: Annotated[
        Backend,
        typer.Option(
            "--backend",
            help="perf records anywhere; bpf counts stacks within the kernel and reaches what perf cannot."
            " auto is perf, unless an event or the output needs bpf.",
            rich_help_panel=_HOW,
        ),
    ] = Backend.auto,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="bpf: what loads the programs. libbpf has them compiled already; bpftrace and bcc compile"
            " them here. auto is the first of these that can record this.",
            rich_help_panel=_HOW,
        ),
    ] = Engine.auto,
    show_program: Annotated[
        bool,
        typer.Option(
            "--show-program",
            help="Write the program that bpftrace or bcc would run, and record nothing.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    debug_engine: Annotated[
        bool,
        typer.Option(
            "--debug-engine",
            help="Write what bpftrace makes of its program, its tree and LLVM's code, and record nothing.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    comm: counting.Comm = "",
    inherit: counting.Inherit = True,
    weight: counting.Weighed = None,
    least: counting.Least = 0,
    most: counting.Most = None,
    waker: counting.Waker = False,
    live: counting.Live = False,
    timestamps: counting.Timestamps = False,
    root: Annotated[
        bool,
        typer.Option("--root", help="Run the recorder, and only that, through sudo.", rich_help_panel=_HOW),
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The suffix chooses: .folded, .html (the page), .data (perf.data), .kprof (what the bpf"
            " backend leaves), or what kprof convert writes, such as .pb.gz; - is folded on stdout.",
            rich_help_panel=_OUT,
        ),
    ] = "out.folded",
    keep_data: o.KeepData = False,
    archive: Annotated[
        bool,
        typer.Option(
            "--archive",
            help="Leave the raw recording, and beside it the binaries and symbols that name it elsewhere.",
            rich_help_panel=_OUT,
        ),
    ] = False,
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Record stacks with perf or BPF programs, then fold or draw them.

    Ctrl-C ends the recording and keeps what was recorded. With a command, its exit code is kprof's.
    """
    be_quiet(quiet)
    from kprof.cli.recording import Wanted, run  # noqa: PLC0415 - only this command records
    from kprof.recorders import RecordRequest, choose_backend  # noqa: PLC0415 - only this command records

    recorder = choose_backend(_backend(backend, engine), event or (), output)
    counting.check(
        recorder, comm=comm, no_inherit=not inherit, weight=weight, min_ns=least, max_ns=most, waker=waker,
        live=live, timestamps=timestamps,
    )  # fmt: skip
    wanted = Wanted(recorder, output, keep_raw=keep_data or archive, archive=archive, force=force)
    request = RecordRequest(
        pids=targets.numbers(pid, "-p"),
        tids=targets.numbers(tid, "-t"),
        all_cpus=all_cpus,
        cpus=cpus,
        cgroup=cgroup,
        command=command or (),
        comm=comm, inherit=inherit, weight=weight.value if weight else "", least=least, most=most,
        waker=waker, live=live, timestamps=timestamps,
        frequency=frequency,
        duration=duration,
        events=event or (),
        engine=engine.value,
        call_graph=call_graph.value,
        stack_bytes=stack_size,
        elevate=_elevation() if root else (),
        stdout_is_taken=output == "-",
    )  # fmt: skip
    request.check()
    if show_program or debug_engine:
        _show(request, debug=debug_engine)
        return
    if code := run(request, wanted):
        raise typer.Exit(code)


def _backend(backend: Backend, engine: Engine) -> str:
    """Return the backend that is asked for: to name an engine is to ask for bpf."""
    if engine is not Engine.auto and backend is Backend.perf:
        raise UsageError(f"--engine {engine.value} is for the bpf backend", "leave --backend perf out")
    return "bpf" if engine is not Engine.auto else backend.value


def _show(request: "RecordRequest", *, debug: bool) -> None:
    o.start_numpy()
    from kprof.recorders.bpf.show import debug_program, show_program  # noqa: PLC0415 - needs numpy
    from kprof.system.files import write_whole  # noqa: PLC0415

    text = debug_program(request) if debug else show_program(request)
    write_whole("-", text.encode("utf-8", "surrogateescape"))


def _elevation() -> tuple[str, ...]:
    from kprof.system.process import find_program  # noqa: PLC0415

    if os.geteuid() == 0:
        return ()
    if not find_program("sudo"):
        raise UsageError("--root needs sudo, which is not installed", "run kprof itself as root instead")
    # Nobody can type a password where there is no terminal.
    return ("sudo",) if sys.stdin.isatty() else ("sudo", "-n")
