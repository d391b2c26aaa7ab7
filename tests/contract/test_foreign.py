"""What other programs wrote: every number of it is in the profile, as what it is, and damage ends in one error."""

import gzip
import io
import json
import random
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from kprof.errors import KprofError
from kprof.exporters import folded
from kprof.model import Event, Kind
from kprof.readers import ReadOptions, Source, find_format

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


def test_spans_of_py_spy_last_as_long_as_it_says():
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


def read(data):
    source = Source(io.BytesIO(data), "it")
    return find_format(source).read(source, ReadOptions()).check()


def test_every_recording_is_in_the_manifest_and_is_held_to_something():
    assert {path.name.removesuffix(".gz") for path in FOREIGN.glob("*.gz")} == set(MANIFEST)
    assert set(SAYS) | {"py-spy.trace.json"} == set(MANIFEST)


@pytest.mark.parametrize("name", SAYS)
def test_every_number_is_there_as_what_it_is(name):
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
def test_processes_and_threads_are_there(name):
    profile = read(data_of(name))
    assert (profile.samples.pid > 0).any()
    assert profile.samples.comm is not None or (profile.samples.tid > 0).all()


def test_the_text_and_the_json_of_bpftrace_are_read_alike():
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


def test_what_py_spy_calls_a_line_is_a_source():
    profile = read(data_of("py-spy.raw"))
    assert {"fib", "main", "text_work"} <= set(profile.frames.name)
    row = profile.frames.name.index("main")
    assert re.fullmatch(r"busy\.py:\d+", profile.frames.source[row])
    assert profile.samples.weight.tolist() == profile.samples.count.tolist()


GPROFILER = {
    "containers": ["web"], "container_names_enabled": True, "application_metadata": [None, {"exe": "/usr/bin/java"}],
    "application_metadata_enabled": True, "metrics": {},
    "metadata": {"hostname": "node-1", "kernel_release": "6.1", "start_time": "2026-11-01T10:00:00"},
}  # fmt: skip
COL = (
    f"# {json.dumps(GPROFILER)}\n"
    "1;web;java;appid: java: app.jar;java/lang/Thread.run_[j];App.work_[i];vfs_read_[k] 7\n"
    "0;;python3;<module> (app.py)_[p];PyEval_[pn] 3\n"
    "0;;swapper 2"
)
SIMPLEPERF = """magic: SIMPLEPERF
version: 1
meta_info:
  app_package_name: com.example
sample:
  event_type: cpu-clock:u
  time: 35463157000
  event_count: 250000
  thread_id: 77
  thread_name: RenderThread
  vaddr_in_file: 1c48
  file: /system/lib64/libc.so
  symbol: memcpy
  callchain:
    vaddr_in_file: 2f00
    file: /data/app/lib.so
    symbol: work(int)
    vaddr_in_file: 3f00
    file: /data/app/lib.so
    symbol: unknown
sample:
  event_type: cpu-clock:u
  time: 35464157000
  event_count: 250000
  thread_id: 78
  thread_name: a: b
lost_situation:
  sample_count: 2
  lost_count: 5
"""


def test_gprofiler():
    profile = read(COL.encode())
    assert profile.meta.facts["host"] == "node-1"
    assert (profile.comms, profile.cgroups) == (["java", "python3", "swapper"], ["web"])
    assert profile.samples.count.tolist() == profile.samples.weight.tolist() == [7, 3, 2]
    assert profile.meta.quality.without_stack == 2
    kinds = dict(zip(profile.frames.name, map(Kind, profile.frames.kind.tolist()), strict=True))
    assert kinds["java/lang/Thread.run_[j]"] == Kind.JIT
    assert kinds["App.work_[i]"] == Kind.INLINED
    assert kinds["vfs_read_[k]"] == Kind.KERNEL
    assert kinds["<module> (app.py)_[p]"] == Kind.PYTHON
    plain = GPROFILER | {"application_metadata": [None], "containers": []}
    old = read(f"# {json.dumps(plain)}\njava;App.work_[j] 5\n".encode())
    assert (old.comms, old.frames.name) == (["java"], ["App.work_[j]"])


def test_simpleperf():
    profile = read(SIMPLEPERF.encode())
    assert profile.meta.events == (Event("cpu-clock:u", "ns"),)
    assert (profile.samples.weight.tolist(), profile.samples.count.tolist()) == ([250_000] * 2, [1, 1])
    assert profile.samples.time_ns.tolist() == [35463157000, 35464157000]
    assert (profile.samples.tid.tolist(), profile.comms) == ([77, 78], ["RenderThread", "a: b"])
    assert folded.render(profile)[0] == b"RenderThread;[lib.so];work(int);memcpy 250000\na: b 250000\n"
    assert (profile.meta.quality.lost, profile.meta.quality.without_stack) == ({"recorder": 5}, 1)
    assert profile.frames.address.tolist()[-1] == 0x1C48


STACK = "\n\t    7f01 work+0x5 (/bin/a)\n\t    7f02 main (/bin/a)\n\n"


