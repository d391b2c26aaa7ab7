"""What other programs wrote: every number of it is in the profile, as what it is, and damage ends in one error."""

import gzip
import io
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from kprof.exporters import folded
from kprof.model import Event, Kind
from kprof.readers import Source, find_format

FOREIGN = Path(__file__).parents[2] / "samples" / "foreign"
MANIFEST = tomllib.loads((FOREIGN / "manifest.toml").read_text())


@dataclass(frozen=True)
class Said:
    """What a file holds: its format, its events with the sum of the numbers in it, and whether these are samples."""

    format: str
    sums: dict
    counted: bool
    frames: tuple = ()


def austin(text, part=0, *, positive=False, busy=False):
    rows = [list(map(int, r.split(","))) for r in re.findall(r"^P\d.* (\S+)$", text, re.MULTILINE)]
    return sum(r[part] for r in rows if not (positive and r[part] < 0) and not (busy and r[1]))


def bpftrace(text, name=""):
    starts = [*re.finditer(r"^@(\w*)\[", text, re.MULTILINE)]
    bounds = [*(m.start() for m in starts), len(text)]
    blocks = [(m[1], text[a:b]) for m, a, b in zip(starts, bounds, bounds[1:], strict=False)]
    return sum(int(re.search(r"\]: (\d+)\s*$", block)[1]) for which, block in blocks if which == name)


SAYS = {
    "austin-wall.txt": lambda t: Said(
        "samples of austin", {Event("wall-clock", "ns"): austin(t) * 1000}, True, (("main", Kind.PYTHON),)
    ),
    "austin-cpu.txt": lambda t: Said("samples of austin", {Event("cpu-time", "ns"): austin(t) * 1000}, True),
    "austin-memory.txt": lambda t: Said(
        "samples of austin", {Event("memory", "bytes"): austin(t, positive=True)}, True
    ),
    "austin-full.txt": lambda t: Said(
        "samples of austin",
        {
            Event("wall-clock", "ns"): austin(t) * 1000,
            Event("cpu-time", "ns"): austin(t, busy=True) * 1000,
            Event("memory", "bytes"): austin(t, 2, positive=True),
        },
        True,
    ),
    "bcc-profile.txt": lambda t: Said(
        "stacks of BCC", {Event("samples", "samples"): sum(map(int, re.findall(r"^ {8}(\d+)$", t, re.MULTILINE)))},
        True, (("vfs_read", Kind.KERNEL), ("__libc_start_call_main", Kind.USER)),
    ),
    "bcc-profile.folded": lambda t: Said(
        "folded stacks", {Event("weight", "weight"): sum(map(int, re.findall(r"^\w.*;.* (\d+)$", t, re.MULTILINE)))},
        False, (("vfs_read", Kind.KERNEL), ("__libc_start_call_main", Kind.USER)),
    ),
    "bcc-offcputime.txt": lambda t: Said(
        "stacks of BCC", {Event("off-cpu", "ns"): 1000 * sum(map(int, re.findall(r"^ {8}(\d+)$", t, re.MULTILINE)))},
        False, (("schedule", Kind.KERNEL),),
    ),
    "bcc-stackcount.txt": lambda t: Said(
        "stacks of BCC",
        {Event("t:sched:sched_switch", "events"): sum(map(int, re.findall(r"^ {4}(\d+)$", t, re.MULTILINE)))},
        True, (("schedule", Kind.KERNEL),),
    ),
    "bpftrace.txt": lambda t: Said(
        "stacks of bpftrace", {Event("@", "weight"): bpftrace(t)}, False,
        (("vfs_write", Kind.KERNEL), ("__libc_start_call_main", Kind.USER)),
    ),
    "bpftrace.json": lambda t: Said(
        "stacks of bpftrace", {Event("@", "weight"): sum(json.loads(t.splitlines()[-2])["data"]["@"].values())},
        False, (("vfs_write", Kind.KERNEL), ("__libc_start_call_main", Kind.USER)),
    ),
    "bpftrace-perf.txt": lambda t: Said(
        "stacks of bpftrace",
        {Event("@", "weight"): bpftrace(t), Event("@kernel", "weight"): bpftrace(t, "kernel")}, False,
        (("vfs_write", Kind.KERNEL), ("__libc_start_call_main", Kind.USER)),
    ),
    "py-spy.raw": lambda t: Said(
        "folded stacks", {Event("samples", "samples"): sum(map(int, re.findall(r" (\d+)$", t, re.MULTILINE)))},
        True, (("fib", Kind.PYTHON),),
    ),
}  # fmt: skip


