"""kprof record --backend bpf where code keeps no frame pointers, with call chains that are known."""

import json
import re
import struct
import subprocess
import sys

import pytest

KPROF = [sys.executable, "-m", "kprof"]
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
META, ROWS, COPIES = 1, 4, 7
FRAMED = (
    "int f{0}(int a) {{ int s = 0; for (int i = 0; i < a; i++) s += x(i) + x(s) * x(a); return s + {0}; }}\n"
)


@pytest.fixture
def recorded(record, tallies, tmp_path):
    """Record into x.kprof; return what was said, and the accounting, which adds up."""

    def run(*arguments):
        done = record("-f", "-o", "x.kprof", *arguments)
        assert done.returncode == 0, done.stderr
        event = tallies(tmp_path / "x.kprof")["events"][0]
        assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
        return done, event

    return run


@pytest.fixture
def fold(kprof):
    """Weights of stacks, names without versions."""

    def read(path, *options):
        done = kprof("fold", path, "-q", "--no-inline", "-o", "-", *options)
        assert done.returncode == 0, done.stderr
        lines = (line.rsplit(" ", 1) for line in done.stdout.splitlines())
        return {re.sub("@@?GLIBC_[0-9.]+", "", stack): int(weight) for stack, weight in lines}

    return read


@pytest.fixture
def copied(blocks, tmp_path):
    """Bytes of copies in x.kprof."""
    return lambda: sum(len(payload) for kind, payload in blocks(tmp_path / "x.kprof") if kind == COPIES)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.c").write_text(PROGRAM)
    subprocess.run(
        ["gcc", "-O1", "-g", "-fomit-frame-pointer", "-o", "app", "app.c", "-lm"], cwd=folder, check=True
    )
    return str(folder / "app")


def share(stacks, chosen):
    """The share of the weight that is in some stacks."""
    return sum(weight for stack, weight in stacks.items() if chosen(stack)) / sum(stacks.values())


def of(name, stacks):
    return {stack: weight for stack, weight in stacks.items() if stack.startswith(f"{name};")}


