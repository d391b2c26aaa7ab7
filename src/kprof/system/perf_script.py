"""perf.data as the text that `perf script` prints."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kprof.errors import FormatError, NotAvailableError
from kprof.system.process import Child, run
from kprof.system.tools import find_perf

_FIELDS = ("comm", "pid", "tid", "cpu", "time", "period", "event", "ip", "sym", "symoff", "dso", "trace")
_NEED_SAMPLE_TYPE = ("cpu", "period", "time")


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
    fields = _accepted_fields(path, elevate)
    arguments = [*_base(path, elevate), "--show-lost-events", "-F", ",".join(fields)]
    arguments += [] if inline else ["--no-inline"]
    if srcline:
        arguments[-1 if inline else -2] += ",srcline"
    with tempfile.TemporaryFile(prefix="kprof-") as errors:
        child = Child(arguments, err=errors, pipe_out=True)
        try:
            with child.stdout:
                output = ScriptOutput(child)
                yield output
            code = child.wait()
            if output.ended and code:
                errors.seek(0)
                _fail(path, errors.read().decode(errors="replace"))
        finally:
            if child.poll() is None:
                child.terminate()


class ScriptOutput:
    """The text; knows whether it was read to its end."""

    def __init__(self, child: Child) -> None:
        self._stream = child.stdout
        self.ended = False

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        part = self._stream.read1(size)  # type: ignore[attr-defined]
        self.ended = self.ended or not part
        return bytes(part)


def _base(path: str, elevate: Sequence[str]) -> list[str]:
    # Without -f perf refuses files of other users, and --root makes such files on purpose.
    return [*elevate, find_perf(), "script", "-f", "-i", path]


def _accepted_fields(path: str, elevate: Sequence[str]) -> list[str]:
    """Leave out the fields that not every event of the recording has: perf refuses to print them."""
    asked = run([*elevate, find_perf(), "evlist", "-f", "-v", "-i", path])
    if asked.code:
        _fail(path, asked.err)
    types = [set(match.split("|")) for match in re.findall(r"sample_type: ([A-Z_|]+)", asked.out)]
    return [f for f in _FIELDS if all(f.upper() in t for t in types) or f not in _NEED_SAMPLE_TYPE]


def _fail(path: str, message: str) -> None:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    reason = next((line for line in lines if "[" not in line[:1]), "it does not say why")
    lowered = message.lower()
    if "incompatible file format" in lowered or "magic" in lowered:
        raise FormatError(f"{path} is no perf.data file that this perf reads", reason)
    if "permission denied" in lowered:
        raise NotAvailableError(f"perf may not read {path}", "use sudo, or change its owner")
    raise FormatError(f"perf cannot read {path}: {reason}", "is it cut off? try `perf report -i` on it")
