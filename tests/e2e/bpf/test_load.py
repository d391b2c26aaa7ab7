"""Under load, nothing crashes, what was seen is what was counted and what was dropped, and memory is bounded."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.engine import Engine
from kprof.recorders.bpf.sources import PerfEvent, Source
from kprof.system.cpus import online_cpus
from kprof.wire import bpf_events as layout

ROWS, COPIES = 4, 7
FAULTS = Source("page-faults", "events", "sample", ("sample",), (PerfEvent(1, 2),), copies=layout.COPY_ALL)
FAULTING = "import mmap\nfor _ in range(40):\n    m = mmap.mmap(-1, 1 << 20)\n    m[:] = bytes(1 << 20)\n    m.close()"
# 170 processes a second for so many seconds, each another program for a millisecond.
MANY_PROCESSES = """
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc == 1) {
        volatile long sum = 0;
        for (long i = 0; i < 3000000; i++) sum += i;
        return 0;
    }
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int count = atoi(argv[1]);
    for (int i = 0; i < count; i++) {
        if (!vfork()) {
            execl(argv[0], "brief", (char *)0);
            _exit(1);
        }
        /* Up to ten at a time. */
        while (waitpid(-1, 0, i < 10 ? WNOHANG : 0) < 0) break;
        do clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - start.tv_sec) * 1e9 + (now.tv_nsec - start.tv_nsec) < i * 1e9 / 170 && !usleep(500));
    }
    while (wait(0) > 0) {}
    return 0;
}
"""
# Two thousand threads that compute and sleep in turn.
MANY_THREADS = """
#include <pthread.h>
#include <time.h>
#include <unistd.h>
static volatile long sink;
__attribute__((noinline)) static void busy(void) { for (long i = 0; i < 300000; i++) sink += i; }
static void *work(void *unused) {
    for (int i = 0; i < 12; i++) { busy(); usleep(20000); }
    return unused;
}
int main(void) {
    static pthread_t threads[2000];
    for (int i = 0; i < 2000; i++) if (pthread_create(&threads[i], 0, work, 0)) return 1;
    for (int i = 0; i < 2000; i++) pthread_join(threads[i], 0);
    return 0;
}
"""


@pytest.fixture
def balanced(blocks, tallies):
    """Check the accounting of a recording against its rows; return it."""

    def check(path):
        events = tallies(path)["events"]
        sums = np.zeros(len(events), np.int64)
        for kind, payload in blocks(path):
            if kind == ROWS:
                rows = np.frombuffer(payload, layout.KEPT_ROW)
                np.add.at(sums, rows["event"], rows["count"].astype(np.int64))
        for event, kept in zip(events, sums.tolist(), strict=True):
            assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
            assert event["counted"] == kept
        return events

    return check


def engine_run(path, *, timestamps, rooms):
    """Count faults of some work with rooms of that size, which nobody empties meanwhile."""
    made = np.zeros(1, layout.SETTINGS)
    made["self"], made["timestamps"], made["copy_bytes"] = os.getpid(), timestamps, 8192
    made["events"]["sides"], made["events"]["most"] = layout.USER | layout.KERNEL, (1 << 64) - 1
    made["events"]["copies"] = layout.COPY_ALL
    with Engine(made, [FAULTS], online_cpus(), 1000) as engine:
        engine.rooms = replace(engine.rooms, **rooms)
        engine.load()
        with DumpWriter(str(path), {}) as dump:
            engine.attach(())
            subprocess.run([sys.executable, "-c", FAULTING], check=True)
            assert engine.is_crowded
            engine.detach()
            engine.finish(dump, time.monotonic_ns())
            dump.tallies(engine.tallies())


def test_a_full_buffer_of_copies_loses_stacks_and_counts_them(tmp_path, balanced, blocks):
    path = tmp_path / "x"
    engine_run(path, timestamps=False, rooms={"copies": 1 << 16})
    (event,) = balanced(path)
    copies = sum(payload.count(b"") > 0 for kind, payload in blocks(path) if kind == COPIES)
    assert copies
    assert event["stacks_lost"] > 0
    assert event["no_room"] == 0


def test_a_full_buffer_of_records_drops_and_counts_what_it_drops(tmp_path, balanced):
    path = tmp_path / "x"
    engine_run(path, timestamps=True, rooms={"records": 1 << 14})
    (event,) = balanced(path)
    assert event["no_room"] > 0
    # As many as have room: 88 bytes each.
    assert (1 << 14) / 88 - 2 <= event["counted"] <= (1 << 14) / 88


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fp", "dwarf"])
def test_ten_thousand_processes_a_minute(tmp_path, record, kprof, compiled, balanced, samples, weights, how):
    """For ten seconds: each is named, though it lives for some milliseconds."""
    brief = compiled("brief", MANY_PROCESSES)
    done = record("-g", how, "-F", "997", "-o", "x.kprof", "--", brief, "1700")
    assert done.returncode == 0, done.stderr
    assert "not recorded" not in done.stderr
    (event,) = balanced(tmp_path / "x.kprof")
    done = kprof("fold", "x.kprof", "--pid", "-o", "out.folded")
    assert samples(done) == (event["seen"], event["counted"])
    stacks = weights(tmp_path / "out.folded")
    mine = {stack: n for stack, n in stacks.items() if stack.startswith("brief-")}
    # As many as are sampled at all: most of them.
    assert len({stack.partition(";")[0] for stack in mine}) > 1000
    assert sum(n for stack, n in mine.items() if ";main" in stack) > 0.3 * sum(mine.values())
    # The loader keeps no frame pointers.
    unknown = sum(n for stack, n in mine.items() if "[unknown]" in stack)
    assert unknown < (0.02 if how == "dwarf" else 0.3) * sum(mine.values())


@pytest.mark.slow
@pytest.mark.parametrize("more", [["-g", "fp"], ["-g", "dwarf"], ["--timestamps"]], ids=" ".join)
def test_two_thousand_threads(tmp_path, record, kprof, compiled, balanced, samples, more):
    threads = compiled("threads", MANY_THREADS, "-pthread")
    done = record("-e", "off-cpu,on-cpu", "-F", "997", *more, "-o", "x.kprof", "--", threads)
    assert done.returncode == 0, done.stderr
    blocked, running = balanced(tmp_path / "x.kprof")
    # Each thread sleeps twelve times.
    assert blocked["counted"] + blocked["no_room"] >= 2000 * 12
    assert running["seen"] > 100
    done = kprof("fold", "x.kprof", "-e", "off-cpu", "-o", "out.folded")
    assert done.returncode == 0, done.stderr
    assert re.search(r"thread-?|threads;", (tmp_path / "out.folded").read_text())


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [["-g", "fp"], ["-g", "dwarf"], ["-g", "dwarf", "--timestamps"]], ids=" ".join
)
def test_five_thousand_hertz_on_all_cpus(tmp_path, running, record, balanced, more):
    """On a CPU that computes, and on whatever else there is."""
    command = [
        sys.executable,
        "-c",
        _PEAK,
        *map(str, ["-F", "4999", *more, "-a", "-d", "4", "-f", "-o", "x.kprof"]),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (event,) = balanced(tmp_path / "x.kprof")
    assert event["seen"] > 4999
    # Some 40 MB for Python, twice the buffer of copies, which is mapped twice, and what is moved at once.
    assert int(done.stdout.split()[-1]) < 300 << 10
    stated = re.search(rb'"kernel memory": "(\d+) MB', (tmp_path / "x.kprof").read_bytes())
    assert 0 < int(stated[1]) < 300


_PEAK = """
import re, sys
sys.argv[1:1] = ["record", "--backend", "bpf"]
from kprof.cli import main
try:
    main()
finally:
    # Not that of getrusage, which holds what the parent had when it forked.
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
