"""A target -> a recording -> a profile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace

from kprof.errors import EmptyProfileError
from kprof.model import Profile
from kprof.pipeline.inputs import Choice, read
from kprof.recorders import Recording, RecordRequest, find_recorder


def record(
    request: RecordRequest,
    backend: str,
    choice: Choice | None = None,
    *,
    note: Callable[[str], None] = lambda _text: None,
    progress: Callable[[float, int], None] | None = None,
) -> Profile:
    """Record, and read what was recorded; nothing stays on disk. Ctrl-C ends it, and keeps what there is.

    Args:
        request: What to record.
        backend: `perf` or `bpf`.
        choice: How it is read.
        note: Told what a user must know, before recording starts.
        progress: As in `kprof.recorders.backend.Recorder`.

    Raises:
        TargetError: The target does not exist.
        NotAvailableError: Not permitted, or not available here.
        EmptyProfileError: Nothing was seen.
    """
    with tempfile.TemporaryDirectory(prefix="kprof-") as folder:
        recording = find_recorder(backend)(request, folder, note=note, progress=progress)
        return read_recording(recording, request, choice)


def read_recording(recording: Recording, request: RecordRequest, choice: Choice | None = None) -> Profile:
    """Read what a recorder left, of the event that was asked for first unless all are wanted.

    Raises:
        EmptyProfileError: Nothing was seen.
    """
    choice = choice or Choice()
    if not choice.every_event:
        choice = replace(choice, event=recording.event)
    try:
        return read([recording.path], choice, facts=recording.facts)
    except EmptyProfileError:
        raise nothing_seen(recording, request) from None


def nothing_seen(recording: Recording, request: RecordRequest) -> EmptyProfileError:
    """Return what to say of a recording without samples."""
    if request.events:
        why = "the event did not happen; record for longer, or another -e"
    else:
        why = "the target was not on a CPU: it sleeps or waits; record for longer with -d"
    return EmptyProfileError(f"no samples of {request.title} in {recording.facts['duration']}", why)
