"""Recording with the real perf on this kernel, and work to record."""

import subprocess
import sys
import time

import pytest


@pytest.fixture
def record(kprof):
    """Run `kprof record` to its end."""
    return lambda *arguments, **options: kprof("record", *arguments, **options)


@pytest.fixture
def begin(tmp_path):
    """Start `kprof record`."""
    return lambda *arguments, **options: subprocess.Popen(
        [sys.executable, "-m", "kprof", "record", *arguments], cwd=tmp_path, stderr=subprocess.PIPE, **options
    )


@pytest.fixture
def busy(busy_for):
    process = subprocess.Popen([sys.executable, "-c", busy_for(60)])
    time.sleep(0.3)
    yield process
    process.kill()
    process.wait()
