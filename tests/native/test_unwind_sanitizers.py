"""The unwinder alone, under the address and undefined-behaviour sanitizers."""

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from kprof.elf import ElfFile

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src/kprof/_native/core"
SOURCE = ROOT / "tests/unit/unwind/capture.c"
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ROUNDS = 400
SECTIONS = (".eh_frame", ".eh_frame_hdr", ".debug_frame")
FILES = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib32/libm.so.6", "/usr/aarch64-linux-gnu/lib/libm.so.6"]
# An index instead of the table; the other section; version 4 of it.
BUILDS = [
    ["-O2", "-Wl,--no-eh-frame-hdr"],
    ["-O2", "-g", "-gdwarf-4", "-fno-asynchronous-unwind-tables"],
    ["-O2", "-static"],
]


def given(path):
    """Write what drive_unwind reads: a head and the sections of a file."""
    elf = ElfFile.open(path)
    contents = [bytes(elf.section(name) or b"") for name in SECTIONS]
    addresses = [elf.section_address(name) or 0 for name in SECTIONS]
    code = next(segment for segment in elf.segments if segment.flags & 1)
    swap = elf.byteorder != sys.byteorder
    head = struct.pack("6I", elf.machine, swap, *map(len, contents), 0)
    return head + struct.pack("6Q", *addresses, code.offset, code.vaddr, code.filesz) + b"".join(contents)


def entry(link, body):
    body += bytes(-len(body) % 4)
    return struct.pack("II", len(body) + 4, link) + body


def expressions(count=200):
    """Write functions of 16 bytes, whose return addresses are by expressions of chance."""
    chance = random.Random(1)  # noqa: S311 - not to be secret
    operations = [*range(0x06, 0x98), *range(0x12, 0x30)]
    section = entry(0, b"\x01zPLRS\0\x01\x78\x10\x07\x9b\1\2\3\4\x1b\x03" + b"\x0c\x07\x08\x90\x01")
    for number in range(count):
        block = bytes(chance.choice(operations) for _ in range(chance.randrange(1, 12)))
        block = bytes([0x31 + number % 8, 0x77, 0x08]) + block
        program = b"\0" + bytes([[0x0F], [0x10, 6], [0x16, 16]][number % 3]) + bytes([len(block)]) + block
        section += entry(len(section) + 4, struct.pack("II", 0x1000 + 16 * number, 16) + program)
    head = struct.pack("6I", 62, 0, len(section), 0, 0, 0)
    return head + struct.pack("6Q", 0x8000, 0, 0, 0, 0x1000, 16 * count) + section


def core_files():
    families = ("memory", "intern", "cfi", "unwind")
    return [path for path in sorted(CORE.glob("*.c")) if path.stem.split("_")[0] in families]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    target = tmp_path_factory.mktemp("native") / "drive_unwind"
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{ROOT / 'src/kprof/_native'}"]
    subprocess.run(
        [*command, ROOT / "tests/native/drive_unwind.c", *core_files(), "-o", target],
        check=True,
    )
    return target


@pytest.mark.slow
def test_tables_whole_and_damaged(program, tmp_path):
    files = [path for path in FILES if Path(path).exists()]
    for number, flags in enumerate(BUILDS):
        files.append(tmp_path / f"program{number}")
        subprocess.run(["gcc", "-w", *flags, SOURCE, "-o", files[-1], "-lpthread"], check=True)
    inputs = []
    for number, path in enumerate(files):
        inputs.append(tmp_path / f"input{number}")
        inputs[-1].write_bytes(given(path))
    inputs.append(tmp_path / "expressions")
    inputs[-1].write_bytes(expressions())
    done = subprocess.run(
        [program, str(ROUNDS), *inputs],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
