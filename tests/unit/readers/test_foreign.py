"""Files of other programs: what they write that kprof does not."""

import io
import json

import pytest

from kprof.errors import FormatError
from kprof.exporters import folded
from kprof.exporters.protobuf import message, number, packed, varint
from kprof.model import Kind
from kprof.readers import ReadOptions, Source, find_format


def read(data):
    source = Source(io.BytesIO(data if isinstance(data, bytes) else json.dumps(data).encode()), "it")
    return find_format(source).read(source, ReadOptions()).check()


def fold(profile):
    return folded.render(profile)[0].decode()


def pprof_of(types, values, *, labels=b"", line=True):
    """A file as Go writes it: one sample of main calling work, which was inlined into run."""
    strings = [
        "",
        "main.main",
        "main.run",
        "main.work",
        "/src/main.go",
        "/bin/app",
        "f00d",
        "thread",
        "worker",
    ]
    row = strings.index
    units = [x for pair in types for x in pair]
    strings += units
    table = b"".join(message(6, text.encode()) for text in strings)
    sample_types = b"".join(message(1, number(1, row(name)) + number(2, row(unit))) for name, unit in types)
    lines = [message(4, number(1, f) + number(2, n)) for f, n in ((3, 9), (2, 5))] if line else []
    locations = message(4, number(1, 7) + number(2, 1) + number(3, 0x401234) + b"".join(lines))
    locations += message(4, number(1, 9) + number(2, 1) + number(3, 0x401000) + message(4, number(1, 1)))
    functions = b"".join(
        message(5, number(1, f) + number(2, row(name)) + number(4, 4))
        for f, name in ((1, "main.main"), (2, "main.run"), (3, "main.work"))
    )
    mapping = message(3, number(1, 1) + number(2, 0x400000) + number(3, 0x500000) + number(4, 0x1000)
                      + number(5, row("/bin/app")) + number(6, row("f00d")))  # fmt: skip
    samples = message(2, packed(1, map(varint, (7, 9))) + packed(2, map(varint, values)) + labels)
    return sample_types + samples + mapping + locations + functions + table


def test_pprof_of_go():
    thread = message(3, number(1, 7) + number(2, 8))
    profile = read(pprof_of([("samples", "count"), ("cpu", "nanoseconds")], [3, 30_000_000], labels=thread))
    assert [(e.name, e.unit) for e in profile.meta.events] == [("cpu", "ns")]
    assert (profile.samples.weight.tolist(), profile.samples.count.tolist()) == ([30_000_000], [3])
    assert fold(profile) == "worker;main.main;main.run;main.work 30000000\n"
    frames = dict(zip(profile.frames.name, range(3), strict=True))
    work = frames["main.work"]
    assert profile.frames.kind[work] == Kind.INLINED
    assert profile.frames.address[work] == 0x2234  # the offset in the file
    assert profile.frames.source[work] == "/src/main.go:9"
    assert profile.mappings.build_id == ["f00d"]


def test_heaps_have_two_events_with_their_counts():
    types = [
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    ]
    profile = read(pprof_of(types, [4, 400, 0, 0]))
    assert [(e.name, e.unit) for e in profile.meta.events] == [
        ("alloc_space", "bytes"),
        ("inuse_space", "bytes"),
    ]
    assert (profile.samples.weight.tolist(), profile.samples.count.tolist()) == ([400], [4])


@pytest.mark.parametrize(("name", "weight", "count"), [("samples", 250_000, 250_000), ("cycles", 250_000, 1)])
def test_a_count_alone_is_of_samples_only_if_it_says_so(name, weight, count):
    profile = read(pprof_of([(name, "count")], [250_000]))
    assert (profile.samples.weight.tolist(), profile.samples.count.tolist()) == ([weight], [count])


def test_a_place_without_a_function_has_no_name():
    assert fold(read(pprof_of([("samples", "count")], [1], line=False))) == "main.main;[app] 1\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pprof_of([("samples", "count")], [-1 % (1 << 64)]), "negative"),
        (pprof_of([("samples", "count")], [1, 2]), "2 values, but there are 1 types"),
        (pprof_of([("samples", "count")], [1])[:-3], "damaged pprof"),
    ],
)
def test_damaged_pprof_says_what_is_wrong(data, says):
    with pytest.raises(FormatError, match=says):
        read(data)


def speedscope_of(profile, frames=("a", "b")):
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": [{"name": "main", "startValue": 0, "endValue": 9, "unit": "seconds", **profile}],
    }


def events(*found):
    return {"type": "evented", "events": [{"type": t, "frame": f, "at": at} for t, f, at in found]}


