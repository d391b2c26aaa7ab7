"""The decoder of pprof under the sanitizers, over what kprof writes of every sample."""

import os
import subprocess
from pathlib import Path

import pytest

from kprof.exporters import pprof
from kprof.pipeline import Choice, read
from kprof.readers import ReadOptions

ROOT = Path(__file__).parents[2]
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ROUNDS = 300


@pytest.mark.slow
def test_every_sample_whole_and_damaged(tmp_path):
    program = tmp_path / "drive_pprof"
    sources = [ROOT / "tests/native/drive_pprof.c", ROOT / "src/kprof/_native/core/pprof.c"]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{ROOT / 'src/kprof/_native'}", *sources, "-o", program]
    subprocess.run(command, check=True)
    files = []
    for sample in sorted((ROOT / "samples").glob("*.perf-script.txt.gz")):
        profile = read([str(sample)], Choice(ReadOptions(every_sample=True), every_event=True))
        files.append(tmp_path / sample.stem)
        files[-1].write_bytes(pprof.encode(profile))
    done = subprocess.run(
        [program, str(ROUNDS), *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
