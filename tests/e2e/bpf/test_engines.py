"""The engines beside each other, on work whose truth is known: bpftrace and BCC for real, and libbpf."""

import subprocess
import sys

import pytest

from kprof.recorders.bpf.engines import ENGINES

OTHERS = ENGINES[1:]
CALLS = """
#include <stdlib.h>
__attribute__((noinline)) void *work(int i) { return malloc(i % 100 + 1); }
int main(void) {
    for (int i = 0; i < 100000; i++) free(work(i));
    return 0;
}
"""
NAPS = """
#include <time.h>
__attribute__((noinline)) void nap(void) {
    struct timespec time = {0, 50000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, 0);
}
int main(void) {
    for (int i = 0; i < 20; i++) nap();
    return 0;
}
"""
READS = ("dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=5000")


@pytest.fixture(scope="session")
def calls(compiled):
    return compiled("calls", CALLS, "-fno-builtin")


@pytest.fixture(scope="session")
def naps(compiled):
    return compiled("naps", NAPS)


def share(weights, name):
    return sum(weight for stack, weight in weights.items() if name in stack.split(";")) / sum(
        weights.values()
    )


@pytest.mark.parametrize("engine", OTHERS)
def test_a_split_that_is_known(record, weights, tmp_path, split, engine):
    done = record("--engine", engine, "--", split, "3")
    assert done.returncode == 0, done.stderr
    assert "0 lost" in done.stderr
    found = weights(tmp_path / "out.folded")
    assert sum(found.values()) == pytest.approx(3e9, rel=0.15)
    for name, part in (("one", 0.5), ("two", 0.3), ("three", 0.2)):
        assert share(found, name) == pytest.approx(part, abs=0.06)
    assert max(found, key=found.get) == "split;__libc_start_call_main;main;one"


@pytest.mark.parametrize("engine", OTHERS)
def test_time_that_is_slept(record, weights, tmp_path, naps, engine):
    done = record("--engine", engine, "-e", "off-cpu", "--", naps)
    assert done.returncode == 0, done.stderr
    slept = sum(weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack)
    # An interval that has begun before the recording did is not known; a busy host wakes late.
    assert 0.9e9 < slept < 2e9


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("kind", ["uprobe", "uretprobe"])
def test_every_call_of_a_function_is_counted(record, weights, tmp_path, calls, engine, kind):
    done = record("--engine", engine, "-e", f"{kind}:{calls}:work", "--", calls)
    assert done.returncode == 0, done.stderr
    leaf = "main;work" if kind == "uprobe" else "main"
    assert weights(tmp_path / "out.folded") == {f"calls;__libc_start_call_main;{leaf}": 100_000}


@pytest.mark.parametrize("engine", OTHERS)
def test_bytes_that_are_asked_for(record, weights, tmp_path, calls, engine):
    assert record("--engine", engine, "-e", "malloc", "--", calls).returncode == 0
    found = weights(tmp_path / "out.folded")
    assert found["calls;__libc_start_call_main;main;work;malloc"] == 100_000 * 101 // 2


@pytest.mark.parametrize("engine", OTHERS)
def test_system_calls_are_as_many_as_libbpf_counts(record, samples, engine):
    counted = {}
    for each in ("libbpf", engine):
        done = record("-f", "--engine", each, "-e", "syscall", "--weight", "count", "--", *READS)
        read, kept = counted[each] = samples(done)
        assert read == kept >= 10_000
    assert counted[engine] == counted["libbpf"]


@pytest.mark.parametrize("engine", OTHERS)
def test_several_events_children_and_filters(kprof, record, tmp_path, naps, engine):
    """Two events at one tracepoint; only threads of one name count, in processes that are born meanwhile."""
    events = "off-cpu,wakeup,sched:sched_switch,task:task_newtask"
    script = f"for i in 1 2 3; do {naps} & done; wait"
    done = record(
        "--engine", engine, "-e", events, "--comm", "naps", "-o", "x.kprof", "--", "sh", "-c", script
    )
    assert done.returncode == 0, done.stderr
    for event in ("off-cpu", "sched:sched_switch"):
        told = kprof("fold", "-e", event, "-o", "-", "x.kprof")
        assert {line.split(";")[0] for line in told.stdout.splitlines()} == {"naps"}


@pytest.mark.parametrize("engine", OTHERS)
def test_samples_keep_their_times(kprof, record, naps, engine):
    done = record("--engine", engine, "--timestamps", "-e", "off-cpu", "-o", "x.kprof", "--", naps)
    assert done.returncode == 0, done.stderr
    all_of_it, second_half = (
        kprof("fold", "-o", "-", *only, "x.kprof").stdout for only in ((), ("--start", "0.5"))
    )
    weight = [
        sum(int(line.rpartition(" ")[2]) for line in text.splitlines()) for text in (all_of_it, second_half)
    ]
    assert 0 < weight[1] < weight[0]


@pytest.mark.parametrize(
    ("engine", "arguments", "said"),
    [
        ("bpftrace", ("-g", "dwarf"), "copies no stacks"),
        ("bcc", ("-g", "dwarf"), "copies no stacks"),
        ("bpftrace", ("-e", "raw_tp:sched_switch"), "bpftrace records tracepoints"),
        ("bpftrace", ("-e", "cpu-clock:u"), "user code and the kernel together"),
        ("bcc", ("-e", "fentry:vfs_read"), "kprobe:vfs_read needs none"),
    ],
)
def test_what_an_engine_cannot_do_it_says_before_it_starts(record, tmp_path, engine, arguments, said):
    done = record("--engine", engine, *arguments, "--", "touch", "started")
    assert done.returncode == 3
    assert said in done.stderr
    assert "--engine libbpf" in done.stderr
    assert not (tmp_path / "started").exists()


def test_without_libbpf_another_engine_records_and_says_why(tmp_path, split):
    """A host whose libbpf is not found: `auto` goes on to the next."""
    script = (
        "import sys\n"
        "from kprof.recorders.bpf import libbpf_engine\n"
        "libbpf_engine.why_not = lambda: ('libbpf.so.1 is not installed', 'install it')\n"
        "from kprof.recorders.bpf import engines\n"
        "engines.why_not = libbpf_engine.why_not\n"
        "from kprof.cli import main\n"
        "sys.argv = ['kprof', 'record', '--backend', 'bpf', '-o', 'x.folded', '--', sys.argv[1], '1']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, split], cwd=tmp_path, check=False, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the bpftrace engine records: libbpf does not, for libbpf.so.1 is not installed" in done.stderr


def test_programs_that_can_be_read(kprof):
    arguments = ("record", "-e", "off-cpu", "-p", "1", "--show-program")
    text = kprof(*arguments, "--engine", "bpftrace").stdout
    assert "tracepoint:sched:sched_switch {" in text
    assert "@targets[1] = 1;" in text
    assert "kp_end(args, 0, 3" in kprof(*arguments, "--engine", "bcc").stdout
    done = kprof(*arguments, "--engine", "libbpf")
    assert (done.returncode, done.stdout) == (3, "")
    tree = kprof("record", "-e", "off-cpu", "-p", "1", "--debug-engine", "--engine", "bpftrace").stdout
    assert "tracepoint:sched:sched_switch" in tree
    assert "define i64" in tree
