"""Recording with BPF programs on this kernel, and reading what came of it."""

import json
import os
import struct
import subprocess
import time
from pathlib import Path

import pytest

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


@pytest.fixture(autouse=True)
def may_load():
    if os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists():
        pytest.skip("loads BPF programs: needs root and a kernel that tells its types")


@pytest.fixture
def record(kprof):
    return lambda *arguments, **options: kprof("record", "--backend", "bpf", *arguments, **options)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compile a program with frame pointers; return its path."""
    folder = tmp_path_factory.mktemp("programs")

    def build(name, source, *options):
        (folder / f"{name}.c").write_text(source)
        subprocess.run(
            ["gcc", "-O0", "-g", "-fno-omit-frame-pointer", f"{name}.c", "-o", name, *options],
            check=True, cwd=folder,
        )  # fmt: skip
        return folder / name

    return build


@pytest.fixture(scope="session")
def split(compiled):
    return compiled("split", SPLIT)


@pytest.fixture
def running(split):
    process = subprocess.Popen([split])
    time.sleep(0.1)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def blocks():
    """The blocks of a recording, read without the reader."""

    def read(path):
        data, at = Path(path).read_bytes(), 16
        while at + 16 <= len(data):
            kind, _, size = struct.unpack_from("<IIQ", data, at)
            yield kind, data[at + 16 : at + 16 + size]
            at += 16 + size + -size % 8

    return read


@pytest.fixture
def tallies(blocks):
    """The accounting of a recording."""
    return lambda path: [json.loads(payload) for kind, payload in blocks(path) if kind == 5][-1]
