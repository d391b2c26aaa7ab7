"""The whole of what is looked at before anything is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from kprof.errors import KprofError
from kprof.recorders.bpf.attempt import attempt as try_bpf
from kprof.recorders.perf.attempt import attempt as try_perf
from kprof.survey.binaries import binaries_of, binary_findings, own_libc
from kprof.survey.engines import engines
from kprof.survey.findings import Engine, Finding
from kprof.survey.kernel import kernel_findings, setting_findings
from kprof.survey.tools import tool_findings
from kprof.system import permissions
from kprof.system.tools import find_perf


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found.

    Attributes:
        findings: Facts, those of a topic together.
        engines: What may record, and whether it does.
    """

    findings: Sequence[Finding]
    engines: Sequence[Engine]

    @property
    def can_record(self) -> bool:
        """Whether something that `kprof record` drives was seen to work."""
        return any(engine.works and engine.in_use for engine in self.engines)


def diagnose(*, binaries: Sequence[str] = (), pids: Sequence[int] = ()) -> Diagnosis:
    """Look at this host, and try what may record.

    Args:
        binaries: Files whose frame pointers and symbols are looked at, besides the C library.
        pids: Processes whose programs and libraries are.

    Raises:
        UsageError: One is no binary.
        TargetError: One is no process.
    """
    paths = dict.fromkeys([*binaries, *(path for pid in pids for path in binaries_of(pid))])
    if not paths and (libc := own_libc()):
        paths[libc] = None
    seen = [finding for path in paths for finding in binary_findings(path)]
    allowed = permissions.current()
    for_perf = permissions.current(perf=_perf_path())
    return Diagnosis(
        [*kernel_findings(), *setting_findings(allowed), *tool_findings(), *seen],
        list(engines(for_perf, try_perf=try_perf, try_bpf=try_bpf)),
    )


def _perf_path() -> str:
    try:
        return find_perf()
    except KprofError:
        return ""
