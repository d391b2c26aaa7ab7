"""The libbpf engine for a recording: its settings, and whose events count."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kprof.errors import KprofError
from kprof.recorders.bpf import libbpf
from kprof.recorders.bpf.engine import Engine
from kprof.recorders.bpf.scope import Job
from kprof.recorders.bpf.settings import settings_of
from kprof.recorders.bpf.targeting import fill_scope

_BTF = "/sys/kernel/btf/vmlinux"


def why_not() -> tuple[str, str] | None:
    """Return why it cannot record here, and what to do about it; None if nothing is known against it."""
    try:
        libbpf.version()
    except KprofError as error:
        return str(error), error.help_text
    if not Path(_BTF).exists():
        return (
            "this kernel does not tell its types (no /sys/kernel/btf/vmlinux), which libbpf needs",
            "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, or use --engine bcc or --backend perf",
        )
    return None


class LibbpfEngine(Engine):
    """An engine whose programs were compiled before.

    Args:
        job: What it records.

    Attributes:
        title: Its name and version.
    """

    def __init__(self, job: Job) -> None:
        settings = settings_of(job.request, job.planned, job.cpus, job.client)
        settings["targets"] = job.scope.kind
        super().__init__(settings, job.sources, job.cpus, job.rate)
        self.title = f"libbpf {libbpf.version()}"
        self.inherits = job.scope.inherits
        self._job = job

    def load(self) -> None:
        """Load the programs, and tell them whose events count."""
        super().load()
        fill_scope(self._job.request, self._job.scope.tasks, self.targets, self.cgroups)

    def attach(self, pids: Sequence[int] | None = None) -> None:
        """Let the programs run; see `Engine`."""
        super().attach(self._job.pids if pids is None else pids)

    def mark_framed(self, pid: int, *, kept: bool) -> None:
        """Say whether the code of a process keeps frame pointers."""
        if kept:
            # One that finds no room is copied, which is right for any code.
            with suppress(libbpf.LibbpfError):
                self.framed.put(pid, 1)
        else:
            self.framed.remove(pid)
