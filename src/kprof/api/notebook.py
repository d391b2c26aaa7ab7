"""`%%kprof`: records what a cell of a notebook does, and shows its flame graph below it."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from kprof import pipeline
from kprof.api.cells import named_by_cell, rooted_at
from kprof.api.recording import choose
from kprof.api.views import ProfileView
from kprof.errors import EmptyProfileError, KprofError
from kprof.model import Profile
from kprof.readers import ReadOptions
from kprof.recorders import RecordRequest
from kprof.recorders.apart import RecorderApart

_FREQUENCY = 997
_IN = re.compile(r"In\[(\d+)\]")
_HEIGHT = 520
_HELP_CALL_GRAPH = "perf: fp, dwarf or lbr. Default: fp if Python has frame pointers, else dwarf."
_ALONE = (
    "Python {0.major}.{0.minor} does not tell profilers its functions, so that these are functions of C;"
    " Python 3.12 and later do"
)


def load_ipython_extension(shell: Any) -> None:
    """Register the cell magic `%%kprof`; called by `%load_ext kprof`.

    Args:
        shell: The running `InteractiveShell` of IPython.
    """
    from IPython.core import magic_arguments as given  # noqa: PLC0415 - there only where this is called

    def kprof(line: str, cell: str) -> object:
        """Record what this cell does, its threads and children too, and show the flame graph below it."""
        return _profiled(shell, given.parse_argstring(magic, line), lambda: _run(shell, cell))

    magic: Any = kprof
    option = given.argument
    # The last one stands first in `%%kprof?`.
    for decorate in (
        option("--height", type=int, default=_HEIGHT, help="Height of the flame graph, in pixels."),
        option("-o", "--out", metavar="NAME", help="Also keep the profile in this variable."),
        option("-g", "--call-graph", default="", help=_HELP_CALL_GRAPH),
        option("-F", "--freq", type=int, default=_FREQUENCY, help="Samples a second and thread."),
        option("--backend", default="auto", help="perf, bpf or auto, which is perf."),
        given.magic_arguments(),
    ):
        magic = decorate(magic)
    shell.register_magic_function(magic, "cell")


def _profiled(shell: Any, options: SimpleNamespace, work: Callable[[], object]) -> object:
    """Do the work of a cell while it is recorded; show what was recorded even if the work fails."""
    backend = choose(options.backend)
    request = RecordRequest(
        (os.getpid(),),
        frequency=options.freq,
        call_graph=options.call_graph or ("fp" if backend == "bpf" or _has_frame_pointers() else "dwarf"),
        timestamps=backend == "bpf",
    )
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        recorder = RecorderApart(request, backend, folder)
        try:
            with _named_functions():
                return work()
        finally:
            _show(shell, options, recorder, request)


def _show(shell: Any, options: SimpleNamespace, recorder: RecorderApart, request: RecordRequest) -> None:
    from IPython.display import display  # noqa: PLC0415 - we were called by IPython

    try:
        recording, notes = recorder.stop()
        profile = pipeline.read_recording(recording, request, pipeline.Choice(ReadOptions(every_sample=True)))
    except EmptyProfileError:
        sys.stderr.write("kprof: the cell was not on a CPU for long enough to be seen\n")
        return
    except KprofError as error:
        # The cell's own error, if there is one, is the one to raise.
        sys.stderr.write(f"kprof: {error}; {error.help_text}\n")
        return
    view = ProfileView(_of_cell(shell, profile), f"cell {_number(shell)}")
    if not _tells_functions():
        notes = [*notes, _ALONE.format(sys.version_info)]
    for text in notes:
        sys.stdout.write(f"kprof: {text}\n")
    if options.out:
        shell.user_ns[options.out] = view
    display(view.flame(height=options.height))


def _of_cell(shell: Any, profile: Profile) -> Profile:
    """Call frames of cells as the notebook does, and leave out what runs the cell."""
    here = shell.compile.cache("", _number(shell))
    profile = named_by_cell(profile, os.path.dirname(here), lambda name: _label(shell, name))  # noqa: PTH120 - a name
    return rooted_at(profile, f"<module> ({_label(shell, here)})")


def _number(shell: Any) -> int:
    """Return the number of the cell that calls us; IPython has counted on by now, or not yet."""
    frame = inspect.currentframe()
    while frame:
        if found := _IN.fullmatch(_label(shell, frame.f_code.co_filename)):
            return int(found[1])
        frame = frame.f_back
    return int(shell.execution_count)


def _label(shell: Any, name: str) -> str:
    found = shell.compile.format_code_name(name)
    return found[1] if found else ""


def _run(shell: Any, cell: str) -> object:
    """Run a cell's code as IPython does; return the value of its last expression."""
    name = shell.compile.cache(cell, _number(shell))
    tree = shell.compile.ast_parse(shell.transform_cell(cell), filename=name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(shell.compile(tree, name, "exec"), shell.user_ns)  # noqa: S102 - it is what the user typed
    if last is None:
        return None
    return eval(shell.compile(ast.Expression(last.value), name, "eval"), shell.user_ns)  # noqa: S307


def _tells_functions() -> bool:
    """Say whether this Python can write a perf map of its functions."""
    return hasattr(sys, "activate_stack_trampoline")


def _has_frame_pointers() -> bool:
    """Say whether this Python was built with frame pointers.

    Source: https://docs.python.org/3/howto/perf_profiling.html.
    """
    flags = " ".join(str(sysconfig.get_config_var(name)) for name in ("PY_CFLAGS", "PY_CORE_CFLAGS"))
    return "-fno-omit-frame-pointer" in flags


@contextmanager
def _named_functions() -> Iterator[None]:
    """Have Python 3.12 and later name its functions in a perf map, for the length of a block."""
    own = _tells_functions() and not sys.is_stack_trampoline_active()  # type: ignore[attr-defined, unused-ignore]
    if own:
        try:
            sys.activate_stack_trampoline("perf")  # type: ignore[attr-defined, unused-ignore]
        except ValueError:
            # Built without it, or for a machine that has none.
            own = False
    try:
        yield
    finally:
        if own:
            sys.deactivate_stack_trampoline()  # type: ignore[attr-defined, unused-ignore]
