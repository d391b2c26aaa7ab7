"""Runs kprof in processes forked from this one: to import it anew takes 8 seconds under emulation."""

import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
from types import SimpleNamespace

# What a command would import first, and what else a recording needs.
_MODULES = (
    "kprof.cli.record",
    "kprof.cli.trace",
    "kprof.cli.doctor",
    "kprof.pipeline",
    "kprof.pipeline.recording",
    "kprof.readers.bpf_dump",
    "kprof.recorders.bpf",
    "kprof.recorders.bpf.session",
    "kprof.recorders.perf",
    "kprof.recorders.trace",
)
CRASHED = 99


def prepare():
    """Import what the forked processes run."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in _MODULES:
        importlib.import_module(name)
    del os.environ["OPENBLAS_NUM_THREADS"]


def run_kprof(arguments, *, cwd, environment, seconds):
    """Run a command line of kprof; return its code and what it printed, as `subprocess.run` does."""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as out,
        tempfile.TemporaryFile("w+", errors="replace") as err,
    ):
        child = os.fork()
        if not child:
            os._exit(_in_child(arguments, cwd, environment, out.fileno(), err.fileno()))
        code = _wait(child, seconds)
        for file in (out, err):
            file.seek(0)
        return SimpleNamespace(returncode=code, stdout=out.read(), stderr=err.read())


def _in_child(arguments, cwd, environment, out, err):
    try:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environment)
        for descriptor, target in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
            os.dup2(descriptor, target)
        sys.argv = ["kprof", *arguments]
        _main()
    except SystemExit as ended:
        return ended.code or 0
    except BaseException:  # noqa: BLE001 - it must not go on as its parent would
        traceback.print_exc()
        return CRASHED
    else:
        return 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _main():
    from kprof.cli import main  # noqa: PLC0415 - the host has no need of it

    main()


def _wait(child, seconds):
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise TimeoutError(f"kprof ran for more than {seconds} s")
        time.sleep(0.05)
