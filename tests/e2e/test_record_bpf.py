"""kprof record --backend bpf on this kernel, with work whose truth is known."""

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

KPROF = [sys.executable, "-m", "kprof"]
BUSY = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: sum(range(2000))"
# As many seconds of CPU time as asked for: half of it in `one`, three tenths in `two`, two tenths in `three`.
SPLIT = """
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
static volatile uint64_t sink;
#define WORK(name, parts) \\
    __attribute__((noinline)) static void name(void) { \\
        uint64_t x = sink; \\
        for (int i = 0; i < parts * 20000; i++) x = x * 6364136223846793005u + 1442695040888963407u; \\
        sink = x; \\
    }
WORK(one, 5)
WORK(two, 3)
WORK(three, 2)
int main(int count, char **arguments) {
    double seconds = count > 1 ? atof(arguments[1]) : 60;
    struct timespec start, now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    do {
        one();
        two();
        three();
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
    return 0;
}
"""

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists(),
    reason="loads BPF programs: needs root and a kernel that tells its types",
)


def kprof(*arguments, cwd, **options):
    return subprocess.run(
        [*KPROF, *arguments], cwd=cwd, check=False, capture_output=True, text=True, timeout=120, **options
    )


def record(*arguments, cwd, **options):
    return kprof("record", "--backend", "bpf", *arguments, cwd=cwd, **options)


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    (folder / "split.c").write_text(SPLIT)
    subprocess.run(["gcc", "-O0", "-g", folder / "split.c", "-o", folder / "split"], check=True)
    return folder / "split"


@pytest.fixture
def running(split):
    process = subprocess.Popen([split])
    time.sleep(0.1)
    yield process
    process.kill()
    process.wait()


def weights(path):
    lines = [line.rpartition(" ") for line in Path(path).read_text(errors="surrogateescape").splitlines()]
    return {stack: int(weight) for stack, _, weight in lines}


def samples(done):
    read, kept = re.search(r"([\d,]+) samples? read, ([\d,]+) kept", done.stderr).groups()
    return int(read.replace(",", "")), int(kept.replace(",", ""))


def blocks(path):
    """The blocks of a recording, read without the reader."""
    data, at = Path(path).read_bytes(), 16
    while at + 16 <= len(data):
        kind, _, size = struct.unpack_from("<IIQ", data, at)
        yield kind, data[at + 16 : at + 16 + size]
        at += 16 + size + -size % 8


def tallies(path):
    return [json.loads(payload) for kind, payload in blocks(path) if kind == 5][-1]


def bpf_left():
    """Programs that are loaded, by the names of ours."""
    listed = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if re.search(r"name (sample|on_fork|on_free) ", line)]


