"""Targets of `kprof record` with the real perf on this kernel, and how a recording of each ends."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_running_process(record, samples, weights, tmp_path, busy):
    before = cpu_seconds(busy.pid)
    done = record("-p", str(busy.pid), "-d", "2")
    assert done.returncode == 0, done.stderr
    used = cpu_seconds(busy.pid) - before
    stacks = weights(tmp_path / "out.folded")
    # Its C functions are there, and the kernel's, as they are called.
    assert any("PyEval" in stack or "Py" in stack.rpartition(";")[2] for stack in stacks)
    # It ran a little before and after the recording as well, and other programs share the CPUs.
    assert 0.3 * used * 997 < samples(done)[1] < 1.1 * used * 997
    assert sum(stacks.values()) == pytest.approx(samples(done)[1] / 997 * 1e9, rel=0.02)


def test_one_thread(record, weights, tmp_path, busy):
    done = record("-t", str(busy.pid), "-d", "0.5", "-o", "x.folded")
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path / "x.folded")


def test_the_whole_host_and_one_cpu(record, samples, busy):
    done = record("-a", "-d", "0.6")
    assert done.returncode == 0, done.stderr
    assert samples(done)[1] < 99 * 2 * (os.cpu_count() or 1)
    done = record("-C", "0", "-d", "0.6", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert " " in done.stdout.splitlines()[0]


def test_a_command_gives_its_exit_code(record, busy_for, weights, tmp_path):
    done = record("--", sys.executable, "-c", busy_for(0.5) + "\nraise SystemExit(7)")
    assert done.returncode == 7, done.stderr
    assert weights(tmp_path / "out.folded")


def test_a_command_killed_by_a_signal(record, busy_for, weights, tmp_path):
    code = busy_for(0.3) + "\nimport os; os.kill(os.getpid(), 9)"
    done = record("--", sys.executable, "-c", code)
    assert done.returncode == 128 + 9, done.stderr
    assert weights(tmp_path / "out.folded")


def test_a_command_keeps_its_streams(record, busy_for):
    code = busy_for(0.2) + "\nimport sys; print(sys.stdin.read()); print('oops', file=sys.stderr)"
    done = record("--", sys.executable, "-c", code, input="hello")
    assert done.stdout == "hello\n"
    assert "oops\n" in done.stderr


def test_children_are_recorded(record, busy_for, samples):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy_for(0.5)!r}])"
    done = record("--", sys.executable, "-c", code)
    assert samples(done)[1] > 50, done.stderr


def test_the_end_of_the_time_ends_the_command(record, weights, tmp_path):
    start = time.monotonic()
    done = record("-d", "1", "--", "sh", "-c", "while :; do :; done")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 30
    assert weights(tmp_path / "out.folded")


def test_the_end_of_the_target_ends_the_recording(begin, busy_for, weights, tmp_path):
    target = subprocess.Popen([sys.executable, "-c", busy_for(4)])
    time.sleep(0.2)
    recorder = begin("-p", str(target.pid))
    target.wait()
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert weights(tmp_path / "out.folded")


def test_a_cgroup(record, busy_for, weights, tmp_path):
    root = Path("/sys/fs/cgroup/unified")
    root = root if root.is_dir() else Path("/sys/fs/cgroup")
    group = root / f"kprof-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"cannot make a cgroup: {error}")
    process = subprocess.Popen([sys.executable, "-c", busy_for(60)])
    try:
        (group / "cgroup.procs").write_text(str(process.pid))
        for name in (group.name, str(group)):
            done = record("--cgroup", name, "-e", "cpu-clock,page-faults", "-d", "1", "--force")
            assert done.returncode == 0, done.stderr
            assert {stack.partition(";")[0] for stack in weights(tmp_path / "out.folded")} <= {
                "python",
                "python3",
            }
    finally:
        process.kill()
        process.wait()
        group.rmdir()


def test_a_sleeping_target_has_no_samples(record, tmp_path):
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        done = record("-p", str(sleeper.pid), "-d", "0.3")
    finally:
        sleeper.kill()
        sleeper.wait()
    assert done.returncode == 1
    assert "no samples" in done.stderr
    assert not list(tmp_path.iterdir())
