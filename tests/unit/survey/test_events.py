"""What is listed, and the verdicts: on kernels that this machine is not."""

import gzip

import pytest

from kprof.elf.btf import Argument, Prototype
from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.reach import needs_bpf
from kprof.survey import reach as module
from kprof.survey.catalog import Catalog
from kprof.survey.describe import describe
from kprof.survey.events import Pattern
from kprof.survey.reach import Reach
from kprof.system.kernel_functions import KernelFunctions
from kprof.system.permissions import Permissions

KALLSYMS = """\
ffffffff81000000 T __noinstr_text_start
ffffffff81000010 t quiet
ffffffff81000100 T __noinstr_text_end
ffffffff81000200 T vfs_read
ffffffff81000280 T __pfx_vfs_write
ffffffff81000290 T vfs_write
ffffffff81000300 t twice
ffffffff81000340 t twice
ffffffff81000380 t not_traced
ffffffff81000400 t vfs_read.cold
ffffffff81000410 D some_data
ffffffffc0000000 t in_module\t[xfs]
ffffffffc0000100 t bpf_prog_1234_x\t[bpf]
"""
ROOT = Permissions(capabilities=frozenset({"CAP_SYS_ADMIN"}))
INT = Argument("a", "int", 4)
PLAIN = Prototype(INT, [INT])


@pytest.fixture
def root(tmp_path):
    """A host with kprobes and BTF."""
    files = {
        "proc/kallsyms": KALLSYMS,
        "proc/self/mounts": "none /sys/kernel/debug debugfs rw 0 0\n",
        "sys/kernel/debug/kprobes/blacklist": "0xffffffff81000290-0xffffffff81000299\tvfs_write\n",
        "sys/kernel/tracing/events/x": "",
        "sys/kernel/tracing/available_filter_functions": "vfs_read\nvfs_write\ntwice\ntwice\nin_module [xfs]\n",
        "sys/kernel/tracing/available_events": "lock:contention_begin\nsyscalls:sys_enter_openat\n",
        "sys/kernel/btf/vmlinux": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "proc/config.gz").write_bytes(gzip.compress(b"CONFIG_KPROBES=y\nCONFIG_DYNAMIC_FTRACE=y\n"))
    return tmp_path


@pytest.fixture
def reach(root, monkeypatch):
    def build(try_bpf=lambda event: None, allowed=ROOT, release="6.8.0"):
        monkeypatch.setattr(module.permissions, "current", lambda **_: allowed)
        monkeypatch.setattr(module.host, "release", lambda: release)
        return Reach(KernelFunctions(str(root)), try_bpf, str(root))

    return build


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("execve*", "syscalls:execve", True),
        ("execve*", "syscalls:sys_enter_execve", False),
        ("execve", "syscalls:sys_enter_execve", True),
        ("EXEC", "syscalls:sys_enter_execve", True),
        ("sched:*", "sched:sched_switch", True),
        ("sched:sched_s?itch", "sched:sched_switch", True),
        ("sched_[sw]*", "sched:sched_switch", True),
        ("", "anything", True),
        ("vfs_read", "kprobe:vfs_write", False),
    ],
)
def test_patterns(pattern, name, fits):
    assert Pattern(pattern).fits(name) is fits


def test_functions_of_the_kernel(root):
    found = [function.name for function in KernelFunctions(str(root)).matching(lambda _: True)]
    assert "some_data" not in found
    assert {"vfs_read", "twice", "in_module"} <= set(found)
    assert not {"__pfx_vfs_write", "vfs_read.cold", "bpf_prog_1234_x"} & set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vfs_read", ""),
        ("in_module", ""),
        ("vfs_write", "blocklisted"),
        ("quiet", "blocklisted"),
        ("twice", "ambiguous: 2 of this name"),
        ("not_traced", "notrace"),
    ],
)
def test_kprobes(reach, name, reason):
    assert reach().kprobe(name).reason == reason