def test_spans_of_py_spy_last_as_long_as_it_says(read):
    events = json.loads(data_of("py-spy.trace.json"))
    lasts, depth, last = 0, 0, 0
    for event in sorted(events, key=lambda e: e["ts"]):
        lasts += event["ts"] - last if depth else 0
        depth, last = depth + (1 if event["ph"] == "B" else -1), event["ts"]
    profile = read(data_of("py-spy.trace.json"))
    assert (profile.meta.events, profile.total) == ((Event("time", "ns"),), lasts * 1000)
    assert Kind(profile.frames.kind[profile.frames.name.index("fib")]) == Kind.PYTHON


def data_of(name):
    return gzip.decompress((FOREIGN / f"{name}.gz").read_bytes())


def test_every_recording_is_in_the_manifest_and_is_held_to_something():
    assert {path.name.removesuffix(".gz") for path in FOREIGN.glob("*.gz")} == set(MANIFEST)
    assert set(SAYS) | {"py-spy.trace.json"} == set(MANIFEST)


@pytest.mark.parametrize("name", SAYS)
def test_every_number_is_there_as_what_it_is(read, name):
    data = data_of(name)
    said, profile = SAYS[name](data.decode()), read(data)
    assert find_format(Source(io.BytesIO(data), name)).name == said.format
    sums = {
        event: int(profile.samples.weight[profile.samples.event == row].sum())
        for row, event in enumerate(profile.meta.events)
    }
    assert sums == said.sums
    assert all(sums.values())
    assert profile.meta.knows_samples == said.counted
    kinds = {(n, Kind(k)) for n, k in zip(profile.frames.name, profile.frames.kind.tolist(), strict=True)}
    assert set(said.frames) <= kinds
    assert profile.meta.quality.skipped_lines == (1 if name == "bcc-profile.folded" else 0)


@pytest.mark.parametrize("name", ["austin-wall.txt", "bcc-profile.txt", "bpftrace-perf.txt"])
def test_processes_and_threads_are_there(read, name):
    profile = read(data_of(name))
    assert (profile.samples.pid > 0).any()
    assert profile.samples.comm is not None or (profile.samples.tid > 0).all()


def test_the_text_and_the_json_of_bpftrace_are_read_alike(read):
    """One recording, its JSON made of its text, as bpftrace 0.17 prints them."""
    text = data_of("bpftrace.txt").decode()
    rows = {}
    for key, value in re.findall(r"^@\[(.*?)\]: (\d+)$", text, re.MULTILINE | re.DOTALL):
        rows[
            key.replace(", \n", ",\n")
            .replace("\n, ", "\n,")
            .replace(", ", ",", 1 if key.startswith(", ") else 0)
        ] = int(value)
    made = json.dumps({"type": "map", "data": {"@": rows}})
    assert folded.render(read(made.encode())) == folded.render(read(text.encode()))


def test_what_py_spy_calls_a_line_is_a_source(read):
    profile = read(data_of("py-spy.raw"))
    assert {"fib", "main", "text_work"} <= set(profile.frames.name)
    row = profile.frames.name.index("main")
    assert re.fullmatch(r"busy\.py:\d+", profile.frames.source[row])
    assert profile.samples.weight.tolist() == profile.samples.count.tolist()


@pytest.mark.parametrize("name", [*SAYS, "py-spy.trace.json"])
def test_cut_or_damaged_anywhere_it_ends_in_one_error(cut_and_damage, name):
    cut_and_damage(data_of(name)[:20_000], name)
