"""The BPF programs: layouts are those of Python, and what is checked in is what the sources say."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kprof.elf import ElfFile
from kprof.recorders.bpf.engine import PROGRAMS
from kprof.wire import bpf_events, trace_events

STRUCTURES = {
    "kp_settings": bpf_events.SETTINGS,
    "kp_event_settings": bpf_events.EVENT_SETTINGS,
    "kp_key": bpf_events.KEY,
    "kp_row": bpf_events.ROW,
    "kp_record": bpf_events.RECORD,
    "kp_copy": bpf_events.COPY,
    "kp_stack": bpf_events.STACK,
    "kp_open_key": bpf_events.OPEN_KEY,
    "kp_open": bpf_events.OPEN,
    "kp_tally": bpf_events.TALLY,
    "kp_allocation_key": bpf_events.ALLOCATION_KEY,
    "kp_allocation": bpf_events.ALLOCATION,
    "kp_join": bpf_events.JOIN,
    "kp_turnover": bpf_events.TURNOVER,
}
CONSTANTS = {
    "KP_MAX_FRAMES": bpf_events.MAX_FRAMES,
    "KP_MAX_EVENTS": bpf_events.MAX_EVENTS,
    "KP_CPU_WORDS": bpf_events.CPU_WORDS,
    "KP_NO_STACK": bpf_events.NO_STACK,
    "KP_LOST_STACK": bpf_events.LOST_STACK,
    "KP_EVERYTHING": bpf_events.EVERYTHING,
    "KP_PROCESSES": bpf_events.PROCESSES,
    "KP_THREADS": bpf_events.THREADS,
    "KP_USER": bpf_events.USER,
    "KP_KERNEL": bpf_events.KERNEL,
    "KP_FOLLOW": bpf_events.FOLLOW,
    "KP_COPY_ALL": bpf_events.COPY_ALL,
    "KP_COPY_UNFRAMED": bpf_events.COPY_UNFRAMED,
    "KP_MOST_COPIED": bpf_events.MOST_COPIED,
    "KP_REGISTER_BYTES": bpf_events.REGISTER_BYTES,
    "KP_PAGE": bpf_events.PAGE,
    "KP_COPY_HEAD": bpf_events.COPY_HEAD,
    "KP_COMPAT": bpf_events.COMPAT,
    "KP_SLEEPS": bpf_events.SLEEPS,
    "KP_WAITS": bpf_events.WAITS,
    "KP_STOPPED": bpf_events.STOPPED,
    "KP_TRACED": bpf_events.TRACED,
    "KP_PARKED": bpf_events.PARKED,
    "KP_IDLE": bpf_events.IDLE,
    "KP_COOKIE_SHIFT": bpf_events.COOKIE_SHIFT,
    "KP_COOKIE_INSIDE": bpf_events.COOKIE_INSIDE,
    "KP_ONE": bpf_events.ONE,
    "KP_FIRST": bpf_events.FIRST,
    "KP_FIRST_TIMES_SECOND": bpf_events.FIRST_TIMES_SECOND,
    "KP_SECOND": bpf_events.SECOND,
    "KP_SECOND_IF_FIRST": bpf_events.SECOND_IF_FIRST,
    "KP_THIRD": bpf_events.THIRD,
    "KP_WEIGH_TIME": bpf_events.WEIGH_TIME,
    "KP_WEIGH_BYTES": bpf_events.WEIGH_BYTES,
    "KP_WEIGH_ONE": bpf_events.WEIGH_ONE,
}

TRACE_STRUCTURES = {
    "kp_field": trace_events.FIELD,
    "kp_test": trace_events.TEST,
    "kp_pattern": trace_events.PATTERN_CODES,
    "kp_trace": trace_events.TRACE,
    "kp_who": trace_events.WHO,
    "kp_head": trace_events.HEAD,
    "kp_told": trace_events.RECORD,
    "kp_piece": trace_events.PIECE_OF_WORDS,
    "kp_begun_key": trace_events.BEGUN_KEY,
    "kp_begun": trace_events.BEGUN,
    "kp_pair": trace_events.PAIR,
    "kp_traced": trace_events.TALLY,
    "kp_exec": trace_events.EXEC,
    "kp_exit": trace_events.EXIT,
    "kp_connect": trace_events.CONNECT,
    "kp_block": trace_events.BLOCK,
}
TRACE_CONSTANTS = {
    f"KP_{name}": getattr(trace_events, name)
    for name in (
        "MAX_FIELDS", "MAX_STEPS", "MAX_TESTS", "MAX_PATTERNS", "PATTERN", "ARGUMENTS", "TEXT", "DATA", "PIECE",
        "PIECES", "FROM_DATA", "FROM_PID", "FROM_TID", "FROM_PPID", "FROM_UID", "FROM_GID", "FROM_CPU",
        "FROM_COMM", "FROM_DURATION", "FROM_CWD", "FROM_CGROUP", "IS_NUMBER", "IS_TEXT", "IS_BYTES",
        "IS_LOCATED", "IS_RELATIVE", "IS_WORDS", "IS_PATH", "SIGNED", "USERS", "EITHER", "UNREADABLE",
        "COMPARE", "AND", "OR", "NOT", "EQUAL", "UNEQUAL", "LESS", "AT_MOST", "MORE", "AT_LEAST", "HAS_BITS",
        "LIKE", "UNLIKE", "ANY_ONE", "ANY_RUN", "ANY_BLANK", "RECORD_EVENT", "RECORD_PIECE",
    )
}  # fmt: skip
HEADERS = {
    "events.h": (STRUCTURES, CONSTANTS),
    "trace_events.h": (TRACE_STRUCTURES, TRACE_CONSTANTS),
}


@pytest.mark.parametrize("header", HEADERS)
def test_every_offset_is_that_of_the_header(tmp_path, header):
    structures, constants = HEADERS[header]
    lines = [f'printf("{name} %llu\\n", (unsigned long long){name});' for name in constants]
    for name, layout in structures.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        for field in layout.names:
            lines.append(f'printf("{name}.{field} %zu\\n", offsetof(struct {name}, {field}));')
            lines.append(f'printf("{name}.{field}: %zu\\n", sizeof(((struct {name} *)0)->{field}));')
    source = tmp_path / "offsets.c"
    source.write_text(
        "#include <linux/types.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <events.h>\n"
        f"#include <{header}>\n"
        "int main(void) {\n" + "\n".join(lines) + "\n}\n"
    )
    subprocess.run(["gcc", "-I", PROGRAMS, source, "-o", tmp_path / "offsets"], check=True)
    done = subprocess.run([tmp_path / "offsets"], check=True, capture_output=True, text=True)
    found = {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}
    expected = dict(constants)
    for name, layout in structures.items():
        expected[name] = layout.itemsize
        for field in layout.names:
            part, offset = layout.fields[field][:2]
            expected |= {f"{name}.{field}": offset, f"{name}.{field}:": part.itemsize}
    assert found == expected


@pytest.mark.parametrize("header", HEADERS)
def test_headers_have_no_other_structures(header):
    text = (PROGRAMS / header).read_text()
    declared = {line.split()[1] for line in text.splitlines() if line.startswith("struct ")}
    assert declared == set(HEADERS[header][0])


def test_a_row_that_is_kept_is_key_and_value():
    kept = bpf_events.KEPT_ROW
    assert kept.itemsize == bpf_events.RECORD.itemsize
    assert np.zeros(1, kept).tobytes() == bytes(kept.itemsize)


def built_from():
    compiler, *sums = (PROGRAMS / "built-from").read_text().splitlines()
    return compiler, {name: value for value, name in map(str.split, sums)}


def test_objects_are_built_from_these_sources():
    """Where there is no clang, it can still be seen whether somebody forgot to run it."""
    sources = [PROGRAMS / "build", *PROGRAMS.glob("*.bpf.c"), *PROGRAMS.glob("*.h")]
    now = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
    assert built_from()[1] == now, "the BPF programs are stale: run ./run programs"


def test_objects_are_what_the_compiler_makes_of_them(tmp_path):
    if not shutil.which("clang") or not Path("/usr/include/bpf/bpf_helpers.h").exists():
        pytest.skip("clang or libbpf-dev is not installed")
    subprocess.run([PROGRAMS / "build", tmp_path], check=True)
    here = {path.name: path.read_bytes() for path in PROGRAMS.glob("*.bpf.o")}
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.bpf.o")}
    assert made.keys() == here.keys(), "the BPF programs are stale: run ./run programs"
    if (tmp_path / "built-from").read_text().splitlines()[0] == built_from()[0]:
        assert made == here, "the BPF programs are stale: run ./run programs"


def test_objects_are_small():
    assert all(path.stat().st_size < 100_000 for path in PROGRAMS.glob("*.bpf.o"))


def test_sources_and_objects_say_under_which_licence_they_are():
    """The kernel lets no others call what needs the GPL."""
    for source in (*PROGRAMS.glob("*.bpf.c"), *PROGRAMS.glob("*.h")):
        assert source.read_text().startswith(
            "/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */\n"
        ), source
    for path in PROGRAMS.glob("*.bpf.o"):
        assert bytes(ElfFile.open(path).section("license") or b"") == b"Dual BSD/GPL\0", path
    assert {path.name for path in PROGRAMS.glob("LICENSE.*")} == {"LICENSE.GPL-2.0", "LICENSE.BSD-2-Clause"}
