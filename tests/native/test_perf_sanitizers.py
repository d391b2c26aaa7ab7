"""The reader of perf.data under the sanitizers, on every recording, whole, in pieces and damaged."""

import gzip
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FAMILIES = {"memory", "intern", "perf", "cfi", "unwind"}
ROUNDS = 60
SHORTEST = 17


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    target = tmp_path_factory.mktemp("native") / "drive_perf"
    core = ROOT / "src/kprof/_native/core"
    sources = sorted(file for file in core.glob("*.c") if file.stem.split("_")[0] in FAMILIES)
    driver = ROOT / "tests/native/drive_perf.c"
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{core.parent}", driver, *sources, "-o", target]
    subprocess.run(command, check=True)
    return target


@pytest.mark.slow
def test_every_recording_whole_in_pieces_and_damaged(program, tmp_path):
    files = []
    for packed in sorted((ROOT / "samples").glob("*.perf.data.gz")):
        files.append(tmp_path / packed.stem)
        files[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    run(program, files)


@pytest.mark.slow
def test_what_a_fuzzer_found_worth_keeping(program, tmp_path):
    """Small inputs that reach all that ten minutes of libFuzzer reached; see drive_perf.c for the target."""
    with tarfile.open(ROOT / "tests/native/corpus/perf.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    run(program, sorted(file for file in tmp_path.iterdir() if file.stat().st_size > SHORTEST))


def run(program, files):
    done = subprocess.run(
        [program, str(ROUNDS), *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
