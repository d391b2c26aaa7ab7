"""A small program, with its debug information in every shape that a file can have."""

import subprocess

import pytest

SOURCE = """
#include <stdio.h>
static int __attribute__((noinline)) inner(int n) { return n * 3 + 1; }
int outer(int n) { return inner(n) + inner(n + 1); }
int main(int argc, char **argv) { printf("%d", outer(argc)); return 0; }
"""


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    (folder / "a.c").write_text(SOURCE)
    command = ["gcc", "-g", "-O1", "-Wl,--build-id", folder / "a.c", "-o", folder / "whole"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "whole"
