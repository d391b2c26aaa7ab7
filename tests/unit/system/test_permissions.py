"""What the present settings permit, read from a tree that looks like /proc and /sys."""

import os
import struct

import pytest

from kprof.system.permissions import Permissions, current, explain, file_capabilities

PERFMON = 1 << 38
ADMIN = 1 << 21
SYSLOG = 1 << 34


@pytest.fixture
def tree(tmp_path):
    def build(*, paranoid="2", kptr="0", effective=0, lockdown=None, seccomp=0):
        proc, sys = tmp_path / "proc", tmp_path / "sys"
        (proc / "sys/kernel").mkdir(parents=True)
        (proc / "self").mkdir()
        (proc / "sys/kernel/perf_event_paranoid").write_text(paranoid + "\n")
        (proc / "sys/kernel/kptr_restrict").write_text(kptr + "\n")
        (proc / "self/status").write_text(
            f"Name:\tx: y\nCapInh:\t0\nCapEff:\t{effective:016x}\nSeccomp:\t{seccomp}\nSeccomp_filters:\t1\n"
        )
        if lockdown:
            (sys / "kernel/security").mkdir(parents=True)
            (sys / "kernel/security/lockdown").write_text(lockdown + "\n")
        return current(str(proc), str(sys))

    return build


def test_settings_are_read(tree):
    found = tree(
        paranoid="-1", kptr="1", effective=PERFMON | SYSLOG, lockdown="none [integrity] confidentiality"
    )
    assert found == Permissions(-1, 1, frozenset({"CAP_PERFMON", "CAP_SYSLOG"}), "integrity", seccomp=False)
    assert found.is_privileged


def test_what_cannot_be_read_is_the_kernels_default(tmp_path):
    assert current(str(tmp_path), str(tmp_path)) == Permissions()


def test_a_broken_status_gives_nothing_away(tree, tmp_path):
    tree()
    (tmp_path / "proc/self/status").write_text("CapEff:\tnonsense\n")
    assert not current(str(tmp_path / "proc"), str(tmp_path / "sys")).capabilities


@pytest.mark.parametrize(
    ("paranoid", "record", "kernel", "everything"),
    [
        (-1, True, True, True),
        (0, True, True, True),
        (1, True, True, False),
        (2, True, False, False),
        (3, False, False, False),
        (4, False, False, False),
    ],
)
def test_levels(paranoid, record, kernel, everything):
    level = Permissions(paranoid)
    assert (level.may_record, level.may_see_kernel, level.may_see_all) == (record, kernel, everything)
    # None of them binds who has the capability.
    for name in ("CAP_PERFMON", "CAP_SYS_ADMIN"):
        free = Permissions(paranoid, capabilities=frozenset({name}))
        assert free.may_record
        assert free.may_see_kernel
        assert free.may_see_all


@pytest.mark.parametrize(
    ("kptr", "paranoid", "capabilities", "hidden"),
    [
        (0, 1, (), False),
        (0, 2, (), True),
        (1, 1, (), True),
        (1, 2, ("CAP_SYSLOG",), False),
        (2, -1, ("CAP_SYSLOG", "CAP_SYS_ADMIN"), True),
    ],
)
def test_kernel_names(kptr, paranoid, capabilities, hidden):
    assert Permissions(paranoid, kptr, frozenset(capabilities)).kernel_names_hidden is hidden


@pytest.mark.parametrize(
    ("permissions", "wanted", "reason", "advice"),
    [
        (Permissions(2), "all", "sampling whole CPUs is not permitted: kernel.perf_event_paranoid is 2", "perf_event_paranoid=0"),
        (Permissions(2), "all", "no CAP_PERFMON", "setcap cap_perfmon"),
        (Permissions(2), "tracepoints", "recording tracepoints is not permitted", "perf_event_paranoid=-1"),
        (Permissions(2), "tracepoints", "recording tracepoints is not permitted", "cap_syslog,cap_dac_read_search+ep"),
        (Permissions(2), "tracefs", "recording tracepoints is not permitted", "perf_event_paranoid=-1 && sudo mount"),
        (Permissions(-1), "tracefs", "needs /sys/kernel/tracing", "mode=755,gid=$(id -g) /sys/kernel/tracing"),
        (Permissions(2, capabilities=frozenset({"CAP_PERFMON"})), "tracefs", "may not read", "or: sudo mount"),
        (Permissions(3), "user", "sampling is not permitted: kernel.perf_event_paranoid is 3", "perf_event_paranoid=2"),
        (Permissions(2), "other", "a process of another user needs CAP_PERFMON and CAP_SYS_PTRACE", "--root"),
        (Permissions(2, lockdown="confidentiality"), "kernel", "locked down (confidentiality)", "lockdown=integrity"),
        (Permissions(2, capabilities=frozenset({"CAP_SYS_ADMIN"}), seccomp=True), "all", "seccomp", "--cap-add PERFMON"),
    ],
)  # fmt: skip
def test_explanations_name_the_value_and_the_least_grant(permissions, wanted, reason, advice):
    why, what_to_do = explain(permissions, wanted)
    assert reason in why
    assert advice in what_to_do
    assert "\n" not in why + what_to_do


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give capabilities to a file")
def test_capabilities_of_a_program_count(tmp_path):
    program = tmp_path / "perf"
    program.write_text("")
    assert file_capabilities(str(program)) == frozenset()
    # What `setcap cap_perfmon,cap_syslog+ep` writes: revision 2, effective.
    data = struct.pack("<IIIII", 0x02000001, 0, 0, (PERFMON | SYSLOG) >> 32, 0)
    os.setxattr(program, "security.capability", data)
    assert file_capabilities(str(program)) == {"CAP_PERFMON", "CAP_SYSLOG"}
    assert file_capabilities(str(tmp_path / "missing")) == frozenset()
