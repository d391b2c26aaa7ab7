"""A process that shows its own stack, as a recording would hold it."""

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from kprof.elf import ElfFile
from kprof.unwind import Maps, table_of

SOURCE = Path(__file__).with_name("capture.c")


@cache
def table(path):
    return table_of(ElfFile.open(path))


@dataclass
class Capture:
    """What a process had in its registers, on its stack and in its mappings; what backtrace() found."""

    registers: list[int]
    stack: bytes
    frames: list[int]
    regions: list[tuple[int, int, int, str]]
    vdso: bytes

    def maps(self):
        return Maps([(*region[:3], self.table(region[3])) for region in self.regions])

    def table(self, path):
        if path == "[vdso]" and self.vdso:
            return table_of(ElfFile(self.vdso))
        return table(path) if path.startswith("/") else None

    @property
    def packed(self):
        return b"".join(value.to_bytes(8, "little") for value in self.registers)


def parse(text):
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    regions = []
    for kind, rest in lines:
        if kind == "map":
            span, access, offset, _, _, *path = rest.split(maxsplit=5)
            start, end = (int(part, 16) for part in span.split("-"))
            if "x" in access:
                regions.append((start, end, int(offset, 16), path[0] if path else ""))
    return Capture(
        [int(rest, 16) for kind, rest in lines if kind == "register"],
        bytes.fromhex(next(rest for kind, rest in lines if kind == "stack")),
        [int(rest, 16) for kind, rest in lines if kind == "frame"],
        regions,
        bytes.fromhex("".join(rest for kind, rest in lines if kind == "vdso")),
    )


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Compile the program with some flags; gives its path."""
    folder = tmp_path_factory.mktemp("capture")

    @cache
    def compiled(*flags, compiler="gcc"):
        target = folder / (compiler + "".join(flags).replace("/", "_"))
        subprocess.run([compiler, "-w", "-g", *flags, SOURCE, "-o", target, "-lpthread"], check=True)
        return target

    return compiled


@pytest.fixture(scope="session")
def compiles(build):
    """Whether a compiler makes a program with these flags."""

    @cache
    def try_once(compiler, *flags):
        try:
            return build(*flags, compiler=compiler).exists()
        except (OSError, subprocess.CalledProcessError):
            return False

    return try_once


@pytest.fixture(scope="session")
def capture(build):
    """Run the program; gives what it captured."""

    def run(how, *flags, runner=(), compiler="gcc"):
        done = subprocess.run(
            [*runner, build(*flags, compiler=compiler), how], capture_output=True, text=True, check=True
        )
        return parse(done.stdout)

    return run
