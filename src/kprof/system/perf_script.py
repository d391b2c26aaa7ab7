"""perf.data as the text that `perf script` prints."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from kprof.errors import FormatError, NotAvailableError
from kprof.system.process import Child, run
from kprof.system.tools import find_perf

_ALL_FIELDS = "comm,pid,tid,cpu,time,period,event,ip,sym,symoff,dso,trace"
_NEEDED = {"CPU", "TIME", "PERIOD"}


@contextmanager
def open_script(
    path: str, *, inline: bool = False, srcline: bool = False, elevate: Sequence[str] = ()
) -> Iterator["ScriptOutput"]:
    """Print a recording; gives a stream of the text.

    Args:
        path: A perf.data file.
        inline: Ask for inlined functions, which perf finds slowly.
        srcline: Ask for file and line of every frame, as slowly.
        elevate: Command put before perf, such as `sudo`.

    Raises:
        NotAvailableError: perf is not installed.
        FormatError: perf cannot read the file; raised when the stream ends, too.
    """
    fields = _fields(path, elevate)
    if srcline:
        # perf does not let a list of fields be mixed with additions to its defaults.
        fields += ",+srcline" if fields.startswith("+") else ",srcline"
    arguments = [*_base(path, elevate), "--show-lost-events", "-F", fields]
    arguments += [] if inline else ["--no-inline"]
    with tempfile.TemporaryFile(prefix="kprof-") as errors:
        child = Child(arguments, err=errors, pipe_out=True)
        try:
            with child.stdout:
                yield ScriptOutput(child, path, errors)
        finally:
            if child.poll() is None:
                child.terminate()


class ScriptOutput:
    """The text. An end that is perf's failure raises, so that it is not taken for an empty recording."""

    def __init__(self, child: Child, path: str, errors: IO[bytes]) -> None:
        self._child, self._path, self._errors = child, path, errors

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            FormatError: perf failed.
        """
        part = self._child.stdout.read1(size)  # type: ignore[attr-defined]
        if not part and self._child.wait():
            self._errors.seek(0)
            _fail(self._path, self._errors.read().decode(errors="replace"))
        return bytes(part)


def _base(path: str, elevate: Sequence[str]) -> list[str]:
    # Without -f perf refuses files of other users, and --root makes such files on purpose.
    return [*elevate, find_perf(), "script", "-f", "-i", path]


def _fields(path: str, elevate: Sequence[str]) -> str:
    """Return what to print.

    perf refuses to print what any event of the recording lacks. Then it is asked for more than its
    defaults instead: those are what each kind of event has, so that a CPU or a period that one event
    lacks is not lost to the others.
    """
    asked = run([*elevate, find_perf(), "evlist", "-f", "-v", "-i", path])
    if asked.code:
        _fail(path, asked.err)
    # `dummy` only carries the records of mappings and threads; it has no samples.
    found = re.findall(r"^(?!dummy)\S.*sample_type: ([A-Z_|0-9]+)", asked.out, re.MULTILINE)
    types = [set(match.split("|")) for match in found]
    if all(names >= _NEEDED for names in types):
        return _ALL_FIELDS
    period = ",+period" if all("PERIOD" in names for names in types) else ""
    # Asked for more, perf no longer adds the stacks of tracepoints by itself.
    stack = ",+ip,+sym,+symoff,+dso" if any("CALLCHAIN" in names for names in types) else ""
    return f"+pid{period}{stack}"


def _fail(path: str, message: str) -> None:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("[") and not line.endswith("Ignoring.")]
    reason = told[0] if told else "it does not say why"
    lowered = message.lower()
    if "incompatible file format" in lowered or "magic" in lowered:
        raise FormatError(f"{path} is no perf.data file that this perf reads", reason)
    if "addr2line" in lowered:
        # perf 6.1 dies of it where a recorded program is no longer in its place.
        raise NotAvailableError(
            f"perf cannot find source lines in {path}: {reason}",
            "the recorded programs must be here as they were; or leave out --srcline and --inline",
        )
    if "permission denied" in lowered:
        raise NotAvailableError(f"perf may not read {path}", "use sudo, or change its owner")
    raise FormatError(f"perf cannot read {path}: {reason}", "is it cut off? try `perf report -i` on it")
