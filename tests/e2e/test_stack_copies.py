"""Copies of stacks, recorded here: unwound as perf unwinds them, and further."""

import subprocess
import sys

import pytest

KPROF = [sys.executable, "-m", "kprof"]
PROGRAM = r"""
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static volatile double sink;
static char zeros[1 << 16];
static int zero;
__attribute__((noinline)) static int compare(const void *a, const void *b) {
    for (int i = 0; i < 200; i++) sink += sqrt(i);
    return memcmp(a, b, 8);
}
__attribute__((noinline)) static void deep(int n) {
    volatile char room[64];
    room[0] = (char)n;
    if (n) deep(n - 1);
    else { long items[64]; for (int i = 0; i < 64; i++) items[i] = rand(); qsort(items, 64, 8, compare); }
    room[1] = room[0];
}
__attribute__((noinline)) static long deeper(int n) {
    if (n) return deeper(n - 1) + n;
    for (int i = 0; i < 40000; i++) sink += (double)pread(zero, zeros, sizeof zeros, 0);
    return (long)sink;
}
int main(int argc, char **argv) {
    if (argc > 1) { zero = open("/dev/zero", O_RDONLY); return deeper(140) == 1; }
    for (int i = 0; i < 700; i++) deep(5);
    return 0;
}
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A program without frame pointers, whose callback is called through libc."""
    folder = tmp_path_factory.mktemp("copies")
    (folder / "app.c").write_text(PROGRAM)
    build = ["gcc", "-O1", "-g", "-fomit-frame-pointer", "-o", "app", "app.c", "-lm"]
    subprocess.run(build, cwd=folder, check=True)
    for name, *words in (("x", "./app"), ("kernel", "./app", "deep")):
        done = subprocess.run(
            [*KPROF, "record", "-g", "dwarf", "-F", "499", "-o", f"{name}.data", "--", *words],
            cwd=folder, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


def fold(folder, *options):
    done = subprocess.run(
        [*KPROF, "fold", *options], cwd=folder, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return dict(line.rsplit(" ", 1) for line in done.stdout.decode().splitlines())


def test_stacks_go_through_libc_to_main(recorded):
    stacks = fold(recorded, "x.data", "-q", "--no-inline")
    deep = ";".join(["app", "_start", "__libc_start_main", "__libc_start_call_main", "main", *["deep"] * 6])
    plain = {key.replace("@@GLIBC_2.34", ""): int(weight) for key, weight in stacks.items()}
    whole = sum(weight for key, weight in plain.items() if key.startswith(deep) and "compare" in key)
    assert whole > 0.8 * sum(plain.values()), stacks


@pytest.mark.parametrize("name", ["x", "kernel"])
def test_stacks_are_those_of_perf(recorded, name):
    """Those with frames of the kernel are longer than the 127 frames that perf unwinds."""
    text = subprocess.run(
        ["perf", "script", "-f", "--no-inline", "-i", f"{name}.data"],
        cwd=recorded, capture_output=True, check=True,
    )  # fmt: skip
    (recorded / f"{name}.txt").write_bytes(text.stdout)
    theirs = fold(recorded, f"{name}.txt", "-q")
    ours = fold(recorded, f"{name}.data", "-q", "--compat", "perf")
    total = sum(map(int, theirs.values()))
    agreed = sum(int(weight) for key, weight in theirs.items() if ours.get(key) == weight)
    assert agreed > 0.98 * total, (set(theirs) ^ set(ours), agreed / total)
