"""Filters within the kernel."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def two_threads(tmp_path):
    source = tmp_path / "threads.py"
    source.write_text(
        "import hashlib, threading, time\n"
        "def work():\n"
        "    end = time.monotonic() + 60\n"
        "    while time.monotonic() < end: hashlib.sha256(b'x' * 100_000).digest()\n"
        "threads = [threading.Thread(target=work) for _ in range(2)]\n"
        "for t in threads: t.start()\n"
        "print(*(t.native_id for t in threads), flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, source], stdout=subprocess.PIPE, text=True)
    ids = list(map(int, process.stdout.readline().split()))
    yield process, ids
    process.kill()
    process.communicate()


def test_filters_of_thread_cpu_and_name(kprof, record, weights, samples, tmp_path, two_threads):
    process, ids = two_threads
    done = record("-t", str(ids[1]), "-d", "0.6", "-o", "t.kprof")
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "t.kprof", "--tid", "-o", "t.folded")
    assert {stack.partition(";")[0].rpartition("/")[2] for stack in weights(tmp_path / "t.folded")} == {
        str(ids[1])
    }
    both = record("-p", str(process.pid), "-d", "0.6", "-o", "p.kprof")
    assert both.returncode == 0, both.stderr
    done = kprof("fold", "p.kprof", "--tid", "-o", "p.folded")
    assert {stack.partition(";")[0].rpartition("/")[2] for stack in weights(tmp_path / "p.folded")} >= set(
        map(str, ids)
    )
    done = record("-a", "--comm", "nobody-is-called", "-d", "0.3")
    assert done.returncode == 1, done.stderr
    comm = Path(f"/proc/{process.pid}/comm").read_text().strip()
    done = record("-a", "--comm", comm, "-d", "0.3", "-o", "c.folded")
    assert done.returncode == 0, done.stderr
    assert {stack.partition(";")[0] for stack in weights(tmp_path / "c.folded")} == {comm}
    done = record("-C", "1", "-F", "999", "-d", "0.5", "-o", "one.folded")
    assert done.returncode == 0, done.stderr
    assert samples(done)[0] <= 0.5 * 999 * 1.3


def test_user_and_kernel_parts(record, tmp_path):
    reader = subprocess.Popen(["dd", "if=/dev/zero", "of=/dev/null", "bs=512"], stderr=subprocess.DEVNULL)
    try:
        for modifier, user, kernel in (("", True, True), (":u", True, False), (":k", False, True)):
            done = record(
                "-e",
                f"on-cpu{modifier}",
                "-p",
                str(reader.pid),
                "-d",
                "1",
                "-o",
                f"x{modifier}.folded",
            )
            assert done.returncode == 0, done.stderr
            text = (tmp_path / f"x{modifier}.folded").read_text()
            assert ("do_syscall_64" in text) == kernel
            assert (
                bool(re.search("libc|read|_start", text.replace("vfs_read", "").replace("ksys_read", "")))
                >= user
            )
    finally:
        reader.kill()
        reader.wait()


def test_a_cgroup(busy_for, record, weights, tmp_path, split):
    root = Path("/sys/fs/cgroup/unified")
    root = root if root.is_dir() else Path("/sys/fs/cgroup")
    group = root / f"kprof-bpf-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"cannot make a cgroup: {error}")
    inside, outside = subprocess.Popen([split]), subprocess.Popen([sys.executable, "-c", busy_for(60)])
    try:
        (group / "cgroup.procs").write_text(str(inside.pid))
        done = record("--cgroup", group.name, "-F", "499", "-d", "1")
        assert done.returncode == 0, done.stderr
        assert {stack.partition(";")[0] for stack in weights(tmp_path / "out.folded")} == {"split"}
    finally:
        for process in (inside, outside):
            process.kill()
            process.wait()
        group.rmdir()


def test_intervals_that_are_too_short_are_left_out(record, weights, tmp_path):
    code = "import time\nfor _ in range(20): time.sleep(0.02); time.sleep(0.001)"
    arguments = ["-e", "off-cpu", "--min-ns", "15000000", "--", sys.executable, "-c", code]
    done = record(*arguments)
    assert done.returncode == 0, done.stderr
    assert re.search(r"[1-9]\d* left out by weight", done.stderr)
    slept = sum(weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack)
    # As long as they asked for, and until there is a CPU; less where one was preempted before it slept.
    assert 3.5e8 < slept < 8e8
    done = record("--weight", "count", "--force", *arguments)
    # Of the twenty short ones few become as long, while there is no CPU.
    assert 18 <= sum(w for stack, w in weights(tmp_path / "out.folded").items() if "nanosleep" in stack) < 30


def test_children_are_recorded_or_not(record, weights, tmp_path, split):
    """A shell does nothing but start its child."""
    command = ["--", "sh", "-c", f"{split} 0.5; :"]
    found = []
    for more in ([], ["--no-inherit"]):
        done = record("-f", *more, *command)
        assert done.returncode in {0, 1}, done.stderr
        stacks = weights(tmp_path / "out.folded") if done.returncode == 0 else {}
        found.append(sum(weight for stack, weight in stacks.items() if stack.startswith("split;")))
    assert found[0] > 3e8
    assert found[1] == 0
