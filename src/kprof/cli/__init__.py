"""The command line. One command a module; they share options and a console, and never call each other."""

import gc
import os
import sys
from collections.abc import Callable

import typer
from typer.core import TyperCommand

from kprof.cli.compare import CompareCommand, compare
from kprof.cli.convert import convert
from kprof.cli.diff import DiffCommand, diff
from kprof.cli.doctor import doctor
from kprof.cli.events import events
from kprof.cli.flame import flame
from kprof.cli.fold import fold
from kprof.cli.heatmap import heatmap
from kprof.cli.record import RecordCommand, record
from kprof.cli.report import report
from kprof.cli.trace import TraceCommand, trace
from kprof.errors import KprofError

_PURPOSE = "From 'it is slow' to 'this function is why': record stacks, fold them, look at one flame graph."
_INTERRUPTED = 130
_STDOUT, _STDERR = 1, 2

# What `--help` shows, in this order: the function, an example, and the class if it is not the usual one.
_COMMANDS: tuple[tuple[Callable[..., None], str, type[TyperCommand]], ...] = (
    (record, "kprof record -F 499 -d 10 -o app.html -- ./app --fast", RecordCommand),
    (fold, "perf script | kprof fold - | grep -v idle > out.folded", TyperCommand),
    (flame, "kprof flame out.folded --title 'checkout, before the fix' --open", TyperCommand),
    (heatmap, "kprof heatmap out.data --rows 100 -o heat.html", TyperCommand),
    (report, "kprof report perf.data --function malloc", TyperCommand),
    (compare, "kprof compare -p 1234 -d 10 --runs 5 -o compare.html", CompareCommand),
    (diff, "kprof diff base.data head.data --fail-on 'self(parse_json) > +5%'", DiffCommand),
    (doctor, "kprof doctor --pid 1234", TyperCommand),
    (events, "kprof events 'execve*'; kprof events show sched:sched_switch", TyperCommand),
    (trace, "kprof trace exec --filter 'ret < 0'", TraceCommand),
    (convert, "kprof convert perf.data out.pb.gz", TyperCommand),
)


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version  # noqa: PLC0415 - only for this option

        typer.echo(f"kprof {version('kprof')}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    del version


def _build(only: str = "") -> typer.Typer:
    """Return the command line, or what one command needs of it: to make all takes 30 ms of each start."""
    made = typer.Typer(
        name="kprof",
        help=_PURPOSE,
        epilog="Start with: kprof record -p PID, then: kprof flame out.folded",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    known = any(only == command.__name__ for command, _, _ in _COMMANDS)
    for command, example, kind in _COMMANDS:
        if not known or only == command.__name__:
            made.command(epilog=f"Example: {example}", cls=kind)(command)
    return made


app = _build()


def main() -> None:
    """Run the command line; every error that a user can cause ends in one line and an exit code."""
    # A command builds large tables once and leaves; collecting cycles would cost a tenth of its time.
    gc.disable()
    _open_standard_streams()
    try:
        _build(sys.argv[1] if len(sys.argv) > 1 else "")()
    except KprofError as error:
        _fail(f"{error}; {error.help_text}" if error.help_text else str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
        raise SystemExit(0) from None
    except MemoryError:
        _fail("out of memory: filter the input, or fold it on a larger machine", 1)


def _open_standard_streams() -> None:
    """Open what we were started without: a file of ours must not take its number, and be written to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = open(_STDERR, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as we run


def _fail(message: str, code: int) -> None:
    sys.stderr.write("kprof: " + " ".join(message.split()) + "\n")
    raise SystemExit(code)
