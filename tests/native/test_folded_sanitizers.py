"""The reader of folded text alone, under the address and undefined-behaviour sanitizers."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src/kprof/_native/core"
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ROUNDS = 200


@pytest.mark.slow
def test_every_golden_file_whole_in_pieces_and_damaged(tmp_path):
    program = tmp_path / "drive_folded"
    core = [CORE / f"{family}.c" for family in ("memory", "intern", "folded")]
    sources = [ROOT / "tests/native/drive_folded.c", *core]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{ROOT / 'src/kprof/_native'}", *sources, "-o", program]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [program, str(ROUNDS), *sorted((ROOT / "tests/golden").glob("*.folded"))],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
