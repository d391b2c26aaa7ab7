"""The bpf recorder on this kernel, with work whose truth is known."""

import re
import signal
import subprocess
import sys
import time

import pytest

KPROF = [sys.executable, "-m", "kprof"]


def test_the_split_between_three_functions(record, weights, tmp_path, split, running):
    done = record("-p", str(running.pid), "-d", "3")
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    total = sum(stacks.values())
    for name, share in (("one", 0.5), ("two", 0.3), ("three", 0.2)):
        mine = sum(weight for stack, weight in stacks.items() if f";{name}" in stack)
        assert mine / total == pytest.approx(share, abs=0.06), name
    # Frame pointers lead to the start.
    assert all(stack.startswith("split;") for stack in stacks)
    assert sum(weight for stack, weight in stacks.items() if ";main;" in stack) > 0.95 * total


def test_the_accounting_is_exact(kprof, record, weights, samples, tallies, tmp_path, running):
    done = record("-p", str(running.pid), "-F", "4999", "-d", "2.5", "-o", "x.kprof")
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "x.folded")
    event = tallies(tmp_path / "x.kprof")["events"][0]
    assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
    assert samples(done) == (event["seen"], event["counted"])
    period = 1_000_000_000 // 4999
    assert sum(weights(tmp_path / "x.folded").values()) == event["counted"] * period
    assert event["counted"] > 2000


def test_a_command_and_its_children(record, weights, tmp_path, split):
    done = record("--", "sh", "-c", f"{split} 0.5; {split} 0.5; exit 7")
    assert done.returncode == 7, done.stderr
    stacks = weights(tmp_path / "out.folded")
    mine = sum(weight for stack, weight in stacks.items() if stack.startswith("split;"))
    assert mine == pytest.approx(1e9, rel=0.6)
    assert mine > 0.8 * sum(stacks.values())


def test_short_lived_processes_are_all_named(kprof, record, weights, tmp_path):
    """Each of them is gone long before the recording ends; the log of address spaces names their frames."""
    many = "import subprocess\nfor _ in range(60): subprocess.run(['/bin/true'])"
    done = record("-F", "9999", "-e", "page-faults", "-o", "x.kprof", "--", sys.executable, "-c", many)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "--pid", "-o", "x.folded")
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "x.folded")
    named = {
        stack.partition(";")[0]
        for stack in stacks
        if stack.startswith("true-") and re.search(r";(_dl_|_start|__libc|main|dl_main)", stack)
    }
    assert len(named) == 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_keeps_what_was_recorded(weights, tmp_path, running, number):
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(running.pid)], cwd=tmp_path, stderr=subprocess.PIPE
    )
    time.sleep(2.5)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert sum(weights(tmp_path / "out.folded").values()) > 0


def test_the_end_of_the_target_ends_the_recording(weights, tmp_path, split):
    target = subprocess.Popen([split, "2"])
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(target.pid)], cwd=tmp_path, stderr=subprocess.PIPE
    )
    target.wait()
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert weights(tmp_path / "out.folded")


def test_kprof_never_records_itself(kprof, record, tmp_path, running):
    done = record("-a", "-F", "1999", "-d", "1", "-o", "x.kprof")
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "out.folded")
    assert "bpf_map_lookup_and_delete_batch" not in (tmp_path / "out.folded").read_text()


def test_a_raw_recording_a_page_and_both(record, tmp_path, running):
    done = record("-p", str(running.pid), "-d", "0.5", "-o", "page.html", "--keep-data")
    assert done.returncode == 0, done.stderr
    assert "cpu-clock" in (tmp_path / "page.html").read_text()
    assert (tmp_path / "page.kprof").read_bytes()[:8] == b"KPROFBPF"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-p", "4194304"], 2, "there is no process 4194304"),
        (["-e", "nonsense", "-a", "-d", "1"], 2, "does not know the event nonsense"),
        (["-e", "instructions", "-a", "-d", "1"], 3, "hardware counters"),
        (["-g", "lbr", "-a", "-d", "1"], 3, "does not know -g lbr"),
        (["-C", "4000", "-d", "1"], 2, "CPU 4000 is not online"),
        (["-o", "x.data", "-a"], 2, "--backend perf leaves"),
        (["--cgroup", "no/such/group", "-d", "0.3"], 2, "cgroup"),
        (["--root", "--", "sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"], 0, "kept"),
    ],
)
def test_one_line_and_the_right_exit_code(record, tmp_path, arguments, code, says):
    done = record(*arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert not list(tmp_path.iterdir())


def test_time_stamps_are_there_to_filter_by(kprof, record, samples, running):
    arguments = ["-p", str(running.pid), "-d", "2", "--timestamps", "-o", "x.kprof"]
    done = record(*arguments)
    assert done.returncode == 0, done.stderr
    counts = []
    for more in ([], ["--end", "1"], ["--start", "1"], ["--only-cpu", "0"], ["--only-cpu", "1"]):
        done = kprof("fold", "x.kprof", "-o", "x.folded", *more)
        counts.append(samples(done)[1] if done.returncode == 0 else 0)
    whole, before, after, *cpus = counts
    assert before + after == whole == sum(cpus)
    assert min(before, after) > 0.2 * whole