def test_evented_speedscope():
    profile = events(("O", 0, 0), ("O", 1, 1), ("C", 1, 3.5), ("C", 0, 4))
    found = read(speedscope_of(profile))
    assert fold(found) == "main;a 1500000000\nmain;a;b 2500000000\n"
    assert found.meta.events[0].unit == "ns"


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        (events(("O", 0, 0), ("O", 1, 1), ("C", 0, 2)), "not the innermost"),
        (events(("O", 0, 3), ("C", 0, 2)), "not in the order of time"),
        (events(("O", 9, 0), ("C", 9, 2)), "a frame is not there: 9"),
        ({"type": "sampled", "samples": [[0]], "weights": [float("nan")]}, "a weight is no number"),
        ({"type": "sampled", "samples": [[0]], "weights": [-1]}, "out of range"),
        ({"type": "sampled", "samples": [[0]], "weights": [True]}, "a weight is no number"),
        ({"type": "sampled", "samples": [[0]], "weights": [1e300]}, "out of range"),
        ({"type": "sampled", "samples": [0], "weights": [1]}, "no list of frames"),
        ({"type": "sampled", "samples": [[0]], "weights": []}, "weights has 0 entries"),
    ],
)
def test_damaged_speedscope_says_what_is_wrong(profile, says):
    with pytest.raises(FormatError, match=says):
        read(speedscope_of(profile))


def firefox_of(version):
    """The same two samples as three generations of the format hold them."""
    frames = {"address": [16, -1], "inlineDepth": [0, 0], "func": [0, 1], "line": [None, 7], "length": 2}
    funcs = {"name": [0, 1], "isJS": [False, True], "resource": [0, -1], "length": 2}
    resources = {"lib": [0], "name": [2], "type": [1], "length": 1}
    stacks = {"frame": [0, 1], "prefix": [None, 0], "length": 2}
    samples = {"stack": [1, None], "weight": None, "weightType": "samples", "length": 2}
    texts = ["main", "f", "app", "a.js"]
    tables = {"frameTable": frames, "funcTable": funcs, "resourceTable": resources, "stackTable": stacks}
    thread = {"name": "Main", "pid": "12", "tid": 13, "samples": samples}
    document = {
        "meta": {"preprocessedProfileVersion": version, "stackwalk": 1},
        "libs": [{"name": "app", "path": "/bin/app", "codeId": "abc"}], "threads": [thread],
    }  # fmt: skip
    if version < 56:
        samples["time"] = [1, 2.5]
        funcs["fileName"] = [None, 3]
        thread |= {**tables, "stringArray": texts}
        return document
    samples["timeDeltas"] = [1, 1.5]
    funcs["source"] = [None, 0]
    document["shared"] = {**tables, "stringArray": texts, "sources": {"filename": [3], "length": 1}}
    if version >= 70:
        del stacks["prefix"], resources["lib"]
        stacks["prefixOffset"], frames["lib"] = [0, 1], [0, -1]
    return document


@pytest.mark.parametrize("version", [55, 60, 70])
def test_generations_of_firefox_s_format(version):
    profile = read(firefox_of(version))
    assert fold(profile) == "Main 1\nMain;main;f 1\n"
    assert profile.samples.time_ns.tolist() == [1_000_000, 2_500_000]
    assert (profile.samples.pid.tolist(), profile.samples.tid.tolist()) == ([12, 12], [13, 13])
    assert profile.frames.source == ["", "a.js:7"]
    assert [Kind(k).name for k in profile.frames.kind] == ["USER", "JIT"]
    assert (profile.mappings.path, profile.mappings.build_id) == (["/bin/app"], ["abc"])


@pytest.mark.parametrize("member", ["frameTable", "funcTable", "stackTable", "stringArray"])
def test_damaged_firefox_says_what_is_missing(member):
    document = firefox_of(60)
    del document["shared"][member]
    with pytest.raises(FormatError, match="missing"):
        read(document)


def trace_of(*events, **members):
    return {"traceEvents": [{"pid": 7, "tid": 8, **event} for event in events], **members}


def chunk(nodes, samples, deltas, **more):
    data = {"cpuProfile": {"nodes": nodes, "samples": samples}, "timeDeltas": deltas}
    return {"ph": "P", "id": "0x1", "name": "ProfileChunk", "ts": 9, "args": {"data": data}, **more}


def call(name, **more):
    return {"functionName": name, **more}