def test_the_split_between_three_functions(tmp_path, split, running):
    done = record("-p", str(running.pid), "-d", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    total = sum(stacks.values())
    for name, share in (("one", 0.5), ("two", 0.3), ("three", 0.2)):
        mine = sum(weight for stack, weight in stacks.items() if f";{name}" in stack)
        assert mine / total == pytest.approx(share, abs=0.06), name
    # Frame pointers lead to the start.
    assert all(stack.startswith("split;") for stack in stacks)
    assert sum(weight for stack, weight in stacks.items() if ";main;" in stack) > 0.95 * total


def test_the_accounting_is_exact(tmp_path, running):
    done = record("-p", str(running.pid), "-F", "4999", "-d", "2.5", "-o", "x.kprof", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "x.folded", cwd=tmp_path)
    event = tallies(tmp_path / "x.kprof")["events"][0]
    assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
    assert samples(done) == (event["seen"], event["counted"])
    period = 1_000_000_000 // 4999
    assert sum(weights(tmp_path / "x.folded").values()) == event["counted"] * period
    assert event["counted"] > 2000


def test_a_command_and_its_children(tmp_path, split):
    done = record("--", "sh", "-c", f"{split} 0.5; {split} 0.5; exit 7", cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    stacks = weights(tmp_path / "out.folded")
    mine = sum(weight for stack, weight in stacks.items() if stack.startswith("split;"))
    assert mine == pytest.approx(1e9, rel=0.6)
    assert mine > 0.8 * sum(stacks.values())


def test_short_lived_processes_are_all_named(tmp_path):
    """Each of them is gone long before the recording ends; the log of address spaces names their frames."""
    many = "import subprocess\nfor _ in range(60): subprocess.run(['/bin/true'])"
    done = record(
        "-F", "9999", "-e", "page-faults", "-o", "x.kprof", "--", sys.executable, "-c", many, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "--pid", "-o", "x.folded", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "x.folded")
    named = {
        stack.partition(";")[0]
        for stack in stacks
        if stack.startswith("true-") and re.search(r";(_dl_|_start|__libc|main|dl_main)", stack)
    }
    assert len(named) == 60


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


def test_filters_of_thread_cpu_and_name(tmp_path, two_threads):
    process, ids = two_threads
    done = record("-t", str(ids[1]), "-d", "0.6", "-o", "t.kprof", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "t.kprof", "--tid", "-o", "t.folded", cwd=tmp_path)
    assert {stack.partition(";")[0].rpartition("/")[2] for stack in weights(tmp_path / "t.folded")} == {
        str(ids[1])
    }
    both = record("-p", str(process.pid), "-d", "0.6", "-o", "p.kprof", cwd=tmp_path)
    assert both.returncode == 0, both.stderr
    done = kprof("fold", "p.kprof", "--tid", "-o", "p.folded", cwd=tmp_path)
    assert {stack.partition(";")[0].rpartition("/")[2] for stack in weights(tmp_path / "p.folded")} >= set(
        map(str, ids)
    )
    done = record("-a", "--comm", "nobody-is-called", "-d", "0.3", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    comm = Path(f"/proc/{process.pid}/comm").read_text().strip()
    done = record("-a", "--comm", comm, "-d", "0.3", "-o", "c.folded", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {stack.partition(";")[0] for stack in weights(tmp_path / "c.folded")} == {comm}
    done = record("-C", "1", "-F", "999", "-d", "0.5", "-o", "one.folded", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert samples(done)[0] <= 0.5 * 999 * 1.3


def test_user_and_kernel_parts(tmp_path):
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
                cwd=tmp_path,
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


def test_a_cgroup(tmp_path, split):
    root = Path("/sys/fs/cgroup/unified")
    root = root if root.is_dir() else Path("/sys/fs/cgroup")
    group = root / f"kprof-bpf-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"cannot make a cgroup: {error}")
    inside, outside = subprocess.Popen([split]), subprocess.Popen([sys.executable, "-c", BUSY.format(60)])
    try:
        (group / "cgroup.procs").write_text(str(inside.pid))
        done = record("--cgroup", group.name, "-F", "499", "-d", "1", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {stack.partition(";")[0] for stack in weights(tmp_path / "out.folded")} == {"split"}
    finally:
        for process in (inside, outside):
            process.kill()
            process.wait()
        group.rmdir()


def test_every_page_fault_is_counted(tmp_path):
    """4,000 pages are touched once each."""
    code = "import mmap\nm = mmap.mmap(-1, 4000 * 4096)\nm.madvise(mmap.MADV_NOHUGEPAGE)\nfor i in range(4000): m[i * 4096] = 1"
    done = record("-e", "page-faults", "--", sys.executable, "-S", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    base = record(
        "-e",
        "page-faults",
        "-o",
        "base.folded",
        "--",
        sys.executable,
        "-S",
        "-c",
        "import mmap",
        cwd=tmp_path,
    )
    assert base.returncode == 0, base.stderr
    more = sum(weights(tmp_path / "out.folded").values()) - sum(weights(tmp_path / "base.folded").values())
    assert more == pytest.approx(4000, abs=80)


def test_several_events_stay_apart(tmp_path, split):
    done = record("-e", "on-cpu,page-faults", "-o", "x.kprof", "--", split, "0.5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    clock = kprof("fold", "x.kprof", "-o", "clock.folded", cwd=tmp_path)
    faults = kprof("fold", "x.kprof", "-e", "page-faults", "-o", "faults.folded", cwd=tmp_path)
    assert "left out by event page-faults" in clock.stderr
    assert sum(weights(tmp_path / "clock.folded").values()) == pytest.approx(5e8, rel=0.6)
    assert 10 < sum(weights(tmp_path / "faults.folded").values()) < 1000
    assert faults.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_keeps_what_was_recorded(tmp_path, running, number):
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(running.pid)], cwd=tmp_path, stderr=subprocess.PIPE
    )
    time.sleep(2.5)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert sum(weights(tmp_path / "out.folded").values()) > 2e8


def test_a_killed_recorder_leaves_what_it_had_and_nothing_in_the_kernel(tmp_path, running):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(running.pid)],
        cwd=tmp_path, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    time.sleep(4)
    recorder.kill()
    recorder.communicate(timeout=60)
    (path,) = tmp_path.glob("kprof-*/*.kprof")
    done = kprof("fold", str(path), "-o", "out.folded", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 line not understood" in done.stderr
    assert any(";one" in stack for stack in weights(tmp_path / "out.folded"))
    if shutil.which("bpftool"):
        deadline = time.monotonic() + 10
        while bpf_left() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not bpf_left()
    assert not list(Path("/sys/fs/bpf").glob("*kprof*"))


def test_the_end_of_the_target_ends_the_recording(tmp_path, split):
    target = subprocess.Popen([split, "2"])
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(target.pid)], cwd=tmp_path, stderr=subprocess.PIPE
    )
    target.wait()
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert weights(tmp_path / "out.folded")


def test_kprof_never_records_itself(tmp_path, running):
    done = record("-a", "-F", "1999", "-d", "1", "-o", "x.kprof", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "out.folded", cwd=tmp_path)
    assert "bpf_map_lookup_and_delete_batch" not in (tmp_path / "out.folded").read_text()


def test_a_raw_recording_a_page_and_both(tmp_path, running):
    done = record("-p", str(running.pid), "-d", "0.5", "-o", "page.html", "--keep-data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cpu-clock" in (tmp_path / "page.html").read_text()
    assert (tmp_path / "page.kprof").read_bytes()[:8] == b"KPROFBPF"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-p", "4194304"], 2, "there is no process 4194304"),
        (["-e", "nonsense", "-a", "-d", "1"], 2, "does not know the event nonsense"),
        (["-e", "instructions", "-a", "-d", "1"], 3, "hardware counters"),
        (["-g", "dwarf", "-a", "-d", "1"], 3, "frame pointers only"),
        (["-C", "4000", "-d", "1"], 2, "CPU 4000 is not online"),
        (["-o", "x.data", "-a"], 2, "--backend perf leaves"),
        (["--cgroup", "no/such/group", "-d", "0.3"], 2, "cgroup"),
        (["--root", "--", "sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"], 0, "kept"),
    ],
)
def test_one_line_and_the_right_exit_code(tmp_path, arguments, code, says):
    done = record(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert not list(tmp_path.iterdir())


def test_without_capabilities_it_says_what_is_missing(tmp_path):
    tmp_path.chmod(0o777)
    command = [
        "setpriv",
        "--bounding-set",
        "-all",
        "--inh-caps",
        "-all",
        *KPROF,
        "record",
        "--backend",
        "bpf",
        "-a",
    ]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "loading BPF programs needs CAP_BPF and CAP_PERFMON" in done.stderr


def test_time_that_is_slept(tmp_path):
    code = "import time\nfor _ in range(40): time.sleep(0.05)"
    done = record("-e", "off-cpu", "-o", "x.kprof", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "out.folded", cwd=tmp_path)
    slept = {
        stack: weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack
    }
    assert sum(slept.values()) == pytest.approx(2e9, rel=0.05)
    # The stack ends where the thread gave up its CPU, not in what counted it.
    assert all(re.search("schedule$", stack) for stack in slept)
    assert "bpf" not in "".join(slept)
    event = tallies(tmp_path / "x.kprof")["events"][0]
    assert samples(done) == (event["seen"], event["counted"])


def test_what_still_sleeps_at_the_end_counts_until_then(tmp_path):
    code = "import time, threading\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\ntime.sleep(60)"
    done = record("-e", "off-cpu", "-d", "1.5", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    total = sum(weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack)
    assert 1.5e9 < total < 3.1e9


def test_intervals_that_are_too_short_are_left_out(tmp_path):
    code = "import time\nfor _ in range(20): time.sleep(0.02); time.sleep(0.001)"
    arguments = ["-e", "off-cpu", "--min-ns", "15000000", "--", sys.executable, "-c", code]
    done = record(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"[1-9]\d* left out by weight", done.stderr)
    slept = sum(weight for stack, weight in weights(tmp_path / "out.folded").items() if "nanosleep" in stack)
    assert slept == pytest.approx(4e8, rel=0.1)
    done = record("--weight", "count", "--force", *arguments, cwd=tmp_path)
    assert sum(w for stack, w in weights(tmp_path / "out.folded").items() if "nanosleep" in stack) == 20


def test_a_tracepoint_counts_every_time(tmp_path):
    code = "import os\nfor _ in range(2345): os.getppid()"
    done = record("-e", "syscalls:sys_enter_getppid", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == 2345
    assert "getppid" in (tmp_path / "out.folded").read_text()


def test_calls_of_a_function(tmp_path, split, running):
    done = record(
        "-e", f"uprobe:{split}:two,uretprobe:{split}:two", "-o", "x.kprof", "--", split, "0.3", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    for event in (f"uprobe:{split}:two", f"uretprobe:{split}:two"):
        done = kprof("fold", "x.kprof", "-e", event, "-o", "out.folded", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (stack,) = weights(tmp_path / "out.folded")
        assert re.match("split;.*main", stack)
    calls, returns = (event["counted"] for event in tallies(tmp_path / "x.kprof")["events"])
    assert calls == returns > 100
    done = record(
        "-e", f"uprobe:{split}:main+0", "-d", "0.2", "-p", str(running.pid), "-o", "none.folded", cwd=tmp_path
    )
    assert done.returncode == 1
    assert "no samples" in done.stderr


@pytest.mark.parametrize(
    ("event", "code", "says"),
    [
        ("uprobe:/no/such/file:main", 2, "no file /no/such/file"),
        ("uprobe:/bin/sh:no_such_function", 2, "no function no_such_function"),
        ("sched:nothing", 2, "no tracepoint sched:nothing"),
        ("off-cpu,off-cpu:u", 2, "twice"),
        ("fentry:no_such_function", 2, "no kernel function no_such_function"),
    ],
)
def test_events_that_are_not_there(tmp_path, event, code, says):
    done = record("-e", event, "-a", "-d", "1", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert not list(tmp_path.iterdir())


ALLOCATES = """
#include <stdlib.h>
void *volatile keep;
__attribute__((noinline)) void big(void) { for (int i = 0; i < 1000; i++) { keep = malloc(1000); free(keep); } }
__attribute__((noinline)) void small(void) { for (int i = 0; i < 500; i++) { keep = calloc(10, 10); free(keep); } }
__attribute__((noinline)) void again(void) {
    for (int i = 0; i < 100; i++) {
        keep = realloc(NULL, 50);
        keep = realloc(keep, 70);
        free(keep);
    }
}
int main(void) { big(); small(); again(); return 0; }
"""


@pytest.fixture(scope="module")
def allocates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("allocates")
    (folder / "allocates.c").write_text(ALLOCATES)
    subprocess.run(["gcc", "-O0", "-g", folder / "allocates.c", "-o", folder / "allocates"], check=True)
    return folder / "allocates"


def test_bytes_that_are_allocated(tmp_path, allocates):
    """The callers are there although malloc makes no frame."""
    done = record("-e", "malloc", "--", allocates, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    mine = {s: w for s, w in weights(tmp_path / "out.folded").items() if ";main;" in s}
    by_caller = {
        name: sum(w for s, w in mine.items() if f";main;{name};" in s) for name in ("big", "small", "again")
    }
    assert by_caller == {"big": 1_000_000, "small": 50_000, "again": 100 * (50 + 70)}
    done = record("-e", "malloc", "--weight", "count", "-f", "--", allocates, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sum(w for s, w in weights(tmp_path / "out.folded").items() if ";main;" in s) == 1000 + 500 + 200


def test_bytes_and_time_of_block_devices(tmp_path):
    size = 8 << 20
    (tmp_path / "file").write_bytes(os.urandom(size))
    with (tmp_path / "file").open("rb") as file:
        os.fsync(file.fileno())
    read = ["dd", f"if={tmp_path}/file", "of=/dev/null", "bs=1M", "iflag=direct"]
    if subprocess.run(read, capture_output=True, check=False).returncode:
        pytest.skip("this file system has no direct reads")
    done = record("-e", "block-io", "--weight", "bytes", "--", *read, cwd=tmp_path)
    if done.returncode == 1:
        pytest.skip("this file system is on no block device")
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    assert sum(w for s, w in stacks.items() if s.startswith("dd;") and "vfs_read" in s) == pytest.approx(
        size, rel=0.05
    )
    start = time.monotonic()
    done = record("-e", "block-io", "-o", "ns.folded", "--", *read, cwd=tmp_path)
    assert 0 < sum(weights(tmp_path / "ns.folded").values()) < (time.monotonic() - start) * 1e9 * 8


def test_time_in_system_calls(tmp_path):
    code = "import time\nfor _ in range(20): time.sleep(0.02)"
    done = record("-e", "syscall", "-o", "out.folded", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    slept = sum(
        w for s, w in weights(tmp_path / "out.folded").items() if s.endswith("clock_nanosleep@GLIBC_2.2.5")
    )
    assert slept == pytest.approx(0.4e9, rel=0.1)


def test_who_wakes(tmp_path):
    """The main thread waits for another one, which wakes it after half a second."""
    code = (
        "import threading, time\nevent = threading.Event()\n"
        "def wake():\n    time.sleep(0.5)\n    event.set()\n"
        "threading.Thread(target=wake).start()\nevent.wait()"
    )
    done = record("-e", "wakeup", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    waited = sum(w for s, w in weights(tmp_path / "out.folded").items() if "futex_wake" in s)
    assert waited == pytest.approx(0.5e9, rel=0.3)


def test_waiting_for_locks_of_the_kernel(tmp_path):
    """Four threads map and unmap in one address space."""
    code = (
        "import mmap, threading, time\nend = time.monotonic() + 1\n"
        "def work():\n    while time.monotonic() < end:\n"
        "        m = mmap.mmap(-1, 1 << 20); m[:] = bytes(1 << 20); m.close()\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()"
    )
    done = record("-e", "lock", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert any("munmap" in stack and "slowpath" in stack for stack in weights(tmp_path / "out.folded"))


def test_bytes_of_tcp(tmp_path):
    code = (
        "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
        "c = socket.create_connection(s.getsockname()); d, _ = s.accept()\n"
        "for _ in range(100): c.sendall(bytes(1000))\n"
        "n = 0\nwhile n < 100_000: n += len(d.recv(5000))\n"
    )
    done = record("-e", "tcp", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    assert sum(w for s, w in stacks.items() if "sendto" in s) == 100_000
    assert sum(w for s, w in stacks.items() if "recvfrom" in s) == 100_000


CAPABLE = "-all,+bpf,+perfmon,+syslog,+dac_read_search"


def test_a_user_with_two_capabilities(tmp_path):
    """CAP_DAC_READ_SEARCH is there to reach this Python, and CAP_SYSLOG for the names of the kernel."""
    tmp_path.chmod(0o777)
    command = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={CAPABLE}",
        f"--ambient-caps={CAPABLE}", f"--bounding-set={CAPABLE}", *KPROF, "record", "--backend", "bpf",
    ]  # fmt: skip
    environment = {**os.environ, "HOME": "/tmp", "TMPDIR": "/tmp"}
    for arguments, name in ((["-e", "off-cpu"], "nanosleep"), (["-e", "page-faults"], "_dl_")):
        done = subprocess.run(
            [*command, *arguments, "-f", "--", "sleep", "0.2"],
            cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert name in (tmp_path / "out.folded").read_text()
    done = subprocess.run(
        [*command, "-e", "malloc", "-f", "--", "sleep", "0.2"],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60, env=environment,
    )  # fmt: skip
    assert done.returncode == 3
    assert "functions of programs need CAP_SYS_ADMIN" in done.stderr


def test_time_stamps_are_there_to_filter_by(tmp_path, running):
    arguments = ["-p", str(running.pid), "-d", "2", "--timestamps", "-o", "x.kprof"]
    done = record(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    counts = []
    for more in ([], ["--end", "1"], ["--start", "1"], ["--only-cpu", "0"], ["--only-cpu", "1"]):
        done = kprof("fold", "x.kprof", "-o", "x.folded", *more, cwd=tmp_path)
        counts.append(samples(done)[1] if done.returncode == 0 else 0)
    whole, before, after, *cpus = counts
    assert before + after == whole == sum(cpus)
    assert min(before, after) > 0.2 * whole
