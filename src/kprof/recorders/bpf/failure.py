"""What a refusal means on this host, and what to do about it."""

import errno
import re
from pathlib import Path

from kprof.errors import KprofError, NotAvailableError
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.system.permissions import Permissions
from kprof.system.procfs import own_pid_is_global

_NEEDS = ("CAP_BPF", "CAP_PERFMON")
_BTF = "/sys/kernel/btf/vmlinux"
_MOST_LINES = 3
# What is said around the verifier's reasons, but is none.
_NOISE = re.compile(
    r"^(-- (BEGIN|END) .*|processed \d+ insns.*|prog '.*': (BPF program load failed|failed to load).*"
    r"|failed to load object.*|permission error while running as root.*"
    r"|loading object.*|.*sec .*: .*found.*|\d+: \(.*|; .*|Func#.*|reg type.*)?$"
)
_AS_ROOT = "run as root: sudo kprof ...; or grant cap_bpf,cap_perfmon"


def check_permissions(permissions: Permissions) -> None:
    """Raise before anything is tried if it cannot succeed.

    Raises:
        NotAvailableError: Capabilities are missing.
    """
    missing = [name for name in _NEEDS if name not in permissions.capabilities]
    if missing and "CAP_SYS_ADMIN" not in permissions.capabilities:
        raise NotAvailableError(f"loading BPF programs needs {' and '.join(missing)}", _AS_ROOT)


def check_namespace() -> None:
    """Raise if process ids are other ones for us than for the kernel.

    Raises:
        NotAvailableError: They are.
    """
    if not own_pid_is_global():
        raise NotAvailableError(
            "kprof runs in a pid namespace, where process ids are not those that BPF programs see",
            "run it on the host, or start the container with --pid=host",
        )


def translate(error: LibbpfError, permissions: Permissions, *, btf: str = _BTF) -> KprofError:
    """Return the error for what libbpf or the kernel refused.

    Args:
        error: The refusal, with its log.
        permissions: What is allowed here.
        btf: Where the kernel tells its types.
    """
    meaning, advice = _meaning(error, permissions, Path(btf))
    lines = _decisive(error.log)
    said = f" [{' | '.join(lines)}]" if lines else ""
    return NotAvailableError(f"{error}{said}: {meaning}" if meaning else f"{error}{said}", advice)


def _meaning(error: LibbpfError, permissions: Permissions, btf: Path) -> tuple[str, str]:
    if not btf.exists():
        return (
            "this kernel does not tell its types (no /sys/kernel/btf/vmlinux), which relocation needs",
            "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, or use --backend perf",
        )
    if permissions.lockdown == "confidentiality":
        return "the kernel is locked down (confidentiality)", "boot with lockdown=integrity or none"
    # Without securityfs it cannot be told whether the kernel is locked down.
    if error.number == errno.EPERM and permissions.lockdown != "none" and _LOCKED.search(error.log):
        return (
            "this kernel does not let programs be attached to its functions, as with lockdown=integrity",
            "use a tracepoint, or boot with lockdown=none",
        )
    log = error.log.lower()
    for numbers, pattern, meaning, advice in _MEANINGS:
        if error.number in numbers and re.search(pattern, log):
            return meaning, advice
    return "", "`dmesg` may say why; --backend perf may do"


_LOCKED = re.compile("fentry|fexit|lsm")
# The errno, what stands in the log in lower case, what it means, what to do; the first that fits.
_MEANINGS = (
    (
        {errno.EPERM, errno.EACCES},
        r"^\s*$",
        "not permitted",
        f"{_AS_ROOT}; a seccomp filter, as in containers, refuses it to root, too",
    ),
    (
        {errno.EPERM, errno.ENOMEM, errno.E2BIG},
        r"memlock|rlimit|create map|^\s*$",
        "the kernel gives no memory for the maps",
        "lower -F, or raise the limit: ulimit -l unlimited",
    ),
    (
        {errno.EPERM, errno.EACCES},
        "failed to create u(ret)?probe",
        "functions of programs need CAP_SYS_ADMIN",
        "run as root: sudo kprof record --backend bpf ...",
    ),
    (
        {errno.ENOENT, errno.EOPNOTSUPP},
        "kprobe",
        "this kernel was built without CONFIG_KPROBES, or has no such function",
        "use a tracepoint",
    ),
    (
        {errno.EINVAL, errno.ENOSYS},
        "unknown func|invalid func|unknown opcode",
        "this kernel is too old: the bpf backend needs Linux 5.18",
        "use --backend perf",
    ),
    (
        {errno.EACCES, errno.EINVAL},
        "",
        "the kernel's verifier refuses the program",
        "please report this, with the kernel's version",
    ),
)


def _decisive(log: str) -> list[str]:
    """Return the last lines that say something: a verifier's reason stands at the end of what it says."""
    lines = [" ".join(line.removeprefix("libbpf: ").split()) for line in log.splitlines()]
    told = [line for line in lines if line and not _NOISE.match(line)]
    return list(dict.fromkeys(told))[-_MOST_LINES:]
