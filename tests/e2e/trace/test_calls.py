"""Calls of a program's functions, with arguments and results of one's own choice."""

import subprocess

import pytest

CALLS = r"""
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
struct pair { long first; char text[8]; };
__attribute__((noinline)) long work(long number, const char *text, struct pair *pair) {
    usleep(number);
    return number * 2 + text[0] + pair->first;
}
__attribute__((noinline)) long deeper(long depth) {
    if (depth) return deeper(depth - 1) + 1;
    usleep(1000);
    return 0;
}
int main(void) {
    struct pair pair = {7, "inside"};
    work(1000, "hello", &pair);
    work(2000, "world", &pair);
    deeper(3);
    return 7;
}
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calls")
    (folder / "calls.c").write_text(CALLS)
    subprocess.run(
        ["gcc", "-O1", "-fno-optimize-sibling-calls", folder / "calls.c", "-o", folder / "calls"], check=True
    )
    return str(folder / "calls")


def test_functions_of_a_program_with_arguments_of_ones_own(rows, calls):
    fields = "arg0,arg0:int,arg1:str,ret,duration"
    found = rows(f"call:{calls}:work", "--fields", fields, "--", calls)
    assert [(row["arg0"], row["arg0:int"], row["arg1:str"], row["ret"]) for row in found] == [
        ("0x3e8", 1000, "hello", 2000 + ord("h") + 7), ("0x7d0", 2000, "world", 4000 + ord("w") + 7),
    ]  # fmt: skip
    assert found[0]["duration"] >= 1_000_000
    assert found[1]["duration"] >= 2_000_000
    (one,) = rows(
        f"uprobe:{calls}:work", "--filter", "arg1:str == 'world'", "--fields", "arg0:u32", "--", calls
    )
    assert one["arg0:u32"] == 2000
    returned = rows(f"uretprobe:{calls}:work", "--", calls)
    assert [row["ret"] for row in returned] == [2111, 4126]


def test_a_function_that_calls_itself_is_paired_with_itself(rows, calls):
    found = rows(f"call:{calls}:deeper", "--fields", "arg0:int,ret,duration", "--", calls)
    assert [(row["arg0:int"], row["ret"]) for row in found] == [(0, 0), (1, 1), (2, 2), (3, 3)]
    durations = [row["duration"] for row in found]
    assert durations == sorted(durations)
