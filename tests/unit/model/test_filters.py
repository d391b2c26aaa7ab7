"""Filters, and the choice of an event."""

from dataclasses import replace

import pytest

from kprof.errors import UsageError
from kprof.model import Event, Filter, Frame, ProfileBuilder, Share, parse_moment
from kprof.model.events import base_name, find_event, pick_event

SECOND = 10**9


@pytest.fixture
def profile():
    builder = ProfileBuilder()
    for second, (stack, comm, pid) in enumerate(
        [
            ("main;parse;read", "app", 1),
            ("main;draw", "app", 1),
            ("main;parse", "two words", 2),
            ("", "idle", 0),
        ]
    ):
        frames = stack.split(";") if stack else []
        builder.add(
            frames, 10, comm=comm, pid=pid, tid=pid * 10, cpu=second % 2, time_ns=(100 + second) * SECOND
        )
    return builder.build()


def stacks(profile):
    return profile.check().to_pandas()["stack"].tolist()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"comms": ["two words"]}, ["main;parse"]),
        ({"comms": ["nobody"]}, []),
        ({"pids": [1]}, ["main;parse;read", "main;draw"]),
        ({"tids": [20]}, ["main;parse"]),
        ({"cpus": [1]}, ["main;draw", ""]),
        ({"start": 1.0}, ["main;draw", "main;parse", ""]),
        ({"end": 1.0}, ["main;parse;read"]),
        ({"start": -1.5}, ["main;parse", ""]),
        ({"end": -1.5}, ["main;parse;read", "main;draw"]),
        ({"start": Share(0.3), "end": Share(0.5)}, ["main;draw"]),
        ({"start": Share(0.9), "end": Share(1)}, [""]),
        ({"start": Share(-0.2)}, [""]),
        ({"focus": "^parse$"}, ["main;parse;read", "main;parse"]),
        ({"ignore": "parse"}, ["main;draw", ""]),
        ({"root_at": "parse"}, ["parse;read", "parse"]),
        ({"focus": "read", "root_at": "parse"}, ["parse;read"]),
        ({"cpus": [0], "start": 1.0}, ["main;parse"]),
        ({"comms": ["app"], "pids": [1], "cpus": [0], "end": 9.0, "ignore": "draw"}, ["main;parse;read"]),
        ({}, ["main;parse;read", "main;draw", "main;parse", ""]),
    ],
)
def test_filter(profile, options, left):
    result = Filter(**options).apply(profile)
    assert stacks(result) == left
    assert sum(result.meta.quality.filtered.values()) == 4 - len(left)


def test_a_wrong_pattern_is_a_usage_error(profile):
    with pytest.raises(UsageError, match="--focus"):
        Filter(focus="(").apply(profile)


def test_patterns_match_the_labels_that_are_shown():
    builder = ProfileBuilder()
    builder.add(["main", Frame("[unknown]", "/lib/libc.so.6")])
    builder.add(["main", "work"])
    profile = builder.build()
    assert stacks(Filter(focus="^.libc").apply(profile)) == ["main;[libc.so.6]"]
    assert stacks(Filter(ignore="libc").apply(profile)) == ["main;work"]


def test_samples_without_a_stack_are_those_that_were_not_left_out(profile):
    assert profile.meta.quality.without_stack == 1
    assert Filter(comms=["app"]).apply(profile).meta.quality.without_stack == 0
    assert Filter(comms=["idle"]).apply(profile).meta.quality.without_stack == 1


def test_filtering_by_what_is_not_there():
    builder = ProfileBuilder()
    builder.add(["a"])
    for options in ({"comms": ["x"]}, {"pids": [1]}, {"start": 1.0}):
        with pytest.raises(UsageError, match="no "):
            Filter(**options).apply(builder.build())


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("cycles:ppp", "cycles"),
        ("cycles", "cycles"),
        ("cpu_core/cycles/u", "cycles"),
        ("sched:sched_switch", "sched:sched_switch"),
        ("cpu-clock:uhH", "cpu-clock"),
        ("task-clock/call-graph=fp/", "task-clock"),
        ("cycles/period=10,name=x/u", "cycles"),
    ],
)
def test_base_name(name, base):
    assert base_name(name) == base


def test_events_are_picked_and_never_added_up():
    builder = ProfileBuilder()
    builder.add(["a"], 5, event=Event("cycles:u"))
    builder.add(["b"], 7, event=Event("page-faults"))
    builder.add(["b"], 7, event=Event("page-faults"))
    profile = builder.build()
    first = pick_event(profile)
    assert (first.total, first.meta.quality.filtered) == (5, {"event page-faults": 2})
    assert pick_event(profile, "cycles").total == 5
    assert pick_event(profile, "page-faults").check().total == 14
    with pytest.raises(UsageError, match="not in this profile"):
        pick_event(profile, "instructions")


def test_an_event_that_never_was_is_not_picked():
    builder = ProfileBuilder()
    builder.add(["a"], 5, event=Event("cpu_atom/cycles/"))
    builder.add(["b"], 7, event=Event("cpu_core/cycles/"))
    profile = builder.build()
    seen = replace(profile, samples=profile.samples.take(profile.samples.event == 1))
    assert pick_event(seen).total == 7
    assert pick_event(seen).meta.events[0].name == "cpu_core/cycles/"


def test_stacks_that_events_left_out_lack_are_not_missed():
    builder = ProfileBuilder()
    builder.add(["a"], 5, event=Event("cycles"))
    builder.add([], 7, event=Event("page-faults"))
    profile = builder.build()
    assert pick_event(profile).meta.quality.without_stack == 0
    assert pick_event(profile, "page-faults").meta.quality.without_stack == 1


def test_an_ambiguous_event_is_refused():
    with pytest.raises(UsageError, match="more than one"):
        find_event((Event("cycles:u"), Event("cycles:k")), "cycles")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2.5", 2.5),
        ("250ms", 0.25),
        ("-1", -1.0),
        (".5s", 0.5),
        ("1.5m", 90.0),
        ("10%", Share(0.1)),
        ("-0", -0.0),
    ],
)
def test_moments(text, seconds):
    found = parse_moment(text)
    assert (found, str(found), isinstance(found, Share)) == (
        seconds,
        str(seconds),
        isinstance(seconds, Share),
    )


@pytest.mark.parametrize("text", ["", "x", "1h", "%", "nan", "1e3", "--1"])
def test_what_is_no_moment(text):
    with pytest.raises(UsageError, match="is no time"):
        parse_moment(text)


def test_a_range_that_ends_before_it_begins_is_refused(profile):
    with pytest.raises(UsageError, match="is not behind --start"):
        Filter(start=2.0, end=-3.0).apply(profile)
