"""Which engine reaches which event: kinds of hooks are tried, events judged by what the kernel tells."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from kprof.elf.btf import Prototype
from kprof.errors import KprofError
from kprof.recorders.bpf import libbpf
from kprof.recorders.bpf.attempt import attempt
from kprof.recorders.bpf.plan import plan
from kprof.recorders.perf.events import plan_events
from kprof.recorders.request import RecordRequest
from kprof.survey.engines import HOOKS
from kprof.survey.events import Verdict
from kprof.system import host, permissions
from kprof.system.kernel_config import kernel_config
from kprof.system.kernel_functions import KernelFunctions
from kprof.system.tools import find_perf

YES = Verdict()
NEEDS_BPF = Verdict("bpf only")
_LONGEST = 70
_MOST_ARGUMENTS, _MOST_REGISTERS, _STACKED_SINCE = 12, 6, (6, 6)
_WIDEST_STRUCTURE, _WIDEST_RESULT = 16, 8
# btf_id_deny of kernel/bpf/verifier.c: what programs themselves call on their way.
_DENIED = frozenset(
    {
        "migrate_disable", "migrate_enable", "rcu_read_unlock_strict", "preempt_count_add",
        "preempt_count_sub", "__rcu_read_lock", "__rcu_read_unlock",
    }
)  # fmt: skip
# Those of CPUs sample; others count, and perf stat reads them.
_SAMPLING_PMUS = ("cpu", "cpu_core", "cpu_atom", "armv8", "ibs_op", "ibs_fetch", "arm_spe", "intel_pt")
_CONFIG = {"kprobe": "CONFIG_KPROBES", "uprobe": "CONFIG_UPROBES"}


class Reach:
    """Verdicts for this host.

    Args:
        functions: The kernel's functions.
        try_bpf: Loads and attaches the programs of an event; raises KprofError if that fails.
        root: Where the file system is.
    """

    def __init__(
        self, functions: KernelFunctions, try_bpf: Callable[[str], object] = attempt, root: str = "/"
    ) -> None:
        self._functions, self._root = functions, root
        self._attempt = try_bpf
        self._allowed = permissions.current()
        self._hardware = host.has_hardware_counters()
        self.hook = cache(self._hook)

    def _hook(self, kind: str) -> Verdict:
        """Return whether programs can be attached to a kind of hook, tried."""
        return self._basis() or self.tried(HOOKS[kind], _CONFIG.get(kind, ""))

    def tried(self, event: str, option: str = "") -> Verdict:
        """Return whether the programs of an event can be attached, tried."""
        try:
            self._attempt(event)
        except KprofError as error:
            return Verdict(self._reason(error, option))
        return YES

    def _basis(self) -> Verdict | None:
        """Return why no program can be loaded at all; None if one may be."""
        try:
            libbpf.version()
        except KprofError:
            return Verdict("no libbpf")
        enough = {"CAP_BPF", "CAP_PERFMON"} <= self._allowed.capabilities
        if not enough and "CAP_SYS_ADMIN" not in self._allowed.capabilities:
            return Verdict("needs root")
        if not Path(self._root, "sys/kernel/btf/vmlinux").exists():
            return Verdict("no BTF")
        return Verdict("lockdown") if self._allowed.lockdown == "confidentiality" else None

    def _reason(self, error: KprofError, option: str) -> str:
        _, options = kernel_config(self._root)
        if option and options and options.get(option) != "y":
            return f"no {option}"
        text = str(error)
        if "lockdown" in text:
            return "lockdown"
        text = text.rpartition("]: ")[2]
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

    @cache  # noqa: B019 - lives as long as the command
    def perf_basis(self) -> Verdict:
        """Return whether perf may record anything."""
        try:
            find_perf()
        except KprofError:
            return Verdict("no perf")
        if not self._allowed.may_record:
            return Verdict(f"perf_event_paranoid is {self._allowed.paranoid}")
        return YES

    def perf(self, event: str, kind: str) -> Verdict:
        """Return whether perf reaches one of its events, or a tracepoint."""
        basis = self.perf_basis()
        if not basis.reached:
            return basis
        if kind == "tool event":
            return Verdict("counts only: perf stat")
        if kind == "pmu event" and not event.startswith(_SAMPLING_PMUS):
            return Verdict("counts only: perf stat")
        request = RecordRequest(command=("true",), events=(event,))
        try:
            plan_events(request, self._allowed, hardware=self._hardware)
        except KprofError as error:
            return Verdict(self._planned(error))
        return YES

    def planned(self, event: str) -> Verdict:
        """Return whether libbpf reaches an event of perf."""
        try:
            request = RecordRequest(command=("true",), events=(event,))
            plan(request, hardware=self._hardware, fastest=host.fastest_sampling(), tracepoint=lambda _: 0)
        except KprofError as error:
            return Verdict(self._planned(error))
        return self.hook("samples")

    def _planned(self, error: KprofError) -> str:
        text = str(error)
        if "no hardware counters" in text:
            return "no hardware counters"
        if "not permitted" in text or "may not read" in text:
            return "needs root"
        return "perf only" if "does not know" in text else text[:_LONGEST]

    def kprobe(self, name: str) -> Verdict:
        """Return whether a breakpoint can be put at the start of a kernel function."""
        verdict = self.hook("kprobe")
        if not verdict.reached:
            return verdict
        if name in self._functions.blocked:
            return Verdict("blocklisted")
        if self._functions.times(name) > 1:
            return Verdict(f"ambiguous: {self._functions.times(name)} of this name")
        traceable = self._functions.traceable
        if traceable is not None and name not in traceable and self._functions.probes_need_traceable:
            return Verdict("notrace")
        return YES

    def fentry(self, name: str, prototype: Prototype | None) -> Verdict:
        """Return whether a program can be called at the start of a kernel function."""
        verdict = self.hook("fentry")
        if not verdict.reached:
            return verdict
        if prototype is None:
            return Verdict("no BTF")
        if name in _DENIED:
            return Verdict("denied by the verifier")
        traceable = self._functions.traceable
        if traceable is not None and name not in traceable:
            return Verdict("notrace")
        return Verdict(_unfit(prototype))


def _unfit(prototype: Prototype) -> str:
    """Return why the trampoline of a function cannot be built; empty if it can."""
    arguments = prototype.arguments
    if prototype.is_variadic:
        return "takes any number of arguments"
    release = tuple(int(word) for word in host.release().split(".")[:2] if word.isdigit())
    words = sum(max((argument.size + 7) // 8, 1) for argument in arguments)
    if len(arguments) > _MOST_ARGUMENTS or (words > _MOST_REGISTERS and release < _STACKED_SINCE):
        return f"{len(arguments)} arguments are too many"
    if any(argument.is_structure and argument.size > _WIDEST_STRUCTURE for argument in arguments):
        return "takes a structure"
    result = prototype.result
    return "returns a structure" if result.is_structure or result.size > _WIDEST_RESULT else ""