@pytest.mark.parametrize(
    ("header", "line", "unit"),
    [
        ("com.example.app\t29456/29457 [000] 35463.157123: 250000 cpu-clock:u:", "com.example.app;main;work 500000", "ns"),
        ("com.example.app\t29456 [000] 35463.157123:     250000 cpu-clock:", "com.example.app;main;work 500000", "ns"),
        ("swapper     0 [000] 158665.570607: cpu-clock: ", "swapper;main;work 2", "samples"),
        ("java  8131 6544038.708352: cpu-clock:  ", "java;main;work 2", "samples"),
        ("java 12688/12764 6544038.708352: cpu-clock:  ", "java;main;work 2", "samples"),
        ("dd 30254 cycles: ", "dd;main;work 2", "events"),
        ("V8 WorkerThread  28636/28641  [002] 3.000001:  1 cycles:pp: ", "V8 WorkerThread;main;work 2", "events"),
    ],
)  # fmt: skip
def test_headers_of_simpleperf_s_script_and_of_old_perfs(header, line, unit):
    """A clock without its period counts samples, not nanoseconds."""
    profile = read(2 * (header + STACK).encode())
    assert folded.render(profile)[0].decode() == f"{line}\n"
    assert (profile.meta.events[0].unit, int(profile.samples.count.sum())) == (unit, 2)


def test_a_key_of_bpftrace_may_hold_anything():
    text = "@x[\n    f+1\n, a, b, 5, 6, 7]: 3\n@x[, c, d, 1, 2, 3]: 4\n@[\n\tffffffff81000000\n]: 2\n@bad[\n    g+1\n"
    profile = read(text.encode())
    assert [event.name for event in profile.meta.events] == ["@x", "@"]
    lines = folded.render(profile)[0].decode().splitlines()
    assert lines == ["[unknown] 2", "a;b;7;f 3", "c;d;3 4"]
    assert (profile.samples.pid.tolist(), profile.samples.tid.tolist()) == ([5, 1, -1], [6, 2, -1])
    assert profile.meta.quality.skipped_lines == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Sampling at 49 Hertz of all threads by user stack... Hit Ctrl-C to end.\n", "no whole stack"),
        ("# austin: 3.7.0\n# mode: wall\n\n", "took no sample"),
        ("# austin: 3.7.0\n# mode: dance\n\nP1;T0:1 3\n", "mode dance is not known"),
        ('# {"metadata": {}, "containers": []}\nnothing\n', "no line of it is a stack"),
        ('# {"metadata": {}, "containers": []\na;b 1\n', "damaged header"),
        ("@[\n    f+1\n", "no map of it has a stack"),
        ("sample:\n  time: x\n", "no whole sample"),
    ],
)
def test_what_holds_no_stack_says_so(text, says):
    with pytest.raises(KprofError, match=says):
        read(text.encode())


CPUPROFILE = {
    "nodes": [
        {"id": 1, "callFrame": {"functionName": "(root)"}, "children": [2, 3]},
        {"id": 2, "callFrame": {"functionName": "main", "url": "a.js", "lineNumber": 3}, "children": [4]},
        {"id": 3, "callFrame": {"functionName": "(idle)"}}, {"id": 4, "callFrame": {"functionName": "work"}},
    ],
    "startTime": 5, "endTime": 50, "samples": [2, 3, 4, 4], "timeDeltas": [1, 10, 10, 10],
}  # fmt: skip
FRAMES = {"1": {"name": "main"}, "2": {"name": "work", "parent": "1"}}
STACK_FRAMES = {
    "traceEvents": [], "stackFrames": FRAMES,
    "samples": [{"cpu": 0, "tid": 3, "ts": 1.5, "name": "cycles", "sf": "2", "weight": 7}],
}  # fmt: skip
BUILT = {
    "col": COL.encode(),
    "simpleperf": SIMPLEPERF.encode(),
    "cpuprofile": json.dumps(CPUPROFILE).encode(),
    "stack frames": json.dumps(STACK_FRAMES).encode(),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("f_[k]", Kind.KERNEL), ("f_[j]", Kind.JIT), ("f_[0]", Kind.JAVA), ("f_[1]_[s]", Kind.JAVA),
        ("f_[i]", Kind.INLINED), ("f_[p]", Kind.PYTHON), ("f_[pn]", Kind.USER), ("f_[php]", Kind.JIT),
        ("f_[zz]", Kind.USER), ("java/lang/Thread.run", Kind.JAVA), ("java/util/Map$Entry.<init>", Kind.JAVA),
        ("runtime.goexit", Kind.USER), ("net/http.(*conn).serve", Kind.USER), ("a/b", Kind.USER),
        ("std::map<a/b>::find", Kind.USER), ("[libc.so.6]", Kind.UNKNOWN),
    ],
)  # fmt: skip
def test_kinds_that_marks_and_shapes_of_names_tell(name, kind):
    profile = read(f"app;main;{name} 3\n".encode())
    assert Kind(profile.frames.kind[profile.frames.name.index(name)]) == kind


ALL = [*SAYS, *BUILT, "py-spy.trace.json"]


@pytest.mark.parametrize("name", ALL)
def test_cut_or_damaged_anywhere_it_ends_in_one_error(name):
    data, chance = BUILT.get(name) or data_of(name)[:20_000], random.Random(name)  # noqa: S311
    for end in range(0, len(data), max(len(data) // 100, 1)):
        with suppress(KprofError):
            folded.render(read(data[:end]))
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 4, 16))):
            at = chance.randrange(len(damaged))
            damaged[at : at + 1] = chance.choice(
                (b"", b"\n", b" ", b";", b"9" * 30, b"\xff", b"]: 1\n", b"@[")
            )
        with suppress(KprofError):
            folded.render(read(bytes(damaged)))
