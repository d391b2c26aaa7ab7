"""Programs that are written for bpftrace and BCC: what is asked for stands in them."""

import pytest

from kprof.recorders.bpf.bcc import program as bcc
from kprof.recorders.bpf.bpftrace import program as bpftrace
from kprof.recorders.bpf.plan import plan
from kprof.recorders.bpf.scope import Job, Scope, scope_of
from kprof.recorders.request import RecordRequest
from kprof.wire import bpf_events as layout


def planned(*events, **how):
    request = RecordRequest(all_cpus=True, events=events, call_graph="fp", **how)
    return plan(request, hardware=False, fastest=5000, tracepoint=lambda _: 1)


def texts(scope, *events):
    made = planned(*events)
    job = Job(RecordRequest(all_cpus=True), made, scope, cpus=(0, 1))
    return bpftrace.program(made.sources, scope, 1000), bcc.program(job, 77)


def test_filters_stand_in_both():
    scope = Scope(layout.THREADS, (5, 6), 'a"b', (1, 3), "", 10, 99, itself=42)
    text, program = texts(scope, "off-cpu")
    for part in (
        "@targets[5] = 1; @targets[6] = 1;",
        "@targets[tid]",
        r'comm == "a\"b"',
        "cpu == 1 || cpu == 3",
    ):
        assert part in text
    assert "$elapsed < 10 || $elapsed > 99" in text
    for part in (
        "KP_TARGETS 2",
        "KP_LEAST 10ULL",
        "KP_MOST 99ULL",
        "cpu == 1 || cpu == 3",
        "comm[1] == (char)34",
    ):
        assert part in program.text
    # Threads have no children that would have to be followed.
    assert "task_newtask" not in text + program.text


def test_nobody_records_itself():
    text, program = texts(Scope(itself=42), "on-cpu")
    assert "pid != 42 && pid != @self" in text
    assert "KP_SELF 42" in program.text
    assert "KP_DRIVER 77" in program.text


def test_a_tracepoint_of_several_events_is_one_function_of_bcc():
    scope = Scope(layout.PROCESSES, (5,), itself=42)
    text, program = texts(scope, "off-cpu", "wakeup", "sched:sched_switch", "task:task_newtask")
    tracepoints = [hook["tp"] for hook in program.hooks if hook["to"] == "tracepoint"]
    assert len(tracepoints) == len(set(tracepoints))
    assert program.text.count("struct tracepoint__sched__sched_switch *args") == 1
    assert text.count("tracepoint:sched:sched_switch {") == 3


def test_events_of_perf_are_opened_on_each_cpu():
    text, program = texts(Scope(itself=42), "page-faults", "cpu-clock")
    assert [hook["cpu"] for hook in program.hooks] == [0, 1, 0, 1]
    assert "software:page-faults:1 {" in text
    assert "profile:hz:99 {" in text


def test_an_event_that_needs_no_fields_asks_for_none():
    _, program = texts(Scope(itself=42), "sched:sched_switch")
    assert "int kp_program_0(void *args)" in program.text


@pytest.mark.parametrize(
    ("event", "by_bpftrace", "by_bcc"),
    [
        ("off-cpu", "", ""),
        ("raw_tp:sched_switch", "records tracepoints", ""),
        ("cpu-clock:u", "together", "together"),
        ("fentry:vfs_read", "", "kprobe:vfs_read needs none"),
        ("fexit:vfs_read", "", "kretprobe:vfs_read needs none"),
    ],
)
def test_what_each_refuses(event, by_bpftrace, by_bcc):
    sources = planned(event).sources
    for said, found in ((by_bpftrace, bpftrace.refusal(sources, "")), (by_bcc, bcc.refusal(sources))):
        assert said in found if said else not found
    assert bpftrace.refusal(sources, "/sys/fs/cgroup/x")


def test_the_scope_of_a_request():
    scope = scope_of(RecordRequest(tids=(7,), comm="caf\udce9" + "x" * 20, timestamps=True), (7,), (0, 1))
    assert (scope.kind, scope.tasks, scope.cpus, scope.timestamps) == (layout.THREADS, (7,), (), True)
    assert len(scope.comm.encode("utf-8", "surrogateescape")) <= 15
