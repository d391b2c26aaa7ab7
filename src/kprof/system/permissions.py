"""What this user may profile here, and the least that would have to be granted.

Source: Documentation/admin-guide/perf-security.rst and kernel.perf_event_paranoid in
Documentation/admin-guide/sysctl/kernel.rst.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BITS = {"CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34, "CAP_PERFMON": 38}
_CPU_WIDE_LEVEL = 0
_KERNEL_LEVEL = 1
_USER_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Permissions:
    """The settings that decide.

    Attributes:
        paranoid: kernel.perf_event_paranoid; some distributions know 3 and 4.
        kptr_restrict: kernel.kptr_restrict.
        capabilities: Effective capabilities of this process, of those that matter.
        lockdown: `none`, `integrity` or `confidentiality`; empty if the kernel has no lockdown.
    """

    paranoid: int = 2
    kptr_restrict: int = 0
    capabilities: frozenset[str] = frozenset()
    lockdown: str = ""

    @property
    def is_privileged(self) -> bool:
        """Whether perf_event_paranoid does not apply."""
        return bool(self.capabilities & {"CAP_SYS_ADMIN", "CAP_PERFMON"})

    @property
    def may_see_kernel(self) -> bool:
        """Whether kernel code of own processes may be sampled."""
        return self.is_privileged or self.paranoid <= _KERNEL_LEVEL

    @property
    def may_see_all(self) -> bool:
        """Whether whole CPUs, and so other users' processes, may be sampled."""
        return self.is_privileged or self.paranoid <= _CPU_WIDE_LEVEL

    @property
    def may_record(self) -> bool:
        """Whether anything may be sampled."""
        return self.is_privileged or self.paranoid <= _USER_LEVEL

    @property
    def kernel_names_hidden(self) -> bool:
        """Whether kernel addresses, and with them the kernel's symbols, read as 0."""
        if self.kptr_restrict >= 2:  # noqa: PLR2004 - hidden from everybody
            return True
        return "CAP_SYSLOG" not in self.capabilities and (
            self.kptr_restrict == 1 or (self.paranoid > _KERNEL_LEVEL and not self.is_privileged)
        )


def current(proc: str = "/proc", sys: str = "/sys") -> Permissions:
    """Return the settings in force. What cannot be read is taken for the kernel's default."""
    return Permissions(
        _number(Path(proc, "sys/kernel/perf_event_paranoid"), 2),
        _number(Path(proc, "sys/kernel/kptr_restrict"), 0),
        _capabilities(Path(proc, "self/status")),
        _lockdown(Path(sys, "kernel/security/lockdown")),
    )


def _number(path: Path, default: int) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return default


def _capabilities(path: Path) -> frozenset[str]:
    with suppress(OSError, ValueError):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("CapEff:"):
                mask = int(line.split()[1], 16)
                return frozenset(name for name, bit in _BITS.items() if mask >> bit & 1)
    return frozenset()


def _lockdown(path: Path) -> str:
    with suppress(OSError, IndexError):
        return path.read_text(encoding="ascii").split("[")[1].split("]")[0]
    return ""


def explain(permissions: Permissions, wanted: str) -> tuple[str, str]:
    """Return why something is refused, and the least grant that mends it.

    Args:
        permissions: The settings in force.
        wanted: `all` (whole CPUs), `tracepoints`, `other` (another user's process), `kernel`, `user`.
    """
    if permissions.lockdown == "confidentiality" and wanted == "kernel":
        return "the kernel is locked down (confidentiality)", "boot with lockdown=integrity or none"
    level = {"all": 0, "tracepoints": -1, "kernel": 1, "other": 1}.get(wanted, 2)
    what = {
        "all": "sampling whole CPUs",
        "tracepoints": "tracepoints",
        "kernel": "sampling the kernel",
        "other": "sampling a process of another user",
    }.get(wanted, "sampling")
    if wanted == "other":
        return (
            f"{what} needs CAP_PERFMON or CAP_SYS_PTRACE, or root; perf_event_paranoid is {permissions.paranoid}",
            "run kprof record with --root, which runs only perf through sudo",
        )
    return (
        f"{what} is not permitted: kernel.perf_event_paranoid is {permissions.paranoid}"
        f" and this user has no CAP_PERFMON",
        f"run with --root, which runs only perf through sudo, or: sudo sysctl kernel.perf_event_paranoid={level}",
    )
