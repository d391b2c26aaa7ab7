"""kprof record on Debian's 6.1 kernel: settings and probes that the host's kernel cannot show.

One machine is booted, does every run, and the tests look at what came of them.
"""

import platform
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOBODY = 65534
# Of the program (which names no _start), and of the loader.
START = re.compile(r"dd;(\[dd\];__libc_start_main|_start;_dl_start|_dl_start_user;)")
HIDDEN = "kernel symbols are hidden (kernel.kptr_restrict is {})"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the emulated machine is an x86-64"),
]


@pytest.fixture(scope="session")
def runs(machines):
    return machines["guest"].result()


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
    # 30,000 reads of dd, and those of starting the programs. perf loses some where it does not get its turn.
    lost = int(re.search(r"([\d,]+) lost", run["err"])[1].replace(",", ""))
    assert 30_000 <= run["weight"] + lost < 31_000
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
        return sum(int(weight) for stack, weight in mine if START.match(stack)) / total

    # dd, libc and the loader keep no frame pointers.
    assert whole(runs[f"bpf -g {how}"]) > 0.8
    assert whole(runs["bpf -g fp"]) < 0.2
    assert any("vfs_read" in stack for stack in stacks(runs[f"bpf -g {how}"]))
    run = runs["bpf -g dwarf off-cpu"]
    assert run["code"] == 7, run["err"]
    slept = [stack for stack in stacks(run) if stack[0] == "sleep" and "hrtimer_nanosleep" in stack]
    assert slept
    assert all("__libc_start_main" in " ".join(stack) for stack in slept)


def test_places_in_programs_are_attached_to_one_by_one(runs):
    """This kernel cannot do all at once; patterns and probes work all the same."""
    run = runs["shop functions"]
    assert run["code"] == 0, run["err"]
    assert "is 2 places" in run["err"]
    assert run["weight"] == 1234 + 321
    assert {stack[-1] for stack in stacks(run)} == {"step_one", "step_two"}
    run = runs["shop probe"]
    assert (run["code"], run["weight"]) == (0, 1234), run["err"]
    run = runs["bpf raw_tp:sys_enter"]
    assert run["code"] == 7, run["err"]
    assert run["weight"] > 60_000


def test_memory_that_is_not_freed_and_what_wakes(runs):
    run = runs["shop live"]
    assert run["code"] == 0, run["err"]
    kept = [line for line in run["folded"] if ";keeps;" in line]
    assert sum(int(line.rpartition(" ")[2]) for line in kept) == 10_000
    assert not any("step_two" in line for line in run["folded"])
    run = runs["shop waker"]
    assert run["code"] == 0, run["err"]
    slept = [stack for stack in stacks(run) if "[S: sleeping]" in stack and "hrtimer_nanosleep" in stack]
    assert any("--" in stack and "hrtimer_wakeup" in stack for stack in slept)


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


@pytest.mark.parametrize("engine", ["libbpf", "bpftrace", "bcc"])
def test_what_a_script_executes_by_all_engines(runs, engine):
    run = runs[f"trace exec {engine}"]
    if run["code"] == 3 and "is not installed" in run["err"]:
        pytest.skip(run["err"])
    assert run["code"] == 7, run["err"]
    assert ", 0 lost" in run["err"]
    told = [(row["call"], row["ret"], row["cwd"], row["args"]) for row in run["rows"]]
    expected = [("execve", 0, "/", ["/bin/true", f"number {i}"]) for i in range(1, 17)]
    expected += [
        ("execve", 0, "/usr/share", ["/usr/bin/seq", "1", "900"]),
        ("execve", 0, "/usr/share", ["/bin/true", *map(str, range(1, 901))]),
        ("execve", -2, "/usr/share", ["/no/such/program", "with", "words"]),
        ("execve", 0, "/usr/share", ["true", "from", "a thread"]),
        ("execveat", 0, "/usr/share", ["true", "by", "execveat"]),
    ]
    assert [each for each in told if each in expected] == expected
    # Besides them there is the shell, looked for in some places, and Python.
    assert {words[0] for *_, words in told if words} <= {
        "/bin/true", "/usr/bin/seq", "/no/such/program", "true", "sh", sys.executable,
    }  # fmt: skip
    thread = next(row for row in run["rows"] if row["args"] == ["true", "from", "a thread"])
    assert thread["tid"] != thread["pid"]
    assert thread["pcomm"] == "sh"


@pytest.mark.parametrize("event", ["kprobe:vfs_read", "fexit:vfs_read", "call:vfs_read"])
def test_arguments_and_results_of_a_function_of_the_kernel(runs, event):
    run = runs[f"trace {event}"]
    assert run["code"] == 0, run["err"]
    assert {row["comm"] for row in run["rows"]} == {"cat"}
    # Its content, and then its end.
    size = len(Path("/etc/debian_version").read_bytes())
    name = "file->f_path.dentry->d_name.name"
    assert len(run["rows"]) == 2
    if event != "kprobe:vfs_read":
        assert [row["ret"] for row in run["rows"]] == [size, 0]
    else:
        assert all(row["count"] >= 4096 for row in run["rows"])
    if event == "call:vfs_read":
        assert {row[name] for row in run["rows"]} == {"debian_version"}
        assert all(row["duration"] > 0 for row in run["rows"])
    else:
        assert {row["file->f_path"] for row in run["rows"]} == {"/etc/debian_version"}


def test_other_events_are_traced_on_another_kernel_too(runs):
    assert len(runs["trace fentry:vfs_read"]["rows"]) == 2
    assert len(runs["trace kretprobe:vfs_read"]["rows"]) > 2
    (opened,) = runs["trace open"]["rows"]
    assert opened["ret"] >= 3
    assert [(row["comm"], row["code"]) for row in runs["trace exit"]["rows"]] == [("cat", 0)]
    asked = [row["arg0:str"] for row in runs["trace call:/lib/x86_64-linux-gnu/libc.so.6:getenv"]["rows"]]
    assert asked
    assert all(re.fullmatch(r"[A-Z_]+", name) for name in asked)
