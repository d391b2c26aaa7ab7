"""What a kernel and its settings mean, read from trees that look like other hosts."""

import gzip

import pytest

from kprof.survey.findings import State
from kprof.survey.kernel import kernel_findings, setting_findings
from kprof.system.kernel_config import has_headers, kernel_config
from kprof.system.permissions import Permissions

ALL = (
    "CONFIG_PERF_EVENTS=y\nCONFIG_BPF_SYSCALL=y\nCONFIG_BPF_EVENTS=y\nCONFIG_DEBUG_INFO_BTF=y\n"
    "CONFIG_FTRACE_SYSCALLS=y\nCONFIG_KPROBES=y\nCONFIG_UPROBES=y\nCONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y\n"
)


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def by_name(findings):
    return {finding.name: finding for finding in findings}


@pytest.mark.parametrize(
    "name", ["proc/config.gz", "boot/config-5.9", "lib/modules/5.9/config", "lib/modules/5.9/build/.config"]
)
def test_configuration_is_found_where_distributions_put_it(tmp_path, name):
    write(tmp_path, name, gzip.compress(ALL.encode()) if name.endswith("gz") else ALL)
    place, options = kernel_config(str(tmp_path), "5.9")
    assert place.endswith(name)
    assert options["CONFIG_KPROBES"] == "y"


def test_no_configuration_is_said(tmp_path):
    write(tmp_path, "proc/config.gz", b"\x1f\x8b no")
    assert kernel_config(str(tmp_path), "5.9") == ("", {})
    assert by_name(kernel_findings(str(tmp_path)))["configuration"].state is State.UNKNOWN


def test_what_an_option_that_is_missing_costs(tmp_path):
    text = ALL.replace("CONFIG_KPROBES=y", "# CONFIG_KPROBES is not set")
    write(tmp_path, "proc/config.gz", gzip.compress(text.encode()))
    found = by_name(kernel_findings(str(tmp_path)))["configuration"]
    assert found.state is State.LIMITED
    assert found.meaning == "no CONFIG_KPROBES: no kprobe: and kretprobe:"


def test_btf_and_counters(tmp_path):
    found = by_name(kernel_findings(str(tmp_path)))
    assert found["BTF"].state is State.MISSING
    assert "CONFIG_DEBUG_INFO_BTF" in found["BTF"].mend
    assert found["hardware counters"].state is State.LIMITED
    write(tmp_path, "sys/kernel/btf/vmlinux", "x")
    write(tmp_path, "sys/bus/event_source/devices/cpu/type", "4\n")
    found = by_name(kernel_findings(str(tmp_path)))
    assert found["BTF"].state is found["hardware counters"].state is State.GOOD


@pytest.mark.parametrize(
    "place", ["sys/kernel/kheaders.tar.xz", "lib/modules/5.9/build/include/linux/kernel.h"]
)
def test_headers(tmp_path, place):
    assert not has_headers(str(tmp_path), "5.9")
    write(tmp_path, place, "")
    assert has_headers(str(tmp_path), "5.9")


def settings(root, **given):
    return by_name(setting_findings(Permissions(**given), str(root)))


@pytest.mark.parametrize(
    ("level", "state"),
    [("none", State.GOOD), ("integrity", State.LIMITED), ("confidentiality", State.LIMITED)],
)
def test_lockdown(tmp_path, level, state):
    assert settings(tmp_path, lockdown=level)["lockdown"].state is state


def test_lockdown_is_not_told_without_securityfs(tmp_path):
    found = settings(tmp_path)["lockdown"]
    assert (found.state, found.mend) == (
        State.UNKNOWN,
        "sudo mount -t securityfs none /sys/kernel/security",
    )
    write(tmp_path, "proc/self/mounts", "none /sys/kernel/security securityfs rw 0 0\n")
    assert settings(tmp_path)["lockdown"].state is State.GOOD


@pytest.mark.parametrize(
    ("level", "capabilities", "state"),
    [
        (4, (), State.MISSING),
        (2, (), State.LIMITED),
        (0, (), State.GOOD),
        (-1, (), State.GOOD),
        (4, ("CAP_PERFMON",), State.GOOD),
    ],
)
def test_paranoid(tmp_path, level, capabilities, state):
    found = settings(tmp_path, paranoid=level, capabilities=frozenset(capabilities))["perf_event_paranoid"]
    assert found.state is state
    assert bool(found.mend) == (state is not State.GOOD)


@pytest.mark.parametrize(
    ("level", "capabilities", "mend"),
    [
        (2, ("CAP_SYSLOG",), "sudo sysctl kernel.kptr_restrict=1"),
        (1, (), "run as root"),
        (1, ("CAP_SYSLOG",), ""),
    ],
)
def test_kernel_names(tmp_path, level, capabilities, mend):
    assert (
        settings(tmp_path, kptr_restrict=level, capabilities=frozenset(capabilities))["kptr_restrict"].mend
        == mend
    )


def test_capabilities(tmp_path):
    assert settings(tmp_path)["capabilities"].state is State.LIMITED
    enough = frozenset({"CAP_BPF", "CAP_PERFMON"})
    assert settings(tmp_path, capabilities=enough)["capabilities"].state is State.GOOD


def test_tracefs(tmp_path):
    assert settings(tmp_path)["tracefs"].mend == "sudo mount -t tracefs nodev /sys/kernel/tracing"
    write(tmp_path, "proc/self/mounts", "tracefs /tr tracefs rw 0 0\n")
    assert "remount" in settings(tmp_path)["tracefs"].mend
    write(tmp_path, "tr/available_events", "sched:sched_switch\n")
    assert settings(tmp_path)["tracefs"].state is State.GOOD


def test_a_filter_of_system_calls_is_named(tmp_path):
    assert "seccomp" not in settings(tmp_path)
    assert "--cap-add" in settings(tmp_path, seccomp=True)["seccomp"].mend
