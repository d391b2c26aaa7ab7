"""Sums of a report, held against the plainest way to get them: sample by sample, in Python."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprof.analysis.calls import call_tree, neighbours
from kprof.analysis.nesting import intervals, outermost
from kprof.analysis.top import top
from kprof.errors import FormatError, UsageError
from kprof.model import Event, Frame, Kind, ProfileBuilder

NAMES = st.sampled_from("abc")
SAMPLES = st.lists(
    st.tuples(st.lists(NAMES, max_size=6), st.integers(0, 1 << 40), st.integers(1, 9)), min_size=1
)


def build(samples):
    builder = ProfileBuilder()
    for stack, weight, count in samples:
        builder.add(stack, weight, count=count)
    return builder.build()


def as_dict(table, key="function"):
    return {row[key]: row for row in table.rows()}


@settings(deadline=None)
@given(SAMPLES)
def test_functions_as_sample_by_sample(samples):
    rows = as_dict(top(build(samples)))
    for name in "abc":
        own = sum(w for stack, w, _ in samples if stack and stack[-1] == name)
        total = sum(w for stack, w, _ in samples if name in stack)
        count = sum(c for stack, _, c in samples if name in stack)
        if count:
            assert (rows[name]["self"], rows[name]["total"], rows[name]["samples"]) == (own, total, count)
        else:
            assert name not in rows


@settings(deadline=None)
@given(SAMPLES)
def test_tree_as_sample_by_sample(samples):
    tree = call_tree(build(samples))
    names, parents = tree.table.columns["function"].tolist(), tree.parent.tolist()
    paths = []
    for name, parent in zip(names, parents, strict=True):
        paths.append((*(paths[parent] if parent >= 0 else ()), name))
    assert len(set(paths)) == len(paths)
    for path, row in zip(paths, tree.table.rows(), strict=True):
        assert row["self"] == sum(w for stack, w, _ in samples if tuple(stack) == path)
        assert row["total"] == sum(w for stack, w, _ in samples if tuple(stack[: len(path)]) == path)


@settings(deadline=None)
@given(SAMPLES)
def test_neighbours_as_sample_by_sample(samples):
    samples.append((["a"], 1, 1))
    found = neighbours(build(samples), "a")
    callers, callees = {}, {}
    for stack, weight, _ in samples:
        if "a" in stack:
            at = stack.index("a")
            caller = stack[at - 1] if at else "[root]"
            callers[caller] = callers.get(caller, 0) + weight
            for callee in {y for x, y in pairwise(stack) if x == "a"}:
                callees[callee] = callees.get(callee, 0) + weight
    assert {name: row["total"] for name, row in as_dict(found.callers).items()} == callers
    assert {name: row["total"] for name, row in as_dict(found.callees).items()} == callees
    (row,) = found.function.rows()
    assert row["total"] == sum(callers.values())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 30), st.integers(0, 3)), max_size=40))
def test_intervals_nest_as_the_tree_does(nodes):
    parent = np.array([min(p, i - 1) for i, (p, _) in enumerate(nodes)], np.int32)
    key = np.array([k for _, k in nodes], np.int64)
    start, end = intervals(parent)
    assert sorted(start.tolist()) == list(range(len(nodes)))
    outer = outermost(start, end, key)
    for i in range(len(nodes)):
        above, at = set(), int(parent[i])
        while at >= 0:
            assert start[at] < start[i] < end[at]
            above.add(int(key[at]))
            at = int(parent[at])
        assert outer[i] == (int(key[i]) not in above)


def places():
    builder = ProfileBuilder()
    main, copy = Frame("main", "/bin/app"), Frame("copy", "/lib/libc.so.6", Kind.USER, 16, "copy.c:3")
    twice = Frame("copy", "/lib/libc.so.6", Kind.INLINED, 32, "copy.c:4")
    event = Event("cpu-clock", "ns")
    builder.add([main, copy], 10, event=event, comm="x", pid=1, tid=2, cpu=0, time_ns=5_000_000_000)
    builder.add([main, copy, twice], 30, event=event, comm="y", pid=1, tid=3, cpu=1, time_ns=6_500_000_000)
    builder.add([], 2, event=event, comm="y", pid=1, tid=3, cpu=1, time_ns=6_600_000_000)
    return builder.build()


def test_one_function_at_several_places_is_one_row():
    (copy, main) = top(places()).rows()
    assert copy == {
        "function": "copy", "module": "libc.so.6", "self": 40, "self_share": 40 / 42,
        "total": 40, "total_share": 40 / 42, "samples": 2,
    }  # fmt: skip
    assert (main["self"], main["total"]) == (0, 40)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("module", {"libc.so.6": 40, "app": 40}),
        ("kind", {"user": 40, "inlined": 30}),
        ("line", {"copy.c:3": 40, "copy.c:4": 30, "[not known]": 40}),
        ("comm", {"x": 10, "y": 32}),
        ("pid", {1: 42}),
        ("tid", {2: 10, 3: 32}),
        ("cpu", {0: 10, 1: 32}),
        ("time", {0.0: 10, 1.0: 32}),
    ],
)
def test_other_groups(by, expected):
    table = top(places(), by)
    assert {row[by]: row["total"] for row in table.rows()} == expected
    assert table.unit == "ns"
    assert list(table.to_pandas().columns) == list(table.columns)


def test_what_is_not_there_is_said():
    profile = build([(["a", "aa"], 1, 1), (["aab"], 1, 1)])
    for by in ("cpu", "comm", "cgroup", "time", "line"):
        with pytest.raises(UsageError, match="to group by"):
            top(profile, by)
    with pytest.raises(UsageError, match="more than 0 seconds"):
        top(places(), "time", bucket=0)
    with pytest.raises(UsageError, match="no function"):
        neighbours(profile, "zzz")
    with pytest.raises(UsageError, match="2 functions"):
        neighbours(build([(["xa", "ya"], 1, 1)]), "a")
    assert neighbours(profile, "ab").function.columns["function"].tolist() == ["aab"]


def test_sums_never_wrap():
    profile = build([(["a"], (1 << 62) + 1, 1), (["b"], 1 << 62, 1)])
    with pytest.raises(FormatError, match="64 bits"):
        top(profile)
    assert top(build([(["a", "a"], (1 << 63) - 1, 1)])).columns["total"].tolist() == [(1 << 63) - 1]


def test_a_deep_stack_is_no_trouble():
    table = top(build([(["a", "b"] * 5000, 3, 1)]))
    assert as_dict(table)["a"]["total"] == 3
