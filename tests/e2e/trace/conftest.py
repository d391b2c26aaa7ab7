"""Tracing on this kernel, and work whose truth is known."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KPROF = [sys.executable, "-m", "kprof"]


@pytest.fixture(autouse=True)
def may_load():
    if os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists():
        pytest.skip("loads BPF programs: needs root and a kernel that tells its types")


@pytest.fixture
def kprof(tmp_path):
    """Run `kprof trace` to its end."""

    def run(*arguments, **options):
        return subprocess.run(
            [*KPROF, "trace", *map(str, arguments)],
            check=False, capture_output=True, text=True, timeout=300, **{"cwd": tmp_path, **options},
        )  # fmt: skip

    return run


@pytest.fixture
def rows(kprof):
    """Run `kprof trace --json`; return what it told, an object an event."""

    def run(*arguments, **options):
        at = arguments.index("--") if "--" in arguments else len(arguments)
        done = kprof(*arguments[:at], "--json", *arguments[at:], **options)
        assert done.returncode in {0, 7}, done.stderr
        assert ", 0 lost" in done.stderr, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
