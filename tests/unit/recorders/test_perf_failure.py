"""perf's own words, as perf 6.1 wrote them here, and what becomes of them."""

import pytest

from kprof.errors import NotAvailableError, OutputError, TargetError, UsageError
from kprof.recorders.perf import failure
from kprof.system.permissions import Permissions

LIMITED = """Error:
Access to performance monitoring and observability operations is limited.
Consider adjusting /proc/sys/kernel/perf_event_paranoid setting to open
access to performance monitoring and observability operations for processes
without CAP_PERFMON, CAP_SYS_PTRACE or CAP_SYS_ADMIN Linux capability.
perf_event_paranoid setting is 2:
  -1: Allow use of (almost) all events by all users
>= 2: Disallow kernel profiling
"""
USAGE = """
 Usage: perf record [<options>] [<command>]
    or: perf record [<options>] -- <command> [<options>]

    -e, --event <event>   event selector. use 'perf list' to list available events
"""
NO_TRACEPOINT = r"""event syntax error: 'sched:nosuch'
                     \___ unknown tracepoint

Error:	File /sys/kernel/tracing/events/sched/nosuch not found.
Hint:	Perhaps this kernel misses some CONFIG_ setting to enable this feature?.
"""
CLOSED_TRACEPOINT = r"""event syntax error: 'sched:sched_switch'
                     \___ can't access trace events

Error:	No permissions to read /sys/kernel/tracing/events/sched/sched_switch
Hint:	Try 'sudo mount -o remount,mode=755 /sys/kernel/tracing/'
"""
MLOCK = """Permission error mapping pages.
Consider increasing /proc/sys/kernel/perf_event_mlock_kb,
or try again with a smaller value of -m/--mmap_pages.
(current value: 4096,0)
"""


@pytest.mark.parametrize(
    ("message", "kind", "says", "advice"),
    [
        (LIMITED, NotAvailableError, "of another user needs", "--root"),
        ("Couldn't create thread/CPU maps: No such process\n", TargetError, "ended before", "-- COMMAND"),
        ("Error:\nThe sys_perf_event_open() syscall returned with 3 (No such process) for event (cycles).\n", TargetError, "ended before", "-- COMMAND"),
        ("event syntax error: 'nosuchevent'\n                     \\___ parser error\n" + USAGE, UsageError, "the event nosuchevent (parser error)", "perf list"),
        (NO_TRACEPOINT + USAGE, UsageError, "the event sched:nosuch (unknown tracepoint)", "perf list"),
        (CLOSED_TRACEPOINT + USAGE, NotAvailableError, "recording tracepoints is not permitted", "perf_event_paranoid=-1 && sudo mount -o remount,mode=755,gid=$(id -g) /sys/kernel/tracing"),
        ("Error:\ncpu-clock: PMU Hardware or event type doesn't support branch stack sampling.\n", NotAvailableError, "LBR", "-g dwarf"),
        ("Error:\nThe instructions event is not supported.\n", NotAvailableError, "The instructions event is not supported.", "cpu-clock"),
        ("Failed to initialize parallel data streaming masks\n" + USAGE, UsageError, "does not accept these CPUs", "-C 0,2-3"),
        ("failed to write perf data, error: No space left on device\n", OutputError, "disk is full", "TMPDIR"),
        (MLOCK, NotAvailableError, "lock memory", "perf_event_mlock_kb"),
        ("sudo: a password is required\n", NotAvailableError, "sudo refuses: a password", "sudo -v"),
        ("no access to cgroup /sys/fs/cgroup/unified/nosuch\n" + USAGE, UsageError, "cgroup", "system.slice"),
        ("WARNING: perf not found for kernel 5.15.0-1\n\n  You may need to install\n", NotAvailableError, "only a stub", "linux-tools"),
        ("Events enabled\nsomething new\n", NotAvailableError, "perf failed: something new", "perf record"),
        ("", NotAvailableError, "it does not say why", "perf record"),
    ],
)  # fmt: skip
def test_translations(message, kind, says, advice):
    error = failure.translate(message, Permissions(2), cpu_wide=False)
    assert type(error) is kind
    assert says in str(error)
    assert advice in error.help_text
    assert "\n" not in str(error) + error.help_text


def test_a_perf_that_does_not_begin_is_no_perf_that_fails():
    assert "within 30 s" in str(failure.late(30.0))


def test_whole_cpus_are_explained_apart():
    assert "whole CPUs" in str(failure.translate(LIMITED, Permissions(2), cpu_wide=True))


def test_what_can_be_tried_again():
    assert failure.is_memory_lock(MLOCK)
    assert failure.is_unknown_option("  Error: unknown option `synth'\n", "synth")
    assert not failure.is_unknown_option(LIMITED, "synth")


def test_a_recording_with_a_gap_is_no_success():
    assert failure.is_incomplete("failed to write perf data, error: No space left on device\n")
    assert not failure.is_incomplete("[ perf record: Captured and wrote 0.001 MB x.data ]\n")


def test_a_rate_that_the_kernel_lowers_is_told():
    message = "warning: Maximum frequency rate (25000 Hz) exceeded, throttling from 99999 Hz to 25000 Hz.\n"
    assert failure.warnings(message) == [
        "the kernel allows 25000 Hz, not 99999 (kernel.perf_event_max_sample_rate)"
    ]
    assert failure.warnings("") == []
