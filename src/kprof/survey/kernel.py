"""The kernel and its settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from kprof.survey.findings import Finding, State
from kprof.system import host
from kprof.system.kernel_config import kernel_config
from kprof.system.mounts import mount_point
from kprof.system.permissions import Permissions
from kprof.system.procfs import own_pid_is_global

_BTF = "sys/kernel/btf/vmlinux"
# Options, what they are for, and whether all kernels that can be recorded on have them.
_OPTIONS = {
    "CONFIG_PERF_EVENTS": "perf and samples",
    "CONFIG_BPF_SYSCALL": "BPF programs",
    "CONFIG_BPF_EVENTS": "BPF programs on events",
    "CONFIG_DEBUG_INFO_BTF": "the kernel's types",
    "CONFIG_FTRACE_SYSCALLS": "tracepoints of system calls",
    "CONFIG_KPROBES": "kprobe: and kretprobe:",
    "CONFIG_UPROBES": "uprobe:, malloc",
    "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS": "fentry: and fexit:",
}
_WANTED = ("CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SYSLOG")
_UNPRIVILEGED = {
    "0": "every user may load some kinds of programs",
    "1": "users without CAP_BPF load no programs, until the next boot",
    "2": "users without CAP_BPF load no programs",
}
_PARANOID = {
    -1: "everybody may record everything, tracepoints too",
    0: "everybody may record whole CPUs",
    1: "without CAP_PERFMON: own processes, with the kernel's part",
    2: "without CAP_PERFMON: user code of own processes",
}
_HIDDEN = {0: "addresses are shown to whoever may profile the kernel", 1: "shown to CAP_SYSLOG alone"}


def kernel_findings(root: str = "/") -> Iterator[Finding]:
    """Give what the kernel is, and what it was built with."""
    facts = host.facts()
    yield Finding("kernel", "kernel", facts["kernel"])
    place, options = kernel_config(root)
    if options:
        yield _options(place, options)
    else:
        yield Finding(
            "kernel", "configuration", "not told", State.UNKNOWN,
            "what it was built with can only be tried", "sudo modprobe configs",
        )  # fmt: skip
    if Path(root, _BTF).exists():
        yield Finding("kernel", "BTF", f"/{_BTF}")
    else:
        yield Finding(
            "kernel", "BTF", "none", State.MISSING, "the bpf backend cannot relocate its programs",
            "boot a kernel with CONFIG_DEBUG_INFO_BTF=y",
        )  # fmt: skip
    if host.has_hardware_counters(str(Path(root, "sys"))):
        yield Finding("kernel", "hardware counters", "there are some")
    else:
        yield Finding(
            "kernel", "hardware counters", "none", State.LIMITED,
            "cpu-clock is sampled instead of cycles; virtual machines often hide them",
        )  # fmt: skip


def _options(place: str, options: Mapping[str, str]) -> Finding:
    missing = [name for name in _OPTIONS if options.get(name) not in {"y", "m"}]
    if not missing:
        return Finding("kernel", "configuration", f"{place}: all that matters is set")
    lost = "; ".join(f"no {name}: no {_OPTIONS[name]}" for name in missing)
    return Finding("kernel", "configuration", place, State.LIMITED, lost, "boot a kernel that has it")


def setting_findings(allowed: Permissions, root: str = "/") -> Iterator[Finding]:
    """Give the settings that permit and forbid."""
    yield _lockdown(allowed, root)
    yield _paranoid(allowed)
    yield _pointers(allowed)
    yield _unprivileged(root)
    yield _capabilities(allowed)
    yield _tracefs(root)
    if allowed.seccomp:
        yield Finding(
            "settings", "seccomp", "a filter of system calls holds us", State.LIMITED,
            "it may refuse perf_event_open and bpf, as in containers",
            "start the container with --cap-add PERFMON --cap-add SYS_PTRACE --cap-add BPF",
        )  # fmt: skip
    if not own_pid_is_global(str(Path(root, "proc"))):
        yield Finding(
            "settings", "pid namespace", "our own", State.LIMITED,
            "BPF programs see other process ids than we do", "start the container with --pid=host",
        )  # fmt: skip


def _lockdown(allowed: Permissions, root: str) -> Finding:
    place = "sys/kernel/security"
    level = allowed.lockdown
    if level == "none":
        return Finding("settings", "lockdown", level)
    if level:
        meaning = (
            "the kernel's memory may not be read: neither BPF programs nor kernel samples"
            if level == "confidentiality"
            else "some ways into the kernel are closed, on some kernels fentry: too"
        )
        return Finding("settings", "lockdown", level, State.LIMITED, meaning, "boot with lockdown=none")
    if mount_point("securityfs", root):
        return Finding("settings", "lockdown", "none: the kernel has no lockdown")
    return Finding(
        "settings", "lockdown", "not told", State.UNKNOWN, "securityfs is not mounted",
        f"sudo mount -t securityfs none /{place}",
    )  # fmt: skip


def _paranoid(allowed: Permissions) -> Finding:
    level = allowed.paranoid
    meaning = _PARANOID.get(max(level, -1), "without CAP_PERFMON: nothing")
    if allowed.is_privileged:
        return Finding("settings", "perf_event_paranoid", f"{level}; does not hold for us", meaning=meaning)
    state = State.GOOD if allowed.may_see_all else State.LIMITED if allowed.may_record else State.MISSING
    wanted = 0 if allowed.may_see_kernel else 1
    grant = f"kprof record --root, or: sudo sysctl kernel.perf_event_paranoid={wanted}"
    mend = "" if state is State.GOOD else grant
    return Finding("settings", "perf_event_paranoid", str(level), state, meaning, mend)


def _pointers(allowed: Permissions) -> Finding:
    level = allowed.kptr_restrict
    meaning = _HIDDEN.get(level, "hidden from everybody, root too")
    if not allowed.kernel_names_hidden:
        return Finding("settings", "kptr_restrict", str(level), meaning=meaning)
    mend = "run as root" if level < 2 else "sudo sysctl kernel.kptr_restrict=1"  # noqa: PLR2004 - as above
    return Finding(
        "settings", "kptr_restrict", str(level), State.LIMITED, f"{meaning}: no names in the kernel", mend
    )  # fmt: skip


def _unprivileged(root: str) -> Finding:
    name = "unprivileged_bpf_disabled"
    try:
        value = Path(root, "proc/sys/kernel", name).read_text(encoding="ascii").strip()
    except OSError:
        return Finding("settings", name, "not told", State.UNKNOWN, "a kernel without BPF, or an old one")
    return Finding("settings", name, value, meaning=_UNPRIVILEGED.get(value, ""))


def _capabilities(allowed: Permissions) -> Finding:
    have = [name for name in _WANTED if name in allowed.capabilities]
    if "CAP_SYS_ADMIN" in have or {"CAP_BPF", "CAP_PERFMON"} <= set(have):
        return Finding("settings", "capabilities", " ".join(have))
    return Finding(
        "settings", "capabilities", " ".join(have) or "none of those that matter", State.LIMITED,
        "the bpf backend needs CAP_BPF and CAP_PERFMON", "run as root: sudo kprof ...",
    )  # fmt: skip


def _tracefs(root: str) -> Finding:
    place = mount_point("tracefs", root)
    if not place:
        return Finding(
            "settings", "tracefs", "not mounted", State.LIMITED, "tracepoints have no names",
            "sudo mount -t tracefs nodev /sys/kernel/tracing",
        )  # fmt: skip
    try:
        (Path(root, place.lstrip("/")) / "available_events").read_bytes()
    except OSError as error:
        return Finding(
            "settings", "tracefs", f"{place}: {error.strerror}", State.LIMITED,
            "this user records no tracepoints",
            f"sudo mount -o remount,mode=755,gid=$(id -g) {place}",
        )  # fmt: skip
    return Finding("settings", "tracefs", place)
