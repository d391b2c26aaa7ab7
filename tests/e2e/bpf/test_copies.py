"""kprof record --backend bpf where code keeps no frame pointers, with call chains that are known."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

KPROF = [sys.executable, "-m", "kprof"]
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists(),
    reason="loads BPF programs: needs root and a kernel that tells its types",
)
# A callback that is called through libc, six deep, and then naps there.
PROGRAM = r"""
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static volatile double sink;
static int naps;
__attribute__((noinline)) static int compare(const void *a, const void *b) {
    for (int i = 0; i < 200; i++) sink += sqrt(i);
    return *(const int *)a - *(const int *)b;
}
__attribute__((noinline)) static int nap(const void *a, const void *b) {
    struct timespec time = {0, 10000000};
    if (naps++ < 40) nanosleep(&time, 0);
    return *(const int *)a - *(const int *)b;
}
__attribute__((noinline)) static void deep(int n, int (*how)(const void *, const void *)) {
    volatile char room[64];
    room[0] = (char)n;
    if (n) deep(n - 1, how);
    else { int items[64]; for (int i = 0; i < 64; i++) items[i] = rand(); qsort(items, 64, 4, how); }
    room[1] = room[0];
}
int main(int argc, char **argv) {
    for (int i = 0; i < atoi(argv[1]); i++) deep(5, compare);
    if (argc > 2) deep(5, nap);
    return 0;
}
"""
DEEP = "app;_start;__libc_start_main;__libc_start_call_main;main;deep;deep;deep;deep;deep;deep;"
TALLIES, COPIES = 5, 7


def kprof(*arguments, cwd):
    return subprocess.run(
        [*KPROF, *arguments], cwd=cwd, check=False, capture_output=True, text=True, timeout=180
    )


def record(*arguments, cwd):
    done = kprof("record", "--backend", "bpf", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.c").write_text(PROGRAM)
    subprocess.run(
        ["gcc", "-O1", "-g", "-fomit-frame-pointer", "-o", "app", "app.c", "-lm"], cwd=folder, check=True
    )
    return str(folder / "app")


def fold(path, cwd, *options):
    done = kprof("fold", path, "-q", "--no-inline", "-o", "-", *options, cwd=cwd)
    assert done.returncode == 0, done.stderr
    lines = (line.rsplit(" ", 1) for line in done.stdout.splitlines())
    return {re.sub("@@?GLIBC_[0-9.]+", "", stack): int(weight) for stack, weight in lines}


def blocks(path):
    data, at = Path(path).read_bytes(), 16
    while at + 16 <= len(data):
        kind, _, size = struct.unpack_from("<IIQ", data, at)
        yield kind, data[at + 16 : at + 16 + size]
        at += 16 + size + -size % 8


def tally(path):
    return [json.loads(payload) for kind, payload in blocks(path) if kind == TALLIES][-1]["events"][0]


def check(path):
    event = tally(path)
    assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
    return event


def test_stacks_go_through_libc_to_main_and_are_those_of_perf(tmp_path, app):
    """Of the same time: perf records with copies, too."""
    perf = [
        "perf",
        "record",
        "-q",
        "--call-graph",
        "dwarf",
        "-e",
        "cpu-clock",
        "-F",
        "499",
        "-o",
        "perf.data",
        "--",
    ]
    ours = [*KPROF, "record", "--backend", "bpf", "-q", "-g", "dwarf", "-F", "499", "-o", "x.kprof", "--"]
    done = subprocess.run(
        [*perf, *ours, app, "3000"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert check(tmp_path / "x.kprof")["stacks_lost"] == 0
    shares = []
    for name in ("x.kprof", "perf.data"):
        stacks = {stack: n for stack, n in fold(name, tmp_path).items() if stack.startswith("app;")}
        total = sum(stacks.values())
        assert (
            sum(n for stack, n in stacks.items() if stack.startswith(DEEP) and "qsort" in stack) > 0.9 * total
        )
        assert sum(n for stack, n in stacks.items() if ";compare" in stack) > 0.8 * total
        shares.append({stack: n / total for stack, n in stacks.items()})
    bpf, perf = shares
    agreed = sum(min(share, perf.get(stack, 0)) for stack, share in bpf.items())
    assert agreed > 0.8, shares


def test_by_itself_it_copies_where_there_are_no_frame_pointers(tmp_path, app):
    done = record("-F", "499", "-o", "x.kprof", "--", app, "2000", cwd=tmp_path)
    assert re.search(r"stacks: .*copies of stacks of app", done.stderr)
    stacks = fold("x.kprof", tmp_path)
    mine = {stack: n for stack, n in stacks.items() if stack.startswith("app;")}
    assert sum(n for stack, n in mine.items() if stack.startswith(DEEP)) > 0.9 * sum(mine.values())
    facts = json.loads([payload for kind, payload in blocks(tmp_path / "x.kprof") if kind == 1][-1])["facts"]
    assert "copies of stacks of app" in facts["call graph"]


FRAMED = (
    "int f{0}(int a) {{ int s = 0; for (int i = 0; i < a; i++) s += x(i) + x(s) * x(a); return s + {0}; }}\n"
)


def test_by_itself_it_follows_frame_pointers_where_there_are(tmp_path):
    code = "volatile int sink;\nint x(int a) { sink = a; return a; }\n" + "".join(
        FRAMED.format(i) for i in range(40)
    )
    code += "int main() { for (int i = 0; i < 3000000; i++) f7(100); }"
    (tmp_path / "x.c").write_text(code)
    build = ["gcc", "-O1", "-fno-inline", "-fno-ipa-icf", "-fno-omit-frame-pointer", "x.c", "-o", "framed"]
    subprocess.run(build, cwd=tmp_path, check=True)
    done = record("-F", "499", "-o", "x.kprof", "--", "./framed", cwd=tmp_path)
    assert re.search(r"stacks: frame pointers of .*framed", done.stderr)
    stacks = {stack: n for stack, n in fold("x.kprof", tmp_path).items() if stack.startswith("framed;")}
    # There is no _start: that function keeps none.
    begin = "framed;__libc_start_call_main;main;"
    assert sum(n for stack, n in stacks.items() if stack.startswith(begin)) > 0.9 * sum(stacks.values())
    copied = sum(len(payload) for kind, payload in blocks(tmp_path / "x.kprof") if kind == COPIES)
    # Those of the shell that starts it, and of the loader.
    assert copied < 300_000


def test_time_that_is_blocked_has_whole_stacks(tmp_path, app):
    record("-e", "off-cpu", "-o", "x.kprof", "--", app, "1", "nap", cwd=tmp_path)
    check(tmp_path / "x.kprof")
    slept = {stack: n for stack, n in fold("x.kprof", tmp_path).items() if ";nap;" in stack}
    assert sum(slept.values()) >= 40 * 10e6
    assert all(stack.startswith(DEEP) for stack in slept)
    # The user's part leads into the kernel's.
    assert all(re.search(";nap;.*nanosleep.*schedule$", stack) for stack in slept)


def test_python_shows_its_way_through_libc_to_sleep(tmp_path):
    code = "import time\ndef rest():\n    for _ in range(20): time.sleep(0.02)\nrest()"
    record("-e", "off-cpu", "-o", "x.kprof", "--", sys.executable, "-c", code, cwd=tmp_path)
    slept = {stack: n for stack, n in fold("x.kprof", tmp_path).items() if "nanosleep" in stack}
    assert sum(slept.values()) >= 20 * 20e6
    assert sum(n for stack, n in slept.items() if "Py_RunMain" in stack and "PyEval" in stack) > 0.9 * sum(
        slept.values()
    )


def test_a_smaller_copy_cuts_the_stack_and_says_so(tmp_path, app):
    sizes = {}
    for size in (512, 8192):
        done = record(
            "-g",
            "dwarf",
            "--stack-size",
            str(size),
            "-F",
            "499",
            "-f",
            "-o",
            "x.kprof",
            "--",
            app,
            "800",
            cwd=tmp_path,
        )
        event = check(tmp_path / "x.kprof")
        payload = sum(len(payload) for kind, payload in blocks(tmp_path / "x.kprof") if kind == COPIES)
        sizes[size] = payload / event["counted"]
        assert sizes[size] <= 16 + 168 + size
        cut = sum(n for stack, n in fold("x.kprof", tmp_path).items() if "[truncated]" in stack)
        assert bool(cut) == (size == 512)
    assert sizes[512] < sizes[8192]
    done = kprof(
        "record", "--backend", "bpf", "-g", "dwarf", "--stack-size", "32768", "--", app, "1", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "copies up to 24576 bytes" in done.stderr


def test_a_32_bit_program(tmp_path):
    (tmp_path / "app.c").write_text(PROGRAM)
    build = ["gcc", "-m32", "-O1", "-g", "-fomit-frame-pointer", "-o", "app", "app.c", "-lm"]
    if subprocess.run(build, cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("this compiler does not build 32-bit programs")
    record("-g", "dwarf", "-F", "499", "-o", "x.kprof", "--", "./app", "1500", cwd=tmp_path)
    stacks = {stack: n for stack, n in fold("x.kprof", tmp_path).items() if ";compare" in stack}
    whole = sum(n for stack, n in stacks.items() if ";main;deep;deep;deep;deep;deep;deep;" in stack)
    assert whole > 0.9 * sum(stacks.values()) > 0


def test_time_stamps_and_copies_together(tmp_path, app):
    record("-g", "dwarf", "--timestamps", "-F", "997", "-o", "x.kprof", "--", app, "2000", cwd=tmp_path)
    event = check(tmp_path / "x.kprof")
    done = kprof("fold", "x.kprof", "-o", "y.folded", "--start", "0.2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kept = int(re.search(r"([\d,]+) kept", done.stderr)[1].replace(",", ""))
    assert 0 < kept < event["counted"]
    assert any(stack.startswith("app;_start;") for stack in fold("x.kprof", tmp_path, "--start", "0.2"))


def test_every_occurrence_with_a_time_stamp_is_sent_or_counted_as_lost(tmp_path):
    """A million faults in a second or two: more than the buffer holds, if nobody reads it for a while."""
    code = "import mmap\nfor _ in range(60):\n    m = mmap.mmap(-1, 40 << 20)\n    m[::4096] = bytes(len(range(0, 40 << 20, 4096)))\n    m.close()"
    record(
        "-e",
        "page-faults",
        "-g",
        "fp",
        "--timestamps",
        "-o",
        "x.kprof",
        "--",
        sys.executable,
        "-c",
        code,
        cwd=tmp_path,
    )
    event = check(tmp_path / "x.kprof")
    assert event["seen"] > 60 * 1000
    rows = [payload for kind, payload in blocks(tmp_path / "x.kprof") if kind == 4]
    counts = sum(
        struct.unpack_from("<Q", payload, at + 56)[0] for payload in rows for at in range(0, len(payload), 80)
    )
    assert counts == event["counted"]
    done = kprof("fold", "x.kprof", "-o", "y.folded", cwd=tmp_path)
    read, kept, lost = (
        int(text.replace(",", ""))
        for text in re.search(r"([\d,]+) samples read, ([\d,]+) kept.* ([\d,]+) lost", done.stderr).groups()
    )
    assert (read, kept, lost) == (event["seen"], event["counted"], event["no_room"] + event["nested"])


def test_the_users_side_is_not_copied_where_only_the_kernels_is_asked_for(tmp_path, app):
    shutil.copy(app, tmp_path / "app")
    record("-g", "dwarf", "-e", "cpu-clock:k", "-o", "x.kprof", "--", "./app", "500", cwd=tmp_path)
    assert not [kind for kind, _ in blocks(tmp_path / "x.kprof") if kind == COPIES]
