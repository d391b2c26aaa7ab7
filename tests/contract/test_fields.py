"""Fields of tracepoints are what `perf script -F trace` prints of the same recording."""

import re
from pathlib import Path

import pytest

from kprof.pipeline import read_fields

SAMPLES = Path(__file__).parents[2] / "samples"
LINE = re.compile(rb"^\S.*? +(\d+)/(\d+) +\[(\d+)\] +(\d+)\.(\d+): +\d+ +(\w+:\w+): (.*)$", re.MULTILINE)
STATES = {0: "R", 1: "S", 2: "D", 4: "T", 8: "t", 16: "X", 32: "Z", 64: "P", 128: "I"}
PREEMPTED = 256
# Sample, tracepoint, and how the kernel's format prints it.
EVENTS = {
    ("tracepoints", "syscalls:sys_enter_read"): "fd: 0x{fd:08x}, buf: 0x{buf:08x}, count: 0x{count:08x}",
    ("tracepoints", "sched:sched_switch"): (
        "prev_comm={prev_comm} prev_pid={prev_pid} prev_prio={prev_prio} prev_state={state} ==> "
        "next_comm={next_comm} next_pid={next_pid} next_prio={next_prio}"
    ),
    ("tracepoints-strings", "syscalls:sys_enter_openat"): (
        "dfd: 0x{dfd:08x}, filename: 0x{filename:08x}, flags: 0x{flags:08x}, mode: 0x{mode:08x}"
    ),
    (
        "tracepoints-strings",
        "sched:sched_process_exec",
    ): "filename={filename} pid={field_pid} old_pid={old_pid}",
    ("tracepoints-strings", "sched:sched_process_fork"): (
        "comm={parent_comm} pid={parent_pid} child_comm={child_comm} child_pid={child_pid}"
    ),
}


def printed(text, event):
    """Time in microseconds, process, thread, CPU and fields of each sample, as perf prints them."""
    for pid, tid, cpu, seconds, micros, name, fields in LINE.findall(text):
        if name.decode() == event:
            yield int(seconds) * 10**6 + int(micros), int(pid), int(tid), int(cpu), fields.decode().strip()


def row(values, shown):
    if "prev_state" in values:
        state = int(values["prev_state"])
        values["state"] = STATES[state & (PREEMPTED - 1)] + "+" * bool(state & PREEMPTED)
    micros = int(values["time_ns"]) // 1000
    return micros, int(values["pid"]), int(values["tid"]), int(values["cpu"]), shown.format(**values)


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_fields_are_those_of_the_text(name, event, sample_text, manifest):
    found = read_fields(str(SAMPLES / f"{name}.perf.data.gz"), event)
    columns = found.columns
    ours = [
        row(dict(zip(columns, values, strict=True)), EVENTS[name, event])
        for values in zip(*columns.values(), strict=True)
    ]
    assert sorted(ours) == sorted(printed(sample_text(name), event))
    counted = {e["name"]: e["samples"] for e in manifest[name]["events"]}
    assert (len(found), found.skipped) == (counted[event], 0)
    assert found.to_pandas().shape == (len(found), len(columns))
