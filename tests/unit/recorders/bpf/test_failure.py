"""What a refusal means here: one line with the log's reason, its meaning, and what to do."""

import errno

import pytest

from kprof.errors import NotAvailableError
from kprof.recorders.bpf import libbpf
from kprof.recorders.bpf.failure import check_permissions, translate
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.loader import BpfObject
from kprof.system.permissions import Permissions

VERIFIER = """libbpf: prog 'sample': BPF program load failed: Permission denied
libbpf: prog 'sample': -- BEGIN PROG LOAD LOG --
0: R1=ctx(off=0,imm=0) R10=fp0
; int sample(struct bpf_perf_event_data *ctx) {
0: (b7) r1 = 0
12: (85) call bpf_get_stack#67
R2 unbounded memory access, use 'var &= const' or 'if (var < const)'
processed 13 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'sample': failed to load: -13
libbpf: failed to load object 'sample'
"""
ALL = Permissions(capabilities=frozenset({"CAP_BPF", "CAP_PERFMON"}), lockdown="none")


@pytest.fixture
def btf(tmp_path):
    (tmp_path / "vmlinux").touch()
    return str(tmp_path / "vmlinux")


def told(number, log, btf, permissions=ALL):
    error = translate(LibbpfError("loading the BPF programs", number, log), permissions, btf=btf)
    assert isinstance(error, NotAvailableError)
    assert error.exit_code == 3
    assert "\n" not in f"{error}{error.help_text}"
    return f"{error}; {error.help_text}"


def test_the_verifiers_reason_is_shown_and_its_noise_is_not(btf):
    text = told(errno.EACCES, VERIFIER, btf)
    assert "R2 unbounded memory access" in text
    assert "verifier refuses" in text
    assert "insns" not in text
    assert "(85)" not in text


@pytest.mark.parametrize(
    ("number", "log", "says"),
    [
        (errno.EPERM, "", "not permitted"),
        (errno.ENOMEM, "libbpf: failed to create map 'rows_a'", "no memory for the maps"),
        (errno.EPERM, "libbpf: permission error while running as root; try raising 'ulimit -l'? current value: 8.0 MiB (memlock)", "ulimit -l unlimited"),
        (errno.ENOENT, "libbpf: prog 'x': failed to create kprobe 'vfs_read+0x0' perf event: No such file", "CONFIG_KPROBES"),
        (errno.EINVAL, "libbpf: invalid func unknown#181", "Linux 5.18"),
        (errno.EACCES, "libbpf: prog 'function': failed to create uprobe '/lib/libc.so.6:0x98930' perf event: Permission denied", "CAP_SYS_ADMIN"),
        (errno.EIO, "", "dmesg"),
    ],
)  # fmt: skip
def test_what_it_means(number, log, says, btf):
    assert says in told(number, log, btf)


def test_without_types_nothing_can_be_relocated(tmp_path):
    text = told(
        errno.ESRCH, "libbpf: kernel BTF is missing at '/sys/kernel/btf/vmlinux'", str(tmp_path / "none")
    )
    assert "CONFIG_DEBUG_INFO_BTF" in text


def test_lockdown(btf):
    locked = Permissions(capabilities=ALL.capabilities, lockdown="integrity")
    assert "lockdown=integrity" in told(
        errno.EPERM, "libbpf: prog 'fentry_x': failed to load: -1", btf, locked
    )
    assert "confidentiality" in told(
        errno.EPERM, "", btf, Permissions(capabilities=ALL.capabilities, lockdown="confidentiality")
    )


@pytest.mark.parametrize(
    ("have", "missing"),
    [((), "CAP_BPF and CAP_PERFMON"), (("CAP_BPF",), "CAP_PERFMON"), (("CAP_PERFMON",), "CAP_BPF")],
)
def test_missing_capabilities_are_named(have, missing):
    with pytest.raises(NotAvailableError, match=rf"(?m)needs {missing}$"):
        check_permissions(Permissions(capabilities=frozenset(have)))


def test_root_has_all():
    check_permissions(Permissions(capabilities=frozenset({"CAP_SYS_ADMIN"})))


def test_a_file_that_is_no_object():
    with pytest.raises(LibbpfError, match="opening the BPF object") as caught:
        BpfObject(b"\x7fELF but no more")
    assert "libbpf" in caught.value.log


def test_without_libbpf_it_says_what_to_install(monkeypatch):
    libbpf.library.cache_clear()
    monkeypatch.setattr(libbpf, "_LIBRARY", "libbpf-that-nobody-has.so.1")
    with pytest.raises(NotAvailableError, match="is not installed") as caught:
        libbpf.version()
    assert "apt-get install libbpf1" in caught.value.help_text
    libbpf.library.cache_clear()