def test_stacks_go_through_libc_to_main_and_are_those_of_perf(tmp_path, app, tallies, fold):
    """Of the same time: perf records with copies, too."""
    options = ["-F", "499", "-e", "cpu-clock"]
    perf = ["perf", "record", "-q", "--call-graph", "dwarf", *options, "-o", "perf.data", "--"]
    ours = [*KPROF, "record", "--backend", "bpf", "-q", "-g", "dwarf", *options, "-o", "x.kprof", "--"]
    done = subprocess.run(
        [*perf, *ours, app, "3000"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert tallies(tmp_path / "x.kprof")["events"][0]["stacks_lost"] == 0
    shares = []
    for name in ("x.kprof", "perf.data"):
        stacks = of("app", fold(name))
        assert share(stacks, lambda stack: stack.startswith(DEEP) and "qsort" in stack) > 0.9
        assert share(stacks, lambda stack: ";compare" in stack) > 0.8
        shares.append({stack: weight / sum(stacks.values()) for stack, weight in stacks.items()})
    theirs = shares[1]
    assert sum(min(part, theirs.get(stack, 0)) for stack, part in shares[0].items()) > 0.8, shares


def test_by_itself_it_copies_where_there_are_no_frame_pointers(tmp_path, app, recorded, fold, blocks):
    done, _ = recorded("-F", "499", "--", app, "2000")
    assert re.search(r"stacks: .*copies of stacks of app", done.stderr)
    assert share(of("app", fold("x.kprof")), lambda stack: stack.startswith(DEEP)) > 0.9
    facts = json.loads([payload for kind, payload in blocks(tmp_path / "x.kprof") if kind == META][-1])[
        "facts"
    ]
    assert "copies of stacks of app" in facts["call graph"]


def test_by_itself_it_follows_frame_pointers_where_there_are(compiled, recorded, fold, copied):
    code = "volatile int sink;\nint x(int a) { sink = a; return a; }\n"
    code += "".join(FRAMED.format(i) for i in range(40))
    code += "int main() { for (int i = 0; i < 3000000; i++) f7(100); }"
    framed = compiled("framed", code, "-O1", "-fno-inline", "-fno-ipa-icf")
    done, _ = recorded("-F", "499", "--", framed)
    assert re.search(r"stacks: frame pointers of .*framed", done.stderr)
    # There is no _start: that function keeps none.
    stacks = of("framed", fold("x.kprof"))
    assert share(stacks, lambda stack: stack.startswith("framed;__libc_start_call_main;main;")) > 0.9
    # Those of the shell that starts it, and of the loader.
    assert copied() < 300_000


def test_time_that_is_blocked_has_whole_stacks(app, recorded, fold):
    recorded("-e", "off-cpu", "--", app, "1", "nap")
    slept = {stack: weight for stack, weight in fold("x.kprof").items() if ";nap;" in stack}
    assert sum(slept.values()) >= 40 * 10e6
    assert all(stack.startswith(DEEP) for stack in slept)
    # The user's part leads into the kernel's.
    assert all(re.search(";nap;.*nanosleep.*schedule(;|$)", stack) for stack in slept)


def test_python_shows_its_way_through_libc_to_sleep(recorded, fold):
    code = "import time\ndef rest():\n    for _ in range(20): time.sleep(0.02)\nrest()"
    recorded("-e", "off-cpu", "--", sys.executable, "-c", code)
    slept = {stack: weight for stack, weight in fold("x.kprof").items() if "nanosleep" in stack}
    assert sum(slept.values()) >= 20 * 20e6
    assert share(slept, lambda stack: "Py_RunMain" in stack and "PyEval" in stack) > 0.9


@pytest.mark.parametrize("size", [512, 8192])
def test_a_copy_that_is_too_small_cuts_the_stack_and_says_so(app, recorded, fold, copied, size):
    _, event = recorded("-g", "dwarf", "--stack-size", str(size), "-F", "499", "--", app, "800")
    assert copied() / event["counted"] <= 16 + 168 + size
    assert any("[truncated]" in stack for stack in fold("x.kprof")) == (size == 512)


def test_more_than_there_is_room_for_is_refused(app, record):
    done = record("-g", "dwarf", "--stack-size", "32768", "--", app, "1")
    assert done.returncode == 2
    assert "copies up to 24576 bytes" in done.stderr


def test_a_32_bit_program(tmp_path, recorded, fold):
    (tmp_path / "app.c").write_text(PROGRAM)
    build = ["gcc", "-m32", "-O1", "-g", "-fomit-frame-pointer", "-o", "app", "app.c", "-lm"]
    if subprocess.run(build, cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("this compiler does not build 32-bit programs")
    recorded("-g", "dwarf", "-F", "499", "--", "./app", "1500")
    stacks = {stack: weight for stack, weight in fold("x.kprof").items() if ";compare" in stack}
    assert share(stacks, lambda stack: ";main;deep;deep;deep;deep;deep;deep;" in stack) > 0.9


def test_time_stamps_and_copies_together(app, recorded, kprof, fold):
    _, event = recorded("-g", "dwarf", "--timestamps", "-F", "997", "--", app, "2000")
    done = kprof("fold", "x.kprof", "-o", "y.folded", "--start", "0.2")
    assert done.returncode == 0, done.stderr
    kept = int(re.search(r"([\d,]+) kept", done.stderr)[1].replace(",", ""))
    assert 0 < kept < event["counted"]
    assert any(stack.startswith("app;_start;") for stack in fold("x.kprof", "--start", "0.2"))


def test_every_occurrence_with_a_time_stamp_is_sent_or_counted_as_lost(tmp_path, recorded, kprof, blocks):
    code = (
        "import mmap\nfor _ in range(60):\n    m = mmap.mmap(-1, 40 << 20)\n"
        "    m[::4096] = bytes(10240)\n    m.close()"
    )
    _, event = recorded("-e", "page-faults", "-g", "fp", "--timestamps", "--", sys.executable, "-c", code)
    assert event["seen"] > 60 * 1000
    rows = b"".join(payload for kind, payload in blocks(tmp_path / "x.kprof") if kind == ROWS)
    assert sum(count for (count,) in struct.iter_unpack("<56xQ16x", rows)) == event["counted"]
    done = kprof("fold", "x.kprof", "-o", "y.folded")
    told = re.search(r"([\d,]+) samples read, ([\d,]+) kept.* ([\d,]+) lost", done.stderr).groups()
    lost = event["no_room"] + event["nested"]
    assert [int(text.replace(",", "")) for text in told] == [event["seen"], event["counted"], lost]


def test_the_users_side_is_not_copied_where_only_the_kernels_is_asked_for(app, recorded, copied):
    recorded("-g", "dwarf", "-e", "cpu-clock:k", "--", app, "500")
    assert not copied()
