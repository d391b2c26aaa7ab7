"""Rows of real files, equal to those that readelf prints."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kprof.elf import ElfFile
from kprof.unwind import table_of

ENTRY = re.compile(r"[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ (CIE|FDE) .*?(?:pc=([0-9a-f]+)\.\.([0-9a-f]+))?$")
NAMES = {
    62: {"rax": 0, "rdx": 1, "rcx": 2, "rbx": 3, "rsi": 4, "rdi": 5, "rbp": 6, "rsp": 7, "rip": 16}
    | {f"r{n}": n for n in range(8, 16)},
    3: {"eax": 0, "ecx": 1, "edx": 2, "ebx": 3, "esp": 4, "ebp": 5, "esi": 6, "edi": 7, "eip": 8},
    183: {f"x{n}": n for n in range(31)} | {"sp": 31},
}
RETURN = {62: 16, 3: 8, 183: 30}
FILES = [
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/bin/python3",
    "/lib32/libc.so.6",
    "/usr/aarch64-linux-gnu/lib/libc.so.6",
]
KINDS = {"offset": "c", "value_offset": "v"}


def rows_of(path, section="frames"):
    """Give (first address, last address, CFA, rules by column) of each row that readelf finds."""
    command = ["readelf", f"--debug-dump={section}-interp", path]
    # It complains of relocations, which matter to nothing here.
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = re.sub(r"r\d+ \((\w+)\)", r"\1", printed).splitlines()
    end, columns, rows, is_fde = 0, [], [], False
    for line in lines:
        if entry := ENTRY.match(line):
            is_fde, columns = entry[1] == "FDE", []
            end = int(entry[3] or "0", 16)
        elif line.startswith("   LOC"):
            columns = line.split()[2:]
        elif line.endswith("ZERO terminator"):
            is_fde = False
        elif is_fde and columns and re.match(r"[0-9a-f]{8,16} ", line):
            at, cfa, *rules = line.split()
            rows.append((int(at, 16), end, cfa, dict(zip(columns, rules, strict=False))))
    for i, (at, end, cfa, rules) in enumerate(rows):
        follows = i + 1 < len(rows) and rows[i + 1][1] == end
        yield at, (rows[i + 1][0] if follows else end) - 1, cfa, rules


def written(names, how, number, value):
    if how in ("expression", "value_expression"):
        return "exp" if how == "expression" else "vexp"
    if how == "register":
        return names[value]
    return f"{KINDS[how]}{value:+d}" if value or how == "value_offset" else "c+0"


def as_readelf(row, machine):
    """Write a row of ours as readelf does."""
    names = {number: name for name, number in NAMES[machine].items()}
    (how, register, value), rules, column, _, _ = row
    cfa = "exp" if how == "expression" else f"{names[register]}{value:+d}"
    texts = {
        "ra" if number == column else names.get(number): written(names, kind, number, value)
        for number, (kind, value) in rules.items()
        if kind != "undefined"
    }
    return cfa, texts


def assert_equal(path, section="frames", most=20_000):
    elf = ElfFile.open(path)
    table = table_of(elf)
    known = {*NAMES[elf.machine], "ra"}
    rows = [row for row in rows_of(path, section) if row[0] <= row[1]]
    assert rows
    for first, last, cfa, rules in rows[:: max(1, len(rows) // most)]:
        wanted = {name: rule for name, rule in rules.items() if rule not in ("u", "s") and name in known}
        for address in (first, last):
            row = table.row(address)
            assert row is not None, hex(address)
            assert as_readelf(row, elf.machine) == (cfa, wanted), hex(address)
            assert row[2] == RETURN[elf.machine]


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: "-".join(Path(path).parts[-2:]))
def test_rows_of_libraries(path):
    if not Path(path).exists():
        pytest.skip(f"no {path}")
    assert_equal(path)


FLAGS = {
    "table": ("-O2",),
    "no table": ("-O2", "-Wl,--no-eh-frame-hdr"),
    "debug only": ("-O2", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-exceptions"),
    "dwarf 4": ("-O1", "-gdwarf-4", "-fno-asynchronous-unwind-tables"),
}


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_rows_of_a_program(build, flags):
    assert_equal(build(*flags))


def test_rows_without_section_headers(build, tmp_path):
    target = tmp_path / "bare"
    shutil.copy(build("-O2"), target)
    subprocess.run(["objcopy", "--strip-section-headers", target], check=False, capture_output=True)
    content = bytearray(target.read_bytes())
    content[0x28:0x30] = bytes(8)  # e_shoff
    content[0x3C:0x40] = bytes(4)  # e_shnum, e_shstrndx
    target.write_bytes(content)
    table = table_of(ElfFile.open(target))
    whole = table_of(ElfFile.open(build("-O2")))
    for first, *_ in rows_of(build("-O2")):
        assert table.row(first) == whole.row(first)
