"""The command line. One command a module; they share options and a console, and never call each other."""

import gc
import os
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from kprof.errors import KprofError

_PURPOSE = "From 'it is slow' to 'this function is why': record stacks, fold them, look at one flame graph."
_INTERRUPTED = 130
_STDOUT, _STDERR = 1, 2

# What `--help` shows, in this order: modules and their functions, with an example.
_COMMANDS = {
    "record": "kprof record -F 499 -d 10 -o app.html -- ./app --fast",
    "fold": "perf script | kprof fold - | grep -v idle > out.folded",
    "flame": "kprof flame out.folded --title 'checkout, before the fix' --open",
    "heatmap": "kprof heatmap out.data --rows 100 -o heat.html",
    "report": "kprof report perf.data --function malloc",
    "compare": "kprof compare -p 1234 -d 10 --runs 5 -o compare.html",
    "diff": "kprof diff base.data head.data --fail-on 'self(parse_json) > +5%'",
    "doctor": "kprof doctor --pid 1234",
    "events": "kprof events 'execve*'; kprof events show sched:sched_switch",
    "trace": "kprof trace exec --filter 'ret < 0'",
    "convert": "kprof convert perf.data out.pb.gz",
}


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
    """Return the command line, or what one command needs of it: all of it takes 50 ms of each start."""
    made = typer.Typer(
        name="kprof",
        help=_PURPOSE,
        epilog="Start with: kprof record -p PID, then: kprof flame out.folded",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    for name in [only] if only in _COMMANDS else _COMMANDS:
        module = import_module(f"{__name__}.{name}")
        kind = getattr(module, f"{name.title()}Command", TyperCommand)
        made.command(epilog=f"Example: {_COMMANDS[name]}", cls=kind)(getattr(module, name))
    return made


def __getattr__(name: str) -> Any:
    """Make `app`, the whole command line, for those who ask for it."""
    if name == "app":
        return _build()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
    finally:
        # Python would look for cycles once more when it ends, among all that it imported: 20 ms.
        gc.freeze()


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
