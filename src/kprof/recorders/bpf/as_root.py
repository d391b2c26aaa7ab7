"""What runs as root for `kprof record --root`: the recorder, and nothing else. See `elevated`."""

import json
import os
import signal
import sys
import tempfile
import threading
from contextlib import suppress
from typing import Any

from kprof.errors import KprofError
from kprof.recorders.bpf.session import record_here
from kprof.recorders.request import RecordRequest
from kprof.recorders.signals import StopSignals
from kprof.system.procfs import start_of

# The file that was opened for us, by whatever name.
_OUTPUT = "/proc/self/fd/1"


class _Waiting:
    """A command that somebody else has started, and lets go when we say that we are ready."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._start = start_of(pid)

    def open(self) -> None:
        """Let it go."""
        _tell(ready=True)

    def has_ended(self) -> bool:
        """Say whether it has ended."""
        return self._start is None or start_of(self.pid) != self._start

    def finish(self, _signals: StopSignals, *, by_itself: bool) -> None:
        """Leave it to whom it belongs to."""

    def close(self) -> None:
        """Leave it to whom it belongs to."""


def main() -> None:
    """Record what standard input asks for, until it is closed."""
    told = json.loads(sys.stdin.buffer.readline())
    request = RecordRequest(**told["request"], hold=_hold if told["holds"] else None)
    object.__setattr__(request, "title", told["title"])
    # Somebody whom nobody listens to any more still ends in order.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if not told["holds"]:
        _end_with_input()
    try:
        with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
            recording = record_here(
                request,
                folder,
                _OUTPUT,
                lambda: _Waiting(told["gate"]),
                note=lambda text: _tell(note=text),
                progress=lambda elapsed, size: _tell(progress=(elapsed, size)),
                client=told["client"],
            )
        _tell(result={"facts": recording.facts, "event": recording.event})
    except KprofError as error:
        _tell(error=(type(error).__name__, str(error), error.help_text))


def _hold() -> None:
    _tell(ready=True)
    sys.stdin.buffer.readline()
    _end_with_input()


def _end_with_input() -> None:
    """Let the end of our input stop the recording as a signal does."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _tell(**what: Any) -> None:
    with suppress(OSError):
        sys.stderr.write(json.dumps(what) + "\n")
        sys.stderr.flush()
