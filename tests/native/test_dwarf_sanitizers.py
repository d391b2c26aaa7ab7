"""The DWARF reader alone, under the address and undefined-behaviour sanitizers."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ROUNDS = 150
CORE = ROOT / "src/kprof/_native/core"
FAMILIES = {"memory", "intern", "dwarf"}
# Small files must not make much of themselves.
LIMITS = "detect_leaks=1:hard_rss_limit_mb=1024:max_allocation_size_mb=64"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    target = tmp_path_factory.mktemp("native") / "drive_dwarf"
    core = sorted(file for file in CORE.glob("*.c") if file.stem.split("_")[0] in FAMILIES)
    sources = [ROOT / "tests/native/drive_dwarf.c", *core]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{ROOT / 'src/kprof/_native'}", *sources, "-o", target]
    subprocess.run(command, check=True)
    return target


@pytest.mark.slow
def test_every_version_whole_and_damaged(program, tmp_path):
    source = ROOT / "samples/workloads/inlines.cpp"
    variants = [[f"-gdwarf-{version}"] for version in (2, 3, 4, 5)]
    variants += [["-gdwarf-5", "-gdwarf64"], ["-gdwarf-5", "-ffunction-sections", "-flto"]]
    files = []
    variants += [[f"-gdwarf-{version}", "-gsplit-dwarf"] for version in (4, 5)]
    for number, options in enumerate(variants):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(["g++", "-O2", *options, source, "-o", folder / "program"], check=True)
        files += [folder / "program", *folder.glob("*.dwo")]
    assert len(files) == len(variants) + 2
    done = subprocess.run(
        [program, str(ROUNDS), *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "ASAN_OPTIONS": LIMITS},
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-3000:])
