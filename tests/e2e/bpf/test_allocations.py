"""Bytes that programs ask for."""

import subprocess

import pytest

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