@pytest.mark.parametrize(
    ("name", "prototype", "release", "reason"),
    [
        ("vfs_read", PLAIN, "6.8", ""),
        ("vfs_read", None, "6.8", "no BTF"),
        ("not_traced", PLAIN, "6.8", "notrace"),
        ("migrate_disable", PLAIN, "6.8", "denied by the verifier"),
        ("vfs_read", Prototype(INT, [INT], is_variadic=True), "6.8", "takes any number of arguments"),
        ("vfs_read", Prototype(INT, [INT] * 7), "6.8", ""),
        ("vfs_read", Prototype(INT, [INT] * 7), "6.1.0-9-amd64", "7 arguments are too many"),
        ("vfs_read", Prototype(INT, [INT] * 13), "6.8", "13 arguments are too many"),
        (
            "vfs_read",
            Prototype(INT, [Argument("s", "struct s", 24, is_structure=True)]),
            "6.8",
            "takes a structure",
        ),
        (
            "vfs_read",
            Prototype(Argument("", "struct s", 8, is_structure=True), []),
            "6.8",
            "returns a structure",
        ),
    ],
)
def test_fentry(reach, name, prototype, release, reason):
    assert reach(release=release).fentry(name, prototype).reason == reason


def test_a_kind_of_hook_that_is_refused_is_tried_once(reach, root):
    tries = []

    def refuse(event):
        tries.append(event)
        raise NotAvailableError("loading: not permitted [a | b]: with lockdown=integrity")

    verdicts = reach(refuse)
    assert {verdicts.fentry(name, PLAIN).reason for name in ("vfs_read", "vfs_write")} == {"lockdown"}
    assert tries == ["fentry:vfs_read"]
    (root / "proc/config.gz").write_bytes(gzip.compress(b"# CONFIG_KPROBES is not set\nCONFIG_NET=y\n"))
    assert verdicts.kprobe("vfs_read").reason == "no CONFIG_KPROBES"


def test_what_nothing_is_loaded_without(reach, root):
    assert reach(allowed=Permissions()).kprobe("vfs_read").reason == "needs root"
    assert (
        reach(allowed=Permissions(capabilities=frozenset({"CAP_BPF", "CAP_PERFMON"})))
        .kprobe("vfs_read")
        .reached
    )
    locked = Permissions(capabilities=ROOT.capabilities, lockdown="confidentiality")
    assert reach(allowed=locked).kprobe("vfs_read").reason == "lockdown"
    (root / "sys/kernel/btf/vmlinux").unlink()
    assert reach().kprobe("vfs_read").reason == "no BTF"


def test_perf_without_rights(reach):
    assert reach(allowed=Permissions(2)).perf("sched:sched_switch", "tracepoint").reason == "needs root"
    assert reach(allowed=Permissions(2)).perf("cpu-clock", "software event").reached
    assert (
        reach(allowed=Permissions(4)).perf("cpu-clock", "software event").reason == "perf_event_paranoid is 4"
    )
    assert reach().perf("msr/tsc/", "pmu event").reason == "counts only: perf stat"


@pytest.mark.parametrize(
    ("event", "needs"),
    [
        ("lock", True),
        ("lock:k", True),
        ("lock:contention_begin", False),
        ("tcp:tcp_probe", False),
        ("tcp:u", True),
    ],
)
def test_tracepoints_that_are_grouped_like_a_recipe_are_no_recipe(event, needs):
    assert needs_bpf(event) is needs


def test_without_tracefs_the_rest_is_listed(tmp_path):
    catalog = Catalog(root=str(tmp_path))
    assert "cpu-clock" in {event.name for event in catalog.matching("cpu-clock")}
    assert "tracefs is not mounted" in catalog.notes[0]


def test_a_name_that_is_nearly_right(root):
    with pytest.raises(UsageError) as caught:
        describe("lock:contention_begun", Catalog(root=str(root)))
    assert caught.value.help_text == "there is lock:contention_begin"
