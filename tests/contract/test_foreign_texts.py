"""Texts like those that other programs write, made here: what no recording of theirs holds, and what tells kinds."""

import json

import pytest

from kprof.errors import KprofError
from kprof.exporters import folded
from kprof.model import Event, Kind

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
STACK = "\n\t    7f01 work+0x5 (/bin/a)\n\t    7f02 main (/bin/a)\n\n"
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


def test_gprofiler(read):
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


def test_simpleperf(read):
    profile = read(SIMPLEPERF.encode())
    assert profile.meta.events == (Event("cpu-clock:u", "ns"),)
    assert (profile.samples.weight.tolist(), profile.samples.count.tolist()) == ([250_000] * 2, [1, 1])
    assert profile.samples.time_ns.tolist() == [35463157000, 35464157000]
    assert (profile.samples.tid.tolist(), profile.comms) == ([77, 78], ["RenderThread", "a: b"])
    assert folded.render(profile)[0] == b"RenderThread;[lib.so];work(int);memcpy 250000\na: b 250000\n"
    assert (profile.meta.quality.lost, profile.meta.quality.without_stack) == ({"recorder": 5}, 1)
    assert profile.frames.address.tolist()[-1] == 0x1C48


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
def test_headers_of_simpleperf_s_script_and_of_old_perfs(read, header, line, unit):
    """A clock without its period counts samples, not nanoseconds."""
    profile = read(2 * (header + STACK).encode())
    assert folded.render(profile)[0].decode() == f"{line}\n"
    assert (profile.meta.events[0].unit, int(profile.samples.count.sum())) == (unit, 2)


def test_a_key_of_bpftrace_may_hold_anything(read):
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
def test_what_holds_no_stack_says_so(read, text, says):
    with pytest.raises(KprofError, match=says):
        read(text.encode())


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
def test_kinds_that_marks_and_shapes_of_names_tell(read, name, kind):
    profile = read(f"app;main;{name} 3\n".encode())
    assert Kind(profile.frames.kind[profile.frames.name.index(name)]) == kind


@pytest.mark.parametrize("name", BUILT)
def test_cut_or_damaged_anywhere_it_ends_in_one_error(cut_and_damage, name):
    cut_and_damage(BUILT[name], name)
