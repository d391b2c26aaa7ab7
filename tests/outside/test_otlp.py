"""The classes of the package opentelemetry-proto read what kprof writes, and write what kprof reads.

The rules are those that profiles.proto states: row 0 of every table is its zero value, and every index is of a row.
"""

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.profiles.v1development import profiles_pb2

from kprof.errors import FormatError
from kprof.exporters import folded, otlp
from kprof.model import Event, Kind
from kprof.model.labels import frame_labels
from kprof.pipeline import Choice, read
from kprof.readers import ReadOptions, Source, find_format

ROOT = Path(__file__).parents[2]


def parse(data):
    source = Source(io.BytesIO(data), "it")
    found = find_format(source)
    assert found.name == "OTLP profiles"
    return found.read(source, ReadOptions()).check()


@pytest.mark.parametrize("name", ["kernel-io", "multi-event", "cpp-inlines", "system-wide"])
def test_every_sample_is_there_and_every_rule_is_kept(name):
    sample = str(ROOT / "samples" / f"{name}.perf-script.txt.gz")
    profile = read([sample], Choice(ReadOptions(every_sample=True), every_event=True))
    message = profiles_pb2.ProfilesData.FromString(otlp.render(profile))
    tables = message.dictionary
    assert tables.string_table[0] == ""
    for table in ("mapping", "location", "function", "link", "attribute", "stack"):
        first = getattr(tables, f"{table}_table")[0]
        assert first == type(first)()
    assert len(set(tables.string_table)) == len(tables.string_table)
    assert all(0 <= loc.mapping_index < len(tables.mapping_table) for loc in tables.location_table)
    assert all(0 < row < len(tables.location_table) for s in tables.stack_table for row in s.location_indices)
    (resource,) = message.resource_profiles
    (scope,) = resource.scope_profiles
    assert len(scope.profiles) == len(profile.meta.events)
    labels = frame_labels(profile.frames, profile.mappings)
    for row, (event, made) in enumerate(zip(profile.meta.events, scope.profiles, strict=True)):
        assert tables.string_table[made.sample_type.type_strindex] == event.name
        ours = profile.samples.event == row
        assert sum(sample.values[0] for sample in made.samples) == int(profile.samples.weight[ours].sum())
        assert all(len(s.values) == len(s.timestamps_unix_nano) == 1 for s in made.samples)
        leaves = Counter()
        for s in made.samples:
            path = tables.stack_table[s.stack_index].location_indices
            lines = tables.location_table[path[0]].lines if path else ()
            if lines:
                leaves[tables.string_table[tables.function_table[lines[0].function_index].name_strindex]] += 1
        stacks = profile.samples.stack[ours].tolist()
        named = [labels[profile.stacks.frame[s]] for s in stacks if s >= 0]
        assert leaves == Counter(name for name in named if not name.startswith("["))


