"""What one side sees and another cannot."""

import pytest

from kprof.analysis.compare import compare
from kprof.analysis.one_sided import one_sided, same_event
from kprof.errors import UsageError
from kprof.model import Event, Frame, Kind, ProfileBuilder

CLOCK, CYCLES, OFF = Event("cpu-clock", "ns"), Event("cycles:u", "events"), Event("off-cpu", "ns")


def build(*samples, **options):
    builder = ProfileBuilder()
    for event, stack, count in samples:
        builder.add(stack, count * 1000, count=count, event=event, comm=options.get("comm", "app"))
    return builder.build()


def test_an_event_of_one_side_is_no_difference():
    perf = build((CLOCK, ["main", "work"], 100))
    bpf = build((OFF, ["main", "wait"], 7), (CLOCK, ["main", "work"], 50))
    found = compare([[perf, bpf]])
    assert found.agreement.distance == 0
    assert [(one.what, one.sides, one.weight, one.share) for one in found.one_sided] == [
        ("event off-cpu", [1], 7000, 1.0)
    ]
    assert [side.samples for side in found.sides] == [100, 50]


def test_clocks_of_the_cpu_are_the_same_and_others_are_not():
    picked, only = same_event([build((CLOCK, ["a"], 1)), build((CYCLES, ["a"], 1))])
    assert [profile.meta.events[0].name for profile in picked] == ["cpu-clock", "cycles:u"]
    assert only == []
    with pytest.raises(UsageError, match="cpu-clock and off-cpu are not the same"):
        same_event([build((CLOCK, ["a"], 1)), build((OFF, ["a"], 1))])


def test_kernel_frames_and_threads_of_one_side():
    kernel = Frame("sys_read", "[kernel.kallsyms]", Kind.KERNEL)
    first = build((CLOCK, ["main", "read", kernel], 400), (CLOCK, ["main"], 600))
    second = build((CLOCK, ["main", "read"], 400), (CLOCK, ["main"], 600), comm="other")
    found = {one.what: (one.sides, one.share) for one in one_sided([first, second])}
    assert found == {"kernel frames": ([0], 0.4), "thread app": ([0], 1.0), "thread other": ([1], 1.0)}
    # What chance may leave out is not told.
    rare = build((CLOCK, ["main", kernel], 4), (CLOCK, ["main"], 996))
    assert one_sided([rare, build((CLOCK, ["main"], 1000))]) == []
