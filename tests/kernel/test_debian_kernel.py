"""kprof record on Debian's 6.1 kernel: settings and probes that the host's kernel cannot show.

One machine is booted, does every run, and the tests look at what came of them.
"""

import importlib.util
import platform
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOBODY = 65534
HIDDEN = "kernel symbols are hidden (kernel.kptr_restrict is {})"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the emulated machine is an x86-64"),
]


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return load("machine").run_in_guest(HERE / "guest.py", tmp_path_factory.mktemp("machine"), seconds=600)


def stacks(run):
    return [line.rpartition(" ")[0].split(";") for line in run["folded"]]


def has_kernel_names(run):
    return any("do_syscall_64" in stack for stack in stacks(run))


def test_the_machine_runs_debians_kernel(runs):
    assert runs["kernel"]["release"].startswith("6.1.")
    assert "end" in runs


def test_a_command_with_kernel_frames_and_its_exit_code(runs):
    run = runs["command"]
    assert run["code"] == 7, run["err"]
    assert run["samples"] > 20
    assert any(
        stack[0] == "dd" and {"do_syscall_64", "ksys_read", "vfs_read"} <= set(stack) for stack in stacks(run)
    )
    assert "hidden" not in run["err"]


def test_all_cpus(runs):
    run = runs["all-cpus"]
    assert run["code"] == 0, run["err"]
    # The idle task is the kernel's, and sampled on both CPUs.
    assert any(stack[0] == "swapper" and "do_idle" in stack for stack in stacks(run))
    assert 50 < run["samples"] < 99 * 2 * 2.5


def test_a_kprobe_counts_every_call(runs):
    assert runs["perf-probe"]["code"] == 0, runs["perf-probe"]["err"]
    run = runs["probe"]
    assert run["code"] == 7, run["err"]
    # 30,000 reads of dd, and those of starting the programs.
    assert 30_000 <= run["weight"] < 31_000
    assert {stack[-1] for stack in stacks(run)} == {"vfs_read"}


@pytest.mark.parametrize(
    ("event", "leaf"),
    [
        ("kprobe:vfs_read", "vfs_read"),
        ("fentry:vfs_read", "vfs_read"),
        ("fexit:vfs_read", "vfs_read"),
        ("kretprobe:vfs_read", "ksys_read"),
    ],
)
def test_bpf_programs_on_a_function_of_the_kernel_count_every_call(runs, event, leaf):
    run = runs[f"bpf {event}"]
    assert run["code"] == 7, run["err"]
    assert 30_000 <= run["weight"] < 30_200
    mine = [stack for stack in stacks(run) if stack[0] == "dd"]
    # Neither the program nor what calls it is part of the stack.
    assert leaf in {stack[-1] for stack in mine}
    assert "bpf_" not in str(mine)


def test_bpf_programs_built_for_another_kernel_sample_and_measure(runs):
    run = runs["bpf on-cpu"]
    assert run["code"] == 7, run["err"]
    assert run["samples"] > 20
    assert any({"do_syscall_64", "ksys_read", "vfs_read"} <= set(stack) for stack in stacks(run))
    for event in ("off-cpu", "malloc", "syscall"):
        run = runs[f"bpf {event}"]
        assert run["code"] == 7, run["err"]
        assert run["weight"] > 0


@pytest.mark.parametrize("how", ["dwarf", "auto"])
def test_copies_of_stacks_lead_to_the_start_where_frame_pointers_do_not(runs, how):
    def whole(run):
        assert run["code"] == 7, run["err"]
        mine = [line.rpartition(" ")[::2] for line in run["folded"] if line.startswith("dd;")]
        total = sum(int(weight) for _, weight in mine)
        return sum(int(weight) for stack, weight in mine if "__libc_start_main" in stack) / total

    # dd and libc keep no frame pointers.
    assert whole(runs[f"bpf -g {how}"]) > 0.8
    assert whole(runs["bpf -g fp"]) < 0.2
    assert any("vfs_read" in stack for stack in stacks(runs[f"bpf -g {how}"]))
    run = runs["bpf -g dwarf off-cpu"]
    assert run["code"] == 7, run["err"]
    slept = [stack for stack in stacks(run) if stack[0] == "sleep" and "hrtimer_nanosleep" in stack]
    assert slept
    assert all("__libc_start_main" in " ".join(stack) for stack in slept)


def test_paranoid_3_refuses_an_unprivileged_user(runs):
    run = runs["paranoid-3"]
    assert run["code"] == 3
    assert "sampling is not permitted: kernel.perf_event_paranoid is 3" in run["err"]
    assert "kernel.perf_event_paranoid=2" in run["err"]
    assert run["folded"] is None
    assert "Traceback" not in run["err"]


def test_paranoid_2_gives_user_code_only(runs):
    run = runs["paranoid-2"]
    assert run["code"] == 7, run["err"]
    assert "kernel.perf_event_paranoid is 2: recording user code only" in run["err"]
    assert run["owner"] == NOBODY
    assert run["samples"] > 10
    assert not has_kernel_names(run)


def test_paranoid_1_gives_kernel_frames(runs):
    run = runs["paranoid-1"]
    assert run["code"] == 7, run["err"]
    assert "user code only" not in run["err"]
    assert "hidden" not in run["err"]
    assert run["owner"] == NOBODY
    assert has_kernel_names(run)


@pytest.mark.parametrize("level", [2, 1])
def test_whole_cpus_need_paranoid_0(runs, level):
    run = runs[f"paranoid-{level}-all"]
    assert run["code"] == 3
    assert f"sampling whole CPUs is not permitted: kernel.perf_event_paranoid is {level}" in run["err"]
    assert "kernel.perf_event_paranoid=0" in run["err"]


def test_paranoid_minus_1_gives_whole_cpus(runs):
    run = runs["paranoid-minus-1-all"]
    assert run["code"] == 0, run["err"]
    assert run["owner"] == NOBODY
    # With the tasks of others, root's among them.
    assert any(stack[0] == "swapper" for stack in stacks(run))


def test_tracepoints_need_tracefs_too(runs):
    # At paranoid -1 the kernel lets them be recorded, but only root's group may read their numbers.
    run = runs["tracefs-closed"]
    assert run["code"] == 3
    assert len(run["err"].splitlines()) <= 3, run["err"]
    run = runs["tracefs-open"]
    assert run["code"] == 7, run["err"]
    assert run["owner"] == NOBODY
    assert all("__schedule" in stack for stack in stacks(run))


@pytest.mark.parametrize(("name", "value"), [("kptr-1", 1), ("kptr-2", 2)])
def test_hidden_kernel_symbols_are_announced(runs, name, value):
    run = runs[name]
    assert run["code"] == 7, run["err"]
    assert HIDDEN.format(value) in run["err"]
    assert not has_kernel_names(run)


def test_kptr_1_hides_nothing_from_root(runs):
    run = runs["kptr-1-root"]
    assert run["code"] == 7, run["err"]
    assert not re.search("hidden", run["err"])
    assert has_kernel_names(run)
