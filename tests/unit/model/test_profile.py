"""The profile: building, checking, labels, pandas."""

from dataclasses import replace

import numpy as np
import pytest

from kprof.model import Event, Kind, ProfileBuilder, ProfileInvalidError, merge
from kprof.model.builder import Frame
from kprof.model.labels import LabelOptions, frame_labels, root_labels
from kprof.model.profile import exact_sum
from kprof.model.tree import depths, path_any


def build(*samples, **options):
    builder = ProfileBuilder()
    for stack, *rest in samples:
        builder.add(stack.split(";") if stack else [], *rest, **options)
    return builder.build()


def test_equal_stacks_share_one_row():
    profile = build(("a;b", 1), ("a;b", 2), ("a", 3))
    assert len(profile.stacks) == 2
    assert profile.total == 6
    assert profile.samples.stack.tolist() == [1, 1, 0]


def test_optional_columns_are_left_out_when_nobody_gave_them():
    samples = build(("a", 1)).samples
    assert (samples.pid, samples.comm, samples.cpu, samples.time_ns) == (None, None, None, None)


def test_sums_never_wrap():
    assert exact_sum(np.full(4, 2**62, np.int64)) == 2**64
    assert exact_sum(np.zeros(0, np.int64)) == 0


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("samples", "stack", 7),
        ("samples", "event", 1),
        ("samples", "weight", -1),
        ("stacks", "parent", 5),
        ("stacks", "frame", 9),
        ("frames", "mapping", 3),
        ("frames", "kind", 99),
    ],
)
def test_check_finds_what_is_out_of_range(table, column, value):
    profile = build(("a;b", 1))
    rows = getattr(getattr(profile, table), column).copy()
    rows[0] = value
    broken = replace(profile, **{table: replace(getattr(profile, table), **{column: rows})})
    with pytest.raises(ProfileInvalidError, match=table):
        broken.check()


def test_check_finds_a_parent_behind_its_child():
    profile = build(("a;b", 1))
    stacks = replace(profile.stacks, parent=np.array([1, -1], np.int32))
    with pytest.raises(ProfileInvalidError, match="before"):
        replace(profile, stacks=stacks).check()


def test_paths():
    parent = np.array([-1, 0, 1, 2, 0], np.int32)
    assert depths(parent).tolist() == [1, 2, 3, 4, 2]
    marked = np.array([False, True, False, False, False])
    assert path_any(parent, marked).tolist() == [False, True, True, True, False]


def test_depth_of_a_very_deep_stack():
    assert depths(np.arange(-1, 99_999, dtype=np.int32)).max() == 100_000


def test_labels():
    builder = ProfileBuilder()
    builder.add(
        [
            Frame("[unknown]", "/lib/libc.so.6", Kind.USER, 0x1F),
            Frame("[unknown]", "", Kind.UNKNOWN, 0x2F),
            Frame("vfs_read", "[kernel.kallsyms]", Kind.KERNEL),
            Frame("[unknown]", "[kernel.kallsyms]", Kind.KERNEL, 0x3F),
            Frame("inner", "", Kind.INLINED, 0, "a.c:3"),
        ]
    )
    profile = builder.build()
    names = frame_labels(profile.frames, profile.mappings)
    assert names == ["[libc.so.6]", "[unknown]", "vfs_read", "[kernel.kallsyms]", "inner"]
    options = LabelOptions(frozenset({Kind.KERNEL, Kind.INLINED}), addresses=True, sources=True)
    assert frame_labels(profile.frames, profile.mappings, options) == [
        "[libc.so.6 <1f>]", "[unknown <2f>]", "vfs_read_[k]", "[kernel.kallsyms <3f>]_[k]", "inner:a.c:3_[i]",
    ]  # fmt: skip


def test_roots():
    builder = ProfileBuilder()
    builder.add(["f"], comm="a b", pid=1, tid=2)
    builder.add(["f"], comm="a b", pid=1, tid=3)
    builder.add(["f"], comm="c", tid=4)
    profile = builder.build()
    assert root_labels(profile.samples, profile.comms)[0] == ["a b", "c"]
    labels, rows = root_labels(profile.samples, profile.comms, pid=True)
    assert [labels[i] for i in rows] == ["a b-1", "a b-1", "c-?"]
    labels, rows = root_labels(profile.samples, profile.comms, tid=True)
    assert [labels[i] for i in rows] == ["a b-1/2", "a b-1/3", "c-?/4"]


def test_to_pandas():
    builder = ProfileBuilder()
    builder.add(["main", "f;g"], 3, event=Event("cycles"), comm="app", pid=7, time_ns=5)
    builder.add([], 1, event=Event("cycles"), comm="app", pid=7, time_ns=6)
    table = builder.build().to_pandas()
    assert table["stack"].tolist() == ["main;f:g", ""]
    assert table[["weight", "count", "pid", "time_ns"]].to_numpy().tolist() == [[3, 1, 7, 5], [1, 1, 7, 6]]
    assert table["comm"].tolist() == ["app", "app"]
    assert table["event"].tolist() == ["cycles", "cycles"]


def test_names_that_are_not_utf8_are_escaped_for_pandas():
    table = build(("a\udcffä", 1), comm="b\udcfe").to_pandas()
    assert (table["stack"][0], table["comm"][0]) == ("a\\xffä", "b\\xfe")
    builder = ProfileBuilder()
    for comm in ("b\udcfe", "b\\xfe"):
        builder.add(["a"], comm=comm)
    assert builder.build().to_pandas()["comm"].tolist() == ["b\\xfe"] * 2


def test_merge_adds_up_and_renames():
    left = build(("a;b", 1), event=Event("cycles"), comm="x")
    right = build(("a;b", 2), ("c", 3), event=Event("faults"))
    both = merge([left, right]).check()
    assert both.total == 6
    assert [e.name for e in both.meta.events] == ["cycles", "faults"]
    assert both.samples.event.tolist() == [0, 1, 1]
    assert both.samples.comm.tolist() == [0, -1, -1]
    assert both.meta.quality.read == 3
    assert sorted(both.to_pandas()["stack"]) == ["a;b", "a;b", "c"]


def test_control_groups_are_named_merged_filtered_and_checked():
    left = build(("a", 1), cgroup="/web")
    right = build(("a", 2), cgroup="/db")
    both = merge([left, build(("a", 4)), right, left]).check()
    assert both.cgroups == ["/web", "/db"]
    assert both.samples.cgroup.tolist() == [0, -1, 1, 0]
    assert both.to_pandas()["cgroup"].tolist() == ["/web", np.nan, "/db", "/web"]
    assert both.samples.take(both.samples.weight == 2).cgroup.tolist() == [1]
    assert build(("a", 1)).samples.cgroup is None
    with pytest.raises(ProfileInvalidError, match=r"samples\.cgroup"):
        replace(both, cgroups=["/web"]).check()


def test_merging_with_another_format_forgets_the_format():
    builder = ProfileBuilder()
    builder.add(["a"])
    folded, text = builder.build(facts={"input": "folded stacks", "host": "x"}), builder.build()
    assert merge([folded, folded]).meta.facts == {"input": "folded stacks", "host": "x"}
    assert merge([folded, text]).meta.facts == merge([text, folded]).meta.facts == {"host": "x"}


def test_labels_with_sources_where_there_are_none():
    profile = build(("a", 1))
    frames = replace(profile.frames, source=())
    assert frame_labels(frames, profile.mappings, LabelOptions(sources=True)) == ["a"]