def profiler():
    """As the eBPF profiler of OpenTelemetry writes: samples with times alone, types of frames, an inlined call."""
    message = profiles_pb2.ProfilesData()
    tables = message.dictionary
    texts = ["", "samples", "count", "cpu", "nanoseconds", "main", "work", "vfs_read", "app.py", "/bin/app",
             "profile.frame.type", "thread.name", "process.executable.build_id.gnu", "/src/a.go"]  # fmt: skip
    tables.string_table.extend(texts)
    for table in ("mapping", "location", "function", "link", "attribute", "stack"):
        getattr(tables, f"{table}_table").add()
    row = texts.index
    for key, value in [("profile.frame.type", "kernel"), ("profile.frame.type", "cpython"), ("thread.name", "worker"),
                       ("process.executable.build_id.gnu", "f00d"), ("profile.frame.type", "go")]:  # fmt: skip
        made = tables.attribute_table.add(key_strindex=row(key))
        made.value.string_value = value
    tables.mapping_table.add(memory_start=0x400000, memory_limit=0x500000, file_offset=0x1000,
                             filename_strindex=row("/bin/app"), attribute_indices=[4])  # fmt: skip
    for name in ("main", "work", "vfs_read"):
        file = "/src/a.go" if name != "vfs_read" else ""
        tables.function_table.add(name_strindex=row(name), filename_strindex=row(file))
    go = tables.location_table.add(mapping_index=1, address=0x401234, attribute_indices=[5])
    go.lines.add(function_index=2, line=9)
    go.lines.add(function_index=1, line=5)
    tables.location_table.add(attribute_indices=[1]).lines.add(function_index=3)
    tables.location_table.add(mapping_index=1, address=0x401000)
    tables.stack_table.add(location_indices=[2, 1])
    tables.stack_table.add(location_indices=[3])
    resource = message.resource_profiles.add()
    service = resource.resource.attributes.add(key="service.name")
    service.value.string_value = "shop"
    scope = resource.scope_profiles.add()
    made = scope.profiles.add(time_unix_nano=10, duration_nano=20)
    made.sample_type.type_strindex, made.sample_type.unit_strindex = row("samples"), row("count")
    made.samples.add(stack_index=1, attribute_indices=[3], timestamps_unix_nano=[11, 15])
    made.samples.add(stack_index=2, values=[4])
    other = scope.profiles.add()
    other.sample_type.type_strindex, other.sample_type.unit_strindex = row("cpu"), row("nanoseconds")
    other.samples.add(stack_index=1, values=[250_000, 7], timestamps_unix_nano=[11, 15])
    return message


@pytest.mark.parametrize("as_json", [False, True])
def test_what_other_programs_write(as_json):
    message = profiler()
    data = MessageToJson(message).encode() if as_json else message.SerializeToString()
    profile = parse(data)
    assert profile.meta.events == (Event("samples", "samples"), Event("cpu", "ns"))
    assert profile.samples.weight.tolist() == [1, 1, 4, 250_000, 7]
    assert profile.samples.count.tolist() == [1, 1, 4, 1, 1]
    assert profile.samples.time_ns.tolist() == [11, 15, -1, 11, 15]
    assert (profile.comms, profile.meta.facts) == (["worker"], {"service.name": "shop"})
    text = folded.render(profile)[0].decode().splitlines()
    assert text == ["[app] 4", "main;work;vfs_read 250007", "worker;main;work;vfs_read 2"]
    kinds = dict(zip(profile.frames.name, map(Kind, profile.frames.kind.tolist()), strict=True))
    assert (kinds["main"], kinds["work"], kinds["vfs_read"]) == (Kind.USER, Kind.INLINED, Kind.KERNEL)
    work = profile.frames.name.index("work")
    assert (profile.frames.address[work], profile.frames.source[work]) == (0x2234, "/src/a.go:9")
    assert (profile.mappings.path, profile.mappings.build_id) == (["/bin/app"], ["f00d"])


def damaged(change):
    message = profiler()
    change(message)
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m.resource_profiles[0].scope_profiles[0].profiles[0].samples.add(stack_index=9), "a stack is not"),
        (lambda m: m.dictionary.stack_table.add(location_indices=[77]), "a location is not there: 77"),
        (lambda m: m.dictionary.location_table.add(mapping_index=5), "a mapping is not there"),
        (lambda m: m.dictionary.string_table.__delitem__(slice(5, None)), "a text is not there"),
        (lambda m: m.resource_profiles[0].scope_profiles[0].profiles[1].samples[0].values.append(1), "3 values, but"),
        (lambda m: m.resource_profiles[0].scope_profiles[0].profiles[0].samples[1].values.append(-1), "negative"),
    ],
)  # fmt: skip
def test_damaged_messages_say_what_is_wrong(change, says):
    with pytest.raises(FormatError, match=says):
        parse(damaged(change))


def test_what_is_no_profile_is_not_taken_for_one():
    """Text may begin with the same byte, an empty line, and pprof with the same field."""
    texts = {"stacks of bpftrace": b"\n\n@[\n    f+1\n]: 3\n", "folded stacks": b"\n" * 40 + b"a;b 1\n"}
    for name, data in texts.items():
        assert find_format(Source(io.BytesIO(data), "it")).name == name
    with pytest.raises(FormatError, match="JSON, which kprof does not read"):
        parse(json.dumps({"resourceSpans": []}).encode())
