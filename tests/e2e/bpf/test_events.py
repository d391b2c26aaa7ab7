"""What happens at one moment, counted by programs: events of perf, tracepoints, functions."""

import re
import sys

import pytest


def test_every_page_fault_is_counted(record, weights, tmp_path):
    """4,000 pages are touched once each."""
    code = "import mmap\nm = mmap.mmap(-1, 4000 * 4096)\nm.madvise(mmap.MADV_NOHUGEPAGE)\nfor i in range(4000): m[i * 4096] = 1"
    done = record("-e", "page-faults", "--", sys.executable, "-S", "-c", code)
    assert done.returncode == 0, done.stderr
    base = record(
        "-e",
        "page-faults",
        "-o",
        "base.folded",
        "--",
        sys.executable,
        "-S",
        "-c",
        "import mmap",
    )
    assert base.returncode == 0, base.stderr
    more = sum(weights(tmp_path / "out.folded").values()) - sum(weights(tmp_path / "base.folded").values())
    assert more == pytest.approx(4000, abs=80)


def test_several_events_stay_apart(kprof, record, weights, tmp_path, split):
    done = record("-e", "on-cpu,page-faults", "-o", "x.kprof", "--", split, "0.5")
    assert done.returncode == 0, done.stderr
    clock = kprof("fold", "x.kprof", "-o", "clock.folded")
    faults = kprof("fold", "x.kprof", "-e", "page-faults", "-o", "faults.folded")
    assert "left out by event page-faults" in clock.stderr
    assert sum(weights(tmp_path / "clock.folded").values()) == pytest.approx(5e8, rel=0.6)
    assert 10 < sum(weights(tmp_path / "faults.folded").values()) < 1000
    assert faults.returncode == 0


def test_a_tracepoint_counts_every_time(record, weights, tmp_path):
    code = "import os\nfor _ in range(2345): os.getppid()"
    done = record("-e", "syscalls:sys_enter_getppid", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == 2345
    assert "getppid" in (tmp_path / "out.folded").read_text()


def test_a_raw_tracepoint_counts_every_time(kprof, record, weights, tmp_path):
    """As often as the tracepoint of its name, and the stack ends in the kernel's work, not in ours."""
    code = "import os\nfor _ in range(2345): os.getppid()"
    done = record(
        "-e", "raw_tp:sys_enter,raw_syscalls:sys_enter", "-o", "x.kprof", "--", sys.executable, "-c", code
    )
    assert done.returncode == 0, done.stderr
    counts = []
    for event in ("raw_tp:sys_enter", "raw_syscalls:sys_enter"):
        done = kprof("fold", "x.kprof", "-e", event, "-o", "out.folded")
        assert done.returncode == 0, done.stderr
        stacks = weights(tmp_path / "out.folded")
        assert sum(weight for stack, weight in stacks.items() if "getppid" in stack) == 2345
        assert not any("bpf_" in stack for stack in stacks)
        counts.append(sum(stacks.values()))
    assert abs(counts[0] - counts[1]) < 20


def test_calls_of_a_function(kprof, record, weights, tallies, tmp_path, split, running):
    done = record("-e", f"uprobe:{split}:two,uretprobe:{split}:two", "-o", "x.kprof", "--", split, "0.3")
    assert done.returncode == 0, done.stderr
    for event in (f"uprobe:{split}:two", f"uretprobe:{split}:two"):
        done = kprof("fold", "x.kprof", "-e", event, "-o", "out.folded")
        assert done.returncode == 0, done.stderr
        (stack,) = weights(tmp_path / "out.folded")
        assert re.match("split;.*main", stack)
    calls, returns = (event["counted"] for event in tallies(tmp_path / "x.kprof")["events"])
    assert calls == returns > 100
    done = record("-e", f"uprobe:{split}:main+0", "-d", "0.2", "-p", str(running.pid), "-o", "none.folded")
    assert done.returncode == 1
    assert "no samples" in done.stderr


@pytest.mark.parametrize(
    ("event", "code", "says"),
    [
        ("uprobe:/no/such/file:main", 2, "no file /no/such/file"),
        ("uprobe:/bin/sh:no_such_function", 2, "no function no_such_function"),
        ("raw_tp:no_such_tracepoint", 2, "no raw tracepoint no_such_tracepoint"),
        ("usdt:/bin/sh:a:b", 2, "no probe a:b in /bin/sh; /bin/sh has no probes at all"),
        ("uprobe:/bin/sh:mainn", 2, "no function mainn"),
        ("sched:nothing", 2, "no tracepoint sched:nothing"),
        ("off-cpu,off-cpu:u", 2, "twice"),
        ("fentry:no_such_function", 2, "no kernel function no_such_function"),
    ],
)
def test_events_that_are_not_there(record, tmp_path, event, code, says):
    done = record("-e", event, "-a", "-d", "1")
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert not list(tmp_path.iterdir())
