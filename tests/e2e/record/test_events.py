"""Events and stacks that perf records here: what a weight counts, and how far a stack reaches."""

import sys

import pytest


def test_tracepoints_count_every_time(record, weights, tmp_path):
    work = "import os\nfor _ in range(2345): os.getppid()"
    done = record("-e", "syscalls:sys_enter_getppid", "--", sys.executable, "-c", work)
    assert done.returncode == 0, done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == 2345


def test_several_events_are_never_added_up(record, kprof, busy_for, weights, tmp_path):
    done = record(
        "-e", "cpu-clock", "-e", "sched:sched_switch,page-faults", "--keep-data", "--",
        sys.executable, "-c", busy_for(0.5) + "\ntime.sleep(0.01)",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "left out by event sched:sched_switch" in done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == pytest.approx(5e8, rel=0.95)
    again = kprof("fold", "-e", "sched:sched_switch", "out.data", "-q")
    assert again.returncode == 0, again.stderr
    assert "__schedule" in again.stdout


def test_the_first_event_is_found_whatever_stands_beside_it(record, busy_for):
    events = ["-e", "cpu-clock:u", "-e", "sched:sched_switch"]
    done = record(*events, "--", sys.executable, "-c", busy_for(0.3))
    assert done.returncode == 0, done.stderr
    assert "cpu-clock-u" in done.stderr


def test_a_rate_on_a_tracepoint_keeps_its_weights(record, samples, weights, tmp_path):
    work = "import os\nfor _ in range(400_000): os.getppid()"
    done = record("-F", "100", "-e", "syscalls:sys_enter_getppid", "--", sys.executable, "-c", work)
    assert done.returncode == 0, done.stderr
    # Few samples, each of which stands for many calls.
    assert samples(done)[1] < 100_000
    assert sum(weights(tmp_path / "out.folded").values()) > 10 * samples(done)[1]


def test_dwarf_stacks_reach_the_start(record, busy_for, weights, tmp_path):
    code = busy_for(0.4)
    done = record("-g", "dwarf", "-F", "199", "--", "/usr/bin/python3", "-c", code)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    reaching = sum(weight for stack, weight in stacks.items() if ";_start;" in stack)
    assert reaching > 0.8 * sum(stacks.values())
