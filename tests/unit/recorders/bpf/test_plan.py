"""Which programs count which events."""

import pytest

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders import RecordRequest, choose_backend
from kprof.recorders.bpf.functions import function_source
from kprof.recorders.bpf.plan import plan
from kprof.recorders.bpf.sources import Function, PerfEvent, Tracepoint
from kprof.wire import bpf_events as layout


def planned(*events, hardware=False, fastest=100_000, **more):
    return plan(RecordRequest(pids=(1,), events=events, **more), hardware=hardware, fastest=fastest)


def test_on_cpu_is_cycles_where_there_are_some():
    (source,) = planned(hardware=True).sources
    assert (source.name, source.unit, source.hooks) == ("cycles", "events", (PerfEvent(0, 0, 0, 997),))
    (source,) = planned().sources
    assert (source.name, source.unit, source.hooks) == ("cpu-clock", "ns", (PerfEvent(1, 0, 1_003_009, 997),))
    assert "no hardware counters" in planned().notes[0]


def test_rates():
    assert planned(frequency=99).sources[0].hooks[0].period == 10_101_010
    assert plan(RecordRequest(all_cpus=True), hardware=False, fastest=100_000).sources[0].frequency == 99
    slow = planned(frequency=5000, fastest=1000)
    assert slow.sources[0].frequency == 1000
    assert "the kernel allows 1000 Hz, not 5000" in slow.notes[0]
    assert slow.facts["frequency"] == "1000 Hz"


def test_software_events_are_counted_one_by_one():
    (source,) = planned("page-faults", frequency=99).sources
    assert (source.hooks, source.unit) == ((PerfEvent(1, 2, 1, 0),), "events")


@pytest.mark.parametrize(
    ("event", "name", "sides"),
    [
        ("on-cpu:u", "cpu-clock:u", layout.USER),
        ("cpu-clock:k", "cpu-clock:k", layout.KERNEL),
        ("page-faults", "page-faults", layout.USER | layout.KERNEL),
    ],
)
def test_modifiers_choose_the_part_of_the_stack(event, name, sides):
    (source,) = planned(event).sources
    assert (source.name, source.sides) == (name, sides)


def test_several_events_keep_their_order():
    assert [s.name for s in planned("page-faults,on-cpu", "context-switches").sources] == [
        "page-faults", "cpu-clock", "context-switches",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "more", "error", "says"),
    [
        (("nonsense",), {}, UsageError, "does not know the event nonsense"),
        (("instructions",), {}, NotAvailableError, "hardware counters"),
        (("on-cpu",), {"call_graph": "lbr"}, NotAvailableError, "frame pointers only"),
        (tuple(f"uprobe:/bin/sh:f{i}" for i in range(17)), {}, UsageError, "too many"),
        (("page-faults", "page-faults"), {}, UsageError, "twice"),
        (("off-cpu",), {"weight": "bytes"}, UsageError, "cannot be weighed by bytes"),
        (("on-cpu",), {"weight": "ns"}, UsageError, "has no duration"),
        (("usdt:/bin/sh:a:b",), {}, NotAvailableError, "this version"),
        (("fentry:vfs_read+4",), {}, UsageError, "whole functions"),
    ],
)
def test_refusals(events, more, error, says):
    with pytest.raises(error, match=says):
        planned(*events, **more)


@pytest.mark.parametrize(
    ("wanted", "events", "chosen"),
    [
        ("auto", [], "perf"),
        ("auto", ["cycles", "sched:sched_switch"], "perf"),
        ("auto", ["cycles,off-cpu"], "bpf"),
        ("auto", ["uprobe:/bin/x:main"], "bpf"),
        ("bpf", [], "bpf"),
        ("perf", ["off-cpu"], "perf"),
    ],
)
def test_the_backend_that_reaches_the_events(wanted, events, chosen):
    assert choose_backend(wanted, events) == chosen


def test_a_tracepoint_by_its_number():
    found = plan(
        RecordRequest(pids=(1,), events=["a:b"]),
        hardware=False,
        fastest=1000,
        tracepoint=len,
    )
    assert found.sources[0].hooks == (Tracepoint(3),)


def test_recipes_have_units_and_weights():
    (source,) = planned("off-cpu").sources
    assert (source.unit, source.weight, source.hooks) == ("ns", layout.WEIGH_TIME, ())
    (source,) = planned("off-cpu:u", weight="count").sources
    assert (source.unit, source.weight, source.sides) == ("events", layout.WEIGH_ONE, layout.USER)


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("uprobe:/bin/sh:main", Function("/bin/sh", "main")),
        ("uretprobe:/bin/sh:main", Function("/bin/sh", "main", 0, returns=True)),
        ("uprobe:/bin/sh:main+0x10", Function("/bin/sh", "main", 16)),
        ("uprobe:/bin/sh:0x4f0", Function("/bin/sh", "", 0x4F0)),
    ],
)
def test_functions(text, function):
    source = function_source(text, RecordRequest(all_cpus=True))
    assert (source.hooks, source.sides) == ((function,), layout.USER)


@pytest.mark.parametrize("text", ["uprobe:main", "uprobe:/no/file:main", "uprobe:/bin/sh:"])
def test_functions_that_are_none(text):
    with pytest.raises(UsageError):
        function_source(text, RecordRequest(all_cpus=True))


def test_an_output_that_only_bpf_leaves_chooses_it():
    assert choose_backend("auto", ["page-faults"], "x.kprof") == "bpf"
    assert choose_backend("auto", ["page-faults"], "x.folded") == "perf"
