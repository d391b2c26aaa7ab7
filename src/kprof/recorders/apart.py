"""A recorder in a process of its own, so that what it does is no part of what it records."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from kprof.errors import KprofError
from kprof.recorders.backend import find_recorder
from kprof.recorders.request import Recording, RecordRequest
from kprof.system.process import Child

_CODE = "from kprof.recorders.apart import serve; serve()"
_SAMPLES = b"!"
_REQUEST = "request.pickle"


class RecorderApart:
    """Records beside us until it is stopped.

    Args:
        request: What to record; its process may be ours.
        backend: `perf` or `bpf`.
        folder: A private directory, in which the recording is left.

    Raises:
        KprofError: As of the recorders.
    """

    def __init__(self, request: RecordRequest, backend: str, folder: str) -> None:
        Path(folder, _REQUEST).write_bytes(pickle.dumps((request, backend, folder)))
        path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        arguments = [sys.executable, "-c", _CODE, str(Path(folder, _REQUEST))]
        # An interrupt is for the work that is recorded; the recorder is stopped by us.
        self._child = Child(arguments, pipe_out=True, no_input=True, environment=path, own_group=True)
        head = self._child.stdout.read(1)
        self._over = head != _SAMPLES
        if self._over:
            self._outcome = self._read(head)

    def stop(self) -> tuple[Recording, list[str]]:
        """End the recording; return it, and what the recorder had to say.

        Raises:
            KprofError: It failed.
        """
        if not self._over:
            self._over = True
            self._child.signal(signal.SIGINT)
            self._outcome = self._read()
        return self._outcome

    def _read(self, head: bytes = b"") -> tuple[Recording, list[str]]:
        """Wait for what came of it."""
        with self._child.stdout as pipe:
            data = head + pipe.read()
        self._child.wait()
        try:
            # Our own process wrote it, a moment ago.
            recording, notes, error = pickle.loads(data)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):
            raise KprofError("the recorder ended without a result", "try it alone: kprof record") from None
        if error:
            raise error
        return recording, notes


def serve() -> None:
    """Record what a file asks for; say on standard output when it samples, and at last what came of it."""
    # What a command or a library prints must not come between.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    notes: list[str] = []
    recording, failure = None, None
    request, backend, folder = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - we wrote it
    try:
        recording = find_recorder(backend)(request, folder, note=notes.append, progress=_Answer(out))
    except KprofError as error:
        failure = error
    with suppress(BrokenPipeError), out:
        pickle.dump((recording, notes, failure), out)


class _Answer:
    """Says once that sampling has begun."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._given = False

    def __call__(self, _elapsed: float, _size: int) -> None:
        if not self._given:
            self._given = True
            self._out.write(_SAMPLES)
            self._out.flush()
