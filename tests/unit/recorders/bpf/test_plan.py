"""Which programs count which events."""

import mmap
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders import RecordRequest, choose_backend
from kprof.recorders.bpf import functions
from kprof.recorders.bpf.binaries import find_binaries
from kprof.recorders.bpf.functions import function_source
from kprof.recorders.bpf.plan import plan
from kprof.recorders.bpf.rooms import rooms_for
from kprof.recorders.bpf.sources import PerfEvent, Place, Places, RawTracepoint, Tracepoint
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
        (("on-cpu",), {"call_graph": "lbr"}, NotAvailableError, "does not know -g lbr"),
        (tuple(f"uprobe:/bin/sh:f{i}" for i in range(17)), {}, UsageError, "too many"),
        (("page-faults", "page-faults"), {}, UsageError, "twice"),
        (("off-cpu",), {"weight": "bytes"}, UsageError, "cannot be weighed by bytes"),
        (("on-cpu",), {"weight": "ns"}, UsageError, "has no duration"),
        (("usdt:/bin/sh:a:b",), {}, UsageError, "no probe a:b"),
        (("raw_tp:a:b",), {}, UsageError, "not an event"),
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


PROGRAM = """
__attribute__((noinline)) int read_a(int x) { return x + 1; }
__attribute__((noinline)) int read_b(int x) { return x + 2; }
int read_c(int) __attribute__((alias("read_b")));
int main(int count, char **arguments) { (void)arguments; return read_a(count) + read_b(count); }
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    (folder / "p.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-O0", "-o", "p", "p.c"], check=True, cwd=folder)
    listed = subprocess.run(["nm", "p"], check=True, cwd=folder, capture_output=True, text=True).stdout
    # A program of this size begins with the page of its code at the same offset.
    words = [line.split() for line in listed.splitlines() if line.startswith("0")]
    return folder / "p", {name: int(address, 16) for address, _, name in words}


@pytest.mark.parametrize(
    ("text", "names", "more"),
    [
        ("uprobe:{}:main", ["main"], {}),
        ("uprobe:{}:main+0x4", ["main"], {"starts": False}),
        ("uprobe:{}:read_*", ["read_a", "read_b"], {}),
        ("uprobe:{}:read_[ac]", ["read_a", "read_c"], {}),
        ("uretprobe:{}:m?in", ["main"], {}),
    ],
)
def test_functions(program, text, names, more):
    path, addresses = program
    (hook,) = function_source(text.format(path), RecordRequest(all_cpus=True)).hooks
    away = 4 if more else 0
    assert hook == Places(str(path), hook.places, text.startswith("uretprobe"))
    assert {place.offset for place in hook.places} == {addresses[name] + away for name in names}
    assert {place.starts for place in hook.places} == {not more}


def test_an_offset_alone(program):
    (hook,) = function_source(f"uprobe:{program[0]}:0x4f0", RecordRequest(all_cpus=True)).hooks
    assert hook.places == [Place("", 0x4F0, starts=False)]


def test_files_by_the_names_that_targets_know_them_by():
    request = RecordRequest(pids=(os.getpid(),))
    (libc,) = find_binaries("libc", request)
    assert "/libc.so" in libc
    assert libc in find_binaries("*", request)
    assert find_binaries("sh", RecordRequest(all_cpus=True)) == [str(Path("/bin/sh").resolve())]
    with pytest.raises(UsageError, match="no target uses"):
        find_binaries("no-such-name", request)
    with pytest.raises(UsageError, match="files of a process"):
        find_binaries("*", RecordRequest(all_cpus=True))


def test_too_many_places(monkeypatch, program):
    monkeypatch.setattr(functions, "MOST_PLACES", 3)
    assert function_source(f"uprobe:{program[0]}:read_*", RecordRequest(all_cpus=True)).places == 2
    with pytest.raises(UsageError, match=r"fits \d+ places, and at most 3") as caught:
        function_source(f"uprobe:{program[0]}:*", RecordRequest(all_cpus=True))
    assert "narrow the pattern" in caught.value.help_text


def test_what_a_name_may_have_meant(program):
    with pytest.raises(UsageError, match="no function reed_a") as caught:
        function_source(f"uprobe:{program[0]}:reed_a", RecordRequest(all_cpus=True))
    assert "read_a" in caught.value.help_text


def test_raw_tracepoints_and_what_a_pattern_stands_for(program):
    (source,) = planned("raw_tp:sched_switch").sources
    assert (source.hooks, source.unit) == ((RawTracepoint("sched_switch"),), "events")
    found = planned(f"uprobe:{program[0]}:read_*", f"uprobe:{program[0]}:main")
    assert [note for note in found.notes if "place" in note] == [f"uprobe:{program[0]}:read_* is 2 places"]


@pytest.mark.parametrize("text", ["uprobe:main", "uprobe:/no/file:main", "uprobe:/bin/sh:", "usdt:x"])
def test_functions_that_are_none(text):
    with pytest.raises(UsageError):
        function_source(text, RecordRequest(all_cpus=True))


def test_an_output_that_only_bpf_leaves_chooses_it():
    assert choose_backend("auto", ["page-faults"], "x.kprof") == "bpf"
    assert choose_backend("auto", ["page-faults"], "x.folded") == "perf"


@pytest.mark.parametrize(
    ("event", "call_graph", "target", "copies"),
    [
        ("on-cpu", "auto", {"pids": (1,)}, layout.COPY_UNFRAMED),
        ("on-cpu", "auto", {"all_cpus": True}, layout.COPY_UNFRAMED),
        ("off-cpu", "auto", {"pids": (1,)}, layout.COPY_UNFRAMED),
        # What a whole host does is not bounded, and neither are faults.
        ("off-cpu", "auto", {"all_cpus": True}, layout.FOLLOW),
        ("page-faults", "auto", {"pids": (1,)}, layout.FOLLOW),
        ("page-faults", "dwarf", {"pids": (1,)}, layout.COPY_ALL),
        ("on-cpu", "fp", {"pids": (1,)}, layout.FOLLOW),
        ("cpu-clock:k", "dwarf", {"pids": (1,)}, layout.FOLLOW),
    ],
)
def test_where_stacks_are_copied(event, call_graph, target, copies):
    request = RecordRequest(events=(event,), call_graph=call_graph, **target)
    (source,) = plan(request, hardware=False, fastest=10_000, tracepoint=lambda _: 1).sources
    assert source.copies == copies


def test_room_is_taken_for_what_is_used():
    settings = np.zeros(1, layout.SETTINGS)
    plain = rooms_for(settings, 99)
    assert (plain.records, plain.copies) == (0, 0)
    assert plain.of_maps()["copies"] == plain.of_maps()["records"] == mmap.PAGESIZE
    settings["timestamps"], settings["copy_bytes"], settings["events"]["copies"] = 1, 8192, layout.COPY_ALL
    small, large = rooms_for(settings, 99), rooms_for(settings, 1_000_000)
    assert small.of_maps()["rows_a"] == 1
    assert plain.copies < small.copies < large.copies <= 1 << 26
    assert large.memory > small.memory > small.copies
    assert rooms_for(np.zeros(1, layout.SETTINGS), 0).rows == plain.rows
