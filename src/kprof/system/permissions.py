"""What this user may profile here, and the least that would have to be granted.

Source: Documentation/admin-guide/perf-security.rst and kernel.perf_event_paranoid in
Documentation/admin-guide/sysctl/kernel.rst.
"""

import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BITS = {"CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34, "CAP_PERFMON": 38, "CAP_BPF": 39}
_CPU_WIDE_LEVEL = 0
_KERNEL_LEVEL = 1
_USER_LEVEL = 2
_SEES_ALL_TASKS = frozenset({"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_PERFMON"})
# struct vfs_cap_data of linux/capability.h: flags, then permitted and inheritable, low and high words.
_FILE_CAPABILITIES = struct.Struct("<IIIII")
_EFFECTIVE = 1


@dataclass(frozen=True, slots=True)
class Permissions:
    """The settings that decide.

    Attributes:
        paranoid: kernel.perf_event_paranoid; some distributions know 3 and 4.
        kptr_restrict: kernel.kptr_restrict.
        capabilities: Capabilities that perf will have, of those that matter.
        lockdown: `none`, `integrity` or `confidentiality`; empty if the kernel has no lockdown.
        seccomp: Whether a filter of system calls holds us, as in most containers.
    """

    paranoid: int = 2
    kptr_restrict: int = 0
    capabilities: frozenset[str] = frozenset()
    lockdown: str = ""
    seccomp: bool = False

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


def current(proc: str = "/proc", sys: str = "/sys", perf: str = "") -> Permissions:
    """Return the settings in force. What cannot be read is taken for the kernel's default.

    Args:
        proc: Where /proc is.
        sys: Where /sys is.
        perf: The program that will record: `setcap` may have given it more than we have.
    """
    status = _status(Path(proc, "self/status"))
    with suppress(ValueError):
        own = int(status.get("CapEff", "0"), 16)
        return Permissions(
            _number(Path(proc, "sys/kernel/perf_event_paranoid"), 2),
            _number(Path(proc, "sys/kernel/kptr_restrict"), 0),
            _names(own) | (file_capabilities(perf) if perf else frozenset()),
            _lockdown(Path(sys, "kernel/security/lockdown")),
            status.get("Seccomp", "0") == "2",
        )
    return Permissions()


def file_capabilities(path: str) -> frozenset[str]:
    """Return the capabilities that a program has by itself, of those that matter."""
    with suppress(OSError, struct.error):
        data = os.getxattr(path, "security.capability")[: _FILE_CAPABILITIES.size]
        flags, low, _, high, _ = _FILE_CAPABILITIES.unpack(data)
        return _names(low | high << 32) if flags & _EFFECTIVE else frozenset()
    return frozenset()


def _names(mask: int) -> frozenset[str]:
    return frozenset(name for name, bit in _BITS.items() if mask >> bit & 1)


def _status(path: Path) -> dict[str, str]:
    with suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return {}


def _number(path: Path, default: int) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return default


def _lockdown(path: Path) -> str:
    with suppress(OSError, IndexError):
        return path.read_text(encoding="ascii").split("[")[1].split("]")[0]
    return ""


# Its files may be read by their group, which is root's; the setting of the kernel does not change that.
_OPEN_TRACEFS = "sudo mount -o remount,mode=755,gid=$(id -g) /sys/kernel/tracing"
_WANTED = {
    "all": ("sampling whole CPUs", 0),
    "tracepoints": ("recording tracepoints", -1),
    "tracefs": ("recording tracepoints", -1),
    "kernel": ("sampling the kernel", 1),
    "user": ("sampling", 2),
}


def explain(permissions: Permissions, wanted: str) -> tuple[str, str]:
    """Return why something is refused, and the least grant that mends it.

    Args:
        permissions: The settings in force.
        wanted: `all` (whole CPUs), `tracepoints`, `tracefs` (which describes them), `other` (another
            user's process), `kernel`, `user`.
    """
    if permissions.lockdown == "confidentiality":
        return "the kernel is locked down (confidentiality)", "boot with lockdown=integrity or none"
    if wanted == "other" and not permissions.capabilities & _SEES_ALL_TASKS:
        needs = "sampling a process of another user needs CAP_PERFMON and CAP_SYS_PTRACE, or root"
        return (
            f"{needs}; kernel.perf_event_paranoid is {permissions.paranoid}",
            "run with --root, which runs only perf through sudo",
        )
    if wanted == "tracefs" and (permissions.is_privileged or permissions.paranoid < _CPU_WIDE_LEVEL):
        return (
            "recording tracepoints needs /sys/kernel/tracing, which this user may not read",
            f"run with --root, which runs only perf through sudo, or: {_OPEN_TRACEFS}",
        )
    if permissions.is_privileged:
        if permissions.seccomp:
            return (
                "a seccomp filter refuses perf_event_open, as container runtimes do",
                "start the container with --cap-add PERFMON --cap-add SYS_PTRACE, or record from the host",
            )
        return "perf may not open this event although it is privileged", "`dmesg` may say why"
    what, level = _WANTED.get(wanted, _WANTED["user"])
    grant = f"sudo sysctl kernel.perf_event_paranoid={level}"
    capabilities = "cap_perfmon,cap_sys_ptrace,cap_syslog"
    if level < _CPU_WIDE_LEVEL:
        grant += f" && {_OPEN_TRACEFS}"
        capabilities += ",cap_dac_read_search"
    if level <= _CPU_WIDE_LEVEL:
        grant += f', or: sudo setcap {capabilities}+ep "$(readlink -f "$(which perf)")"'
    setting = f"kernel.perf_event_paranoid is {permissions.paranoid}"
    return (
        f"{what} is not permitted: {setting} and this user has no CAP_PERFMON",
        f"run with --root, which runs only perf through sudo, or: {grant}",
    )
