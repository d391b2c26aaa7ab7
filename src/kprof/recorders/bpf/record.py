"""Recording with BPF programs: by this process, or by a helper that has the rights for it."""

from collections.abc import Callable

from kprof.recorders.bpf.elevated import record_elevated
from kprof.recorders.bpf.session import Progress, record_here
from kprof.recorders.gate import Gate, command_output
from kprof.recorders.request import Recording, RecordRequest


def record(
    request: RecordRequest,
    folder: str,
    *,
    note: Callable[[str], None] = lambda _text: None,
    progress: Progress | None = None,
) -> Recording:
    """Record; see `kprof.recorders.backend.Recorder`."""
    request.check()
    if request.elevate:
        return record_elevated(request, folder, note=note, progress=progress)

    def gate() -> Gate:
        return Gate(folder, request.command, command_output(request))

    return record_here(request, folder, f"{folder}/recording.kprof", gate, note=note, progress=progress)