def test_a_trace_of_chrome_in_pieces():
    """A piece comes from a thread of V8's own, and says to which nodes of earlier pieces its nodes belong."""
    begin = {"ph": "P", "id": "0x1", "name": "Profile", "ts": 1000, "args": {"data": {"startTime": 1000}}}
    root, idle = {"id": 1, "callFrame": call("(root)")}, {"id": 2, "parent": 1, "callFrame": call("(idle)")}
    main = {"id": 3, "parent": 1, "callFrame": call("main", url="a.js", lineNumber=6)}
    work = {"id": 4, "parent": 3, "callFrame": call("work")}
    name = {"ph": "M", "name": "thread_name", "args": {"name": "CrRendererMain"}}
    profile = read(
        trace_of(begin, chunk([root, idle, main], [3, 2], [5, 10]), chunk([work], [4], [10], tid=99), name)
    )
    assert fold(profile) == "CrRendererMain;main 1\nCrRendererMain;main;work 1\n"
    assert profile.samples.time_ns.tolist() == [1_005_000, 1_025_000]
    assert profile.samples.tid.tolist() == [8, 8]
    assert profile.frames.source[0] == "a.js:7"
    assert Kind(profile.frames.kind[0]) == Kind.JS
    assert profile.meta.quality.filtered == {"idle": 1}


def test_a_profile_of_node():
    """As `node --cpu-prof` writes it: nodes name their children."""
    nodes = [{"id": 1, "callFrame": call("(root)"), "children": [2]},
             {"id": 2, "callFrame": call("", url="file:///a.js", lineNumber=0)}]  # fmt: skip
    profile = read({"nodes": nodes, "startTime": 10, "endTime": 40, "samples": [2, 2], "timeDeltas": [5, 20]})
    assert fold(profile) == "(anonymous) 2\n"
    assert profile.samples.time_ns.tolist() == [15_000, 35_000]
    assert profile.frames.source == ["file:///a.js:1"]


def test_samples_that_point_at_stack_frames():
    frames = {"1": {"name": "main", "category": "app"}, "2": {"name": "work", "parent": "1"}}
    rows = [
        {"cpu": 1, "tid": 8, "ts": 5.5, "name": "cycles", "sf": sf, "weight": w}
        for sf, w in ((1, 3), ("2", 250_000))
    ]
    profile = read(
        trace_of(
            {"ph": "M", "name": "thread_name", "args": {"name": "app"}}, stackFrames=frames, samples=rows
        )
    )
    assert fold(profile) == "app;main 3\napp;main;work 250000\n"
    assert (profile.samples.count.tolist(), profile.samples.pid.tolist()) == ([1, 1], [7, 7])
    assert (profile.samples.cpu.tolist(), profile.samples.time_ns.tolist()) == ([1, 1], [5500, 5500])


def span(phase, name, ts, **more):
    return {"ph": phase, "name": name, "ts": ts, **more}


def test_spans_are_stacks_that_last():
    nested = trace_of(
        span("X", "outer", 0, dur=10),
        span("X", "inner", 2, dur=3),
        span("X", "next", 5, dur=5),
        span("X", "point", 7, dur=0),
    )
    assert fold(read(nested)) == "outer 2000\nouter;inner 3000\nouter;next 5000\n"
    paired = trace_of(
        span("B", "a", 1), span("B", "b", 2), span("E", "b", 4), span("E", "a", 7), span("B", "cut", 8)
    )
    assert fold(read(paired)) == "a 4000\na;b 2000\n"


def test_an_array_of_events_may_lack_its_end():
    text = json.dumps([{**span("B", "a", 1), "tid": 1}, {**span("E", "a", 3), "tid": 1}])
    for cut in (text, text[:-1], text[:-1] + ",\n"):
        assert fold(read(cut.encode())) == "a 2000\n"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (trace_of(span("E", "a", 1)), "a span ends that has not begun"),
        (trace_of(), "neither samples nor spans"),
        (trace_of(chunk([], [5], [1])), "a node is not there: 5"),
        (trace_of(chunk([{"id": 1, "parent": 1, "callFrame": call("f")}], [1], [1])), "a node is not there"),
        (trace_of(chunk([], [1], [])), "1 samples, but 0 times"),
        (trace_of(stackFrames={"1": {"name": "a", "parent": "1"}}, samples=[{"sf": 1}]), "a frame is not there"),
        (trace_of(stackFrames={}, samples=[{"sf": 1}]), "a frame is not there: 1"),
        (trace_of({**span("B", "a", "x")}), "a time is no number"),
    ],
)  # fmt: skip
def test_damaged_traces_say_what_is_wrong(document, says):
    with pytest.raises(FormatError, match=says):
        read(document)
