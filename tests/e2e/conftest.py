"""Running kprof as a user does, and reading what it says and leaves; work for it to see."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def kprof(tmp_path):
    """Run kprof to its end."""

    def run(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "kprof", *arguments],
            cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120, **options,
        )  # fmt: skip

    return run


@pytest.fixture
def weights():
    """Weights of the stacks of a folded file."""

    def read(path):
        lines = [line.rpartition(" ") for line in Path(path).read_text(errors="surrogateescape").splitlines()]
        return {stack: int(weight) for stack, _, weight in lines}

    return read


@pytest.fixture
def samples():
    """Samples read and kept, as a summary tells them."""

    def told(done):
        read, kept = re.search(r"([\d,]+) samples? read, ([\d,]+) kept", done.stderr).groups()
        return int(read.replace(",", "")), int(kept.replace(",", ""))

    return told


@pytest.fixture
def busy_for():
    """Python code that is busy for some seconds."""
    return "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: sum(range(2000))".format
