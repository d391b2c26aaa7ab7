"""Bytes that programs ask for."""

import re
import subprocess
import time

import pytest

from kprof.recorders import RecordRequest, find_recorder
from kprof.recorders.bpf import live

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


def test_bytes_that_are_allocated(record, weights, tmp_path, allocates):
    """The callers are there although malloc makes no frame."""
    done = record("-e", "malloc", "--", allocates)
    assert done.returncode == 0, done.stderr
    mine = {s: w for s, w in weights(tmp_path / "out.folded").items() if ";main;" in s}
    by_caller = {
        name: sum(w for s, w in mine.items() if f";main;{name};" in s) for name in ("big", "small", "again")
    }
    assert by_caller == {"big": 1_000_000, "small": 50_000, "again": 100 * (50 + 70)}
    done = record("-e", "malloc", "--weight", "count", "-f", "--", allocates)
    assert done.returncode == 0, done.stderr
    assert sum(w for s, w in weights(tmp_path / "out.folded").items() if ";main;" in s) == 1000 + 500 + 200


# Each function leaves what its name says; threads free what others got.
LIVE = """
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
void *volatile keep, *handed[1000];
__attribute__((noinline)) void left_100000(void) { for (int i = 0; i < 100; i++) keep = malloc(1000); }
__attribute__((noinline)) void left_0(void) { for (int i = 0; i < 1000; i++) { keep = malloc(500); free(keep); } }
__attribute__((noinline)) void left_5000(void) {
    void *p = NULL;
    for (int i = 1; i <= 50; i++) p = realloc(p, i * 100);
    keep = p;
    p = malloc(8);
    keep = realloc(p, 0);
}
__attribute__((noinline)) void left_770(void) { for (int i = 0; i < 10; i++) keep = calloc(7, 11); }
__attribute__((noinline)) void left_2460(void) {
    void *p;
    for (int i = 0; i < 5; i++) {
        keep = (void *)(long)posix_memalign(&p, 64, 300);
        keep = aligned_alloc(64, 128);
        keep = memalign(64, 64);
        keep = (void *)(long)posix_memalign(&p, 3, 300);
    }
}
__attribute__((noinline)) void left_4242(void) { void *p = malloc(4242); keep = realloc(p, (size_t)1 << 62); keep = p; }
__attribute__((noinline)) void left_80000(void) { for (int i = 0; i < 1000; i++) handed[i] = malloc(80 * (1 + i % 2)); }
void *other(void *from) {
    for (long i = (long)from; i < 1000; i += 4) if (i % 2) free(handed[i]);
    for (int i = 0; i < 20000; i++) free(malloc(i % 300));
    return NULL;
}
int main(int count, char **arguments) {
    (void)arguments;
    void *before = malloc(99);
    if (count > 1) sleep(3);
    free(before);
    left_100000(); left_0(); left_5000(); left_770(); left_2460(); left_4242(); left_80000();
    left_80000();
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, other, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    if (count > 1) sleep(60);
    return 0;
}
"""
LEFT = {"left_100000": 100_000, "left_5000": 5000, "left_770": 770, "left_2460": 2460, "left_4242": 4242}
# The second round overwrites what the first one had handed on, and half of its own is freed.
LEFT["left_80000"] = 120_000 + 40_000


@pytest.fixture(scope="module")
def lives(compiled):
    return compiled("live", LIVE, "-w", "-pthread")


def by_caller(stacks):
    found = {}
    for stack, weight in stacks.items():
        if match := re.search(r";main;(left_\d+);", stack):
            found[match[1]] = found.get(match[1], 0) + weight
    return found


def test_what_is_allocated_and_not_freed(record, weights, tmp_path, tallies, kprof, lives):
    done = record("-e", "malloc", "--live", "-o", "x.kprof", "--", lives)
    assert done.returncode == 0, done.stderr
    done = kprof("fold", "x.kprof", "-o", "out.folded")
    assert by_caller(weights(tmp_path / "out.folded")) == LEFT
    (event,) = tallies(tmp_path / "x.kprof")["events"]
    assert event["allocated"] - event["freed"] == event["counted"]
    assert event["allocated"] > 80_000
    done = record("-e", "malloc", "--live", "--weight", "count", "-f", "--", lives)
    counts = by_caller(weights(tmp_path / "out.folded"))
    assert counts == {
        "left_100000": 100,
        "left_5000": 1,
        "left_770": 10,
        "left_2460": 15,
        "left_4242": 1,
        "left_80000": 1500,
    }


def test_what_was_allocated_before_the_recording_is_counted_apart(record, weights, tmp_path, lives):
    process = subprocess.Popen([lives, "on"])
    try:
        time.sleep(0.1)
        done = record("-e", "malloc", "--live", "-p", str(process.pid), "-d", "6")
        assert done.returncode == 0, done.stderr
        assert by_caller(weights(tmp_path / "out.folded")) == LEFT
        assert re.search(r"[1-9]\d* frees of what was allocated before", done.stderr)
    finally:
        process.kill()
        process.wait()


def test_more_blocks_than_there_is_room_for(tmp_path, monkeypatch, kprof, tallies, lives):
    monkeypatch.setattr(live, "ROOM", 256)
    request = RecordRequest(command=[str(lives)], events=["malloc"], live=True)
    recording = find_recorder("bpf")(request, str(tmp_path), note=print, progress=print)
    (event,) = tallies(recording.path)["events"]
    assert event["no_room"] > 1000
    assert event["counted"] <= 256
    assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
    done = kprof("fold", recording.path, "-o", "out.folded")
    assert f"{event['no_room']:,} lost" in done.stderr


def test_live_is_for_malloc_only(record):
    done = record("-e", "off-cpu", "--live", "-a", "-d", "1")
    assert done.returncode == 2
    assert "--live is for malloc" in done.stderr
