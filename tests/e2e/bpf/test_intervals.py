"""What takes time, or moves bytes, by the stack behind it."""

import os
import re
import subprocess
import sys
import time

import pytest


def test_time_that_is_slept(kprof, record, weights, samples, tallies, tmp_path):
    code = "import time\nfor _ in range(40): time.sleep(0.05)"
    done = record("-e", "off-cpu", "-o", "x.kprof", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "out.folded")
    slept = {
        stack: weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack
    }
    # As long as they asked for, and until there is a CPU: within 5 % where nothing else runs.
    assert 1.99e9 < sum(slept.values()) < 2e9 * 1.5
    # The stack ends where the thread gave up its CPU, not in what counted it.
    assert all(re.search(r"schedule;\[S: sleeping\]$", stack) for stack in slept)
    assert "bpf" not in "".join(slept)
    event = tallies(tmp_path / "x.kprof")["events"][0]
    assert samples(done) == (event["seen"], event["counted"])


def test_what_still_sleeps_at_the_end_counts_until_then(record, weights, tmp_path):
    code = "import time, threading\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\ntime.sleep(60)"
    done = record("-e", "off-cpu", "-d", "1.5", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    total = sum(weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack)
    assert 1.5e9 < total < 3.1e9


def test_bytes_and_time_of_block_devices(record, weights, tmp_path):
    size = 8 << 20
    (tmp_path / "file").write_bytes(os.urandom(size))
    with (tmp_path / "file").open("rb") as file:
        os.fsync(file.fileno())
    read = ["dd", f"if={tmp_path}/file", "of=/dev/null", "bs=1M", "iflag=direct"]
    if subprocess.run(read, capture_output=True, check=False).returncode:
        pytest.skip("this file system has no direct reads")
    done = record("-e", "block-io", "--weight", "bytes", "--", *read)
    if done.returncode == 1:
        pytest.skip("this file system is on no block device")
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    assert sum(w for s, w in stacks.items() if s.startswith("dd;") and "vfs_read" in s) == pytest.approx(
        size, rel=0.05
    )
    start = time.monotonic()
    done = record("-e", "block-io", "-o", "ns.folded", "--", *read)
    assert 0 < sum(weights(tmp_path / "ns.folded").values()) < (time.monotonic() - start) * 1e9 * 8


def test_time_in_system_calls(record, weights, tmp_path):
    code = "import time\nfor _ in range(20): time.sleep(0.02)"
    done = record("-e", "syscall", "-o", "out.folded", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    slept = sum(w for s, w in weights(tmp_path / "out.folded").items() if s.endswith(";sys_clock_nanosleep"))
    assert 0.39e9 < slept < 0.8e9


def test_who_wakes(record, weights, tmp_path):
    """The main thread waits for another one, which wakes it after half a second."""
    code = (
        "import threading, time\nevent = threading.Event()\n"
        "def wake():\n    time.sleep(0.5)\n    event.set()\n"
        "threading.Thread(target=wake).start()\nevent.wait()"
    )
    done = record("-e", "wakeup", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    waited = sum(w for s, w in weights(tmp_path / "out.folded").items() if "futex_wake" in s)
    assert 0.4e9 < waited < 1e9


def test_waiting_for_locks_of_the_kernel(record, weights, tmp_path):
    """Four threads map and unmap in one address space."""
    code = (
        "import mmap, threading, time\nend = time.monotonic() + 1\n"
        "def work():\n    while time.monotonic() < end:\n"
        "        m = mmap.mmap(-1, 1 << 20); m[:] = bytes(1 << 20); m.close()\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()"
    )
    done = record("-e", "lock", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    assert any("munmap" in stack and "slowpath" in stack for stack in stacks)
    # The address space is guarded by one that lets readers share it.
    assert any(re.search(r";\[rwsem: (read|write)\]$", stack) for stack in stacks)


def test_bytes_of_tcp(record, weights, tmp_path):
    code = (
        "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
        "c = socket.create_connection(s.getsockname()); d, _ = s.accept()\n"
        "for _ in range(100): c.sendall(bytes(1000))\n"
        "n = 0\nwhile n < 100_000: n += len(d.recv(5000))\n"
    )
    done = record("-e", "tcp", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    assert sum(w for s, w in stacks.items() if "sendto" in s) == 100_000
    assert sum(w for s, w in stacks.items() if "recvfrom" in s) == 100_000


# What vfork's caller, a stopped process and a sleeping one do for 0.3 s each.
STATES = """
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    pid_t self = getpid();
    if (!vfork()) { usleep(300000); _exit(0); }
    wait(NULL);
    if (!fork()) { usleep(300000); kill(self, SIGCONT); _exit(0); }
    raise(SIGSTOP);
    wait(NULL);
    usleep(300000);
    return 0;
}
"""


def test_why_a_thread_is_blocked(kprof, record, weights, tmp_path, compiled):
    program = compiled("states", STATES)
    done = record("-e", "off-cpu", "-o", "x.kprof", "--", program)
    assert done.returncode == 0, done.stderr
    assert kprof("fold", "x.kprof", "-o", "out.folded").returncode == 0
    found = {}
    for stack, weight in weights(tmp_path / "out.folded").items():
        if stack.startswith("states;"):
            state = stack.rpartition(";")[2]
            found[state] = found.get(state, 0) + weight
    # The children sleep as well: three times 0.3 s. Each lasts until there is a CPU for it.
    for state, least in (("[S: sleeping]", 9e8), ("[D: uninterruptible]", 3e8), ("[T: stopped]", 3e8)):
        assert least * 0.98 < found.pop(state) < least * 2, state
    assert not found
    done = kprof("fold", "x.kprof", "--focus", r"\[T: stopped", "-o", "out.folded")
    assert 2.94e8 < sum(weights(tmp_path / "out.folded").values()) < 6e8


PIPE = """
#include <unistd.h>
__attribute__((noinline)) void awaits(int from) { char c; while (read(from, &c, 1) == 1) ; }
__attribute__((noinline)) void hands_over(int to) { for (int i = 0; i < 600; i++) { usleep(100000); (void)!write(to, "x", 1); } }
int main(int count, char **arguments) {
    (void)arguments;
    if (count > 1) hands_over(1); else awaits(0);
    return 0;
}
"""


def test_what_wakes_a_thread_is_joined_to_what_it_waits_for(record, weights, tmp_path, compiled):
    """Of another process, which is not recorded itself: its names are there all the same."""
    program = compiled("pipes", PIPE)
    giver = compiled("gives", PIPE)
    reading, writing = os.pipe()
    taker = subprocess.Popen([program], stdin=reading)
    from_taker = subprocess.Popen([giver, "on"], stdout=writing)
    os.close(reading)
    os.close(writing)
    try:
        done = record("-e", "off-cpu", "--waker", "-p", str(taker.pid), "-d", "2")
        assert done.returncode == 0, done.stderr
    finally:
        for process in (taker, from_taker):
            process.kill()
            process.wait()
    stacks = weights(tmp_path / "out.folded")
    joined = {
        stack: weight
        for stack, weight in stacks.items()
        if re.search(r"^pipes;.*;awaits;.*\[S: sleeping\];--;.*write.*;hands_over;main;.*;gives$", stack)
    }
    # What is not woken before the recording begins or ends has no waker.
    assert 1.6e9 < sum(joined.values()) < 2.2e9
    assert sum(joined.values()) > 0.85 * sum(stacks.values())
    done = record("-e", "malloc", "--waker", "-a", "-d", "1", "-f")
    assert done.returncode == 2
    assert "--waker is for off-cpu" in done.stderr


def test_system_calls_by_name_and_those_of_32_bit_programs(record, weights, tmp_path, compiled):
    """Their numbers are others: they have no wrong names."""
    source = "#include <unistd.h>\nint main(void) { for (int i = 0; i < 50; i++) getppid(); usleep(100000); return 0; }"
    done = record("-e", "syscall", "--weight", "count", "--", compiled("calls", source))
    assert done.returncode == 0, done.stderr
    leaves = {}
    for stack, weight in weights(tmp_path / "out.folded").items():
        leaf = stack.rpartition(";")[2]
        leaves[leaf] = leaves.get(leaf, 0) + weight
    assert leaves["sys_getppid"] == 50
    assert leaves["sys_clock_nanosleep"] == 1
    try:
        narrow = compiled("narrow", source, "-m32")
    except subprocess.CalledProcessError:
        pytest.skip("this compiler makes no 32-bit programs")
    done = record("-e", "syscall", "--weight", "count", "-f", "--", narrow)
    assert done.returncode == 0, done.stderr
    mine = {s: w for s, w in weights(tmp_path / "out.folded").items() if s.startswith("narrow;")}
    narrows = sum(w for stack, w in mine.items() if stack.endswith(";[system call of a 32-bit program]"))
    assert narrows >= 51
    assert not any("sys_getppid" in stack for stack in mine)
