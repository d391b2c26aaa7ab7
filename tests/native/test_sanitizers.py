"""The C core alone, under the address and undefined-behaviour sanitizers."""

import gzip
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ROUNDS = 60
CORE = ROOT / "src/kprof/_native/core"
FAMILIES = {"memory", "intern", "text", "fold"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    target = tmp_path_factory.mktemp("native") / "drive_text"
    core = sorted(file for file in CORE.glob("*.c") if file.stem.split("_")[0] in FAMILIES)
    sources = [ROOT / "tests/native/drive_text.c", *core]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{ROOT / 'src/kprof/_native'}", *sources, "-o", target]
    subprocess.run(command, check=True)
    return target


@pytest.mark.slow
def test_every_sample_whole_in_pieces_and_damaged(program, tmp_path):
    files = []
    for packed in sorted((ROOT / "samples").glob("*.txt.gz")):
        files.append(tmp_path / packed.stem)
        files[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1"}
    done = subprocess.run(
        [program, str(ROUNDS), *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
