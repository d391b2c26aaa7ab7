"""Which events perf is given, at which rate, and what a user is told."""

import pytest

from kprof.errors import NotAvailableError
from kprof.recorders.perf.events import is_tracepoint, plan_events
from kprof.recorders.request import RecordRequest
from kprof.system.permissions import Permissions

ROOT = Permissions(2, capabilities=frozenset({"CAP_SYS_ADMIN", "CAP_SYSLOG"}))


def plan(*events, permissions=ROOT, hardware=True, **request):
    request = request or {"pids": (1,)}
    return plan_events(RecordRequest(events=events, **request), permissions, hardware=hardware)


def test_the_default_is_cycles():
    found = plan()
    assert found.arguments == ["-e", "cycles", "-F", "997"]
    assert not found.notes


@pytest.mark.parametrize("events", [(), ("cycles",), ("on-cpu",)])
def test_no_counters_mean_cpu_clock_and_a_word_about_it(events):
    found = plan(*events, hardware=False)
    assert found.first == "cpu-clock"
    assert "cpu-clock" in found.facts["fallback"]
    assert any("no hardware counters" in note for note in found.notes)


@pytest.mark.parametrize(
    ("request_", "rate"),
    [
        ({"pids": (1,)}, 997),
        ({"tids": (1,)}, 997),
        ({"command": ("true",)}, 997),
        ({"all_cpus": True}, 99),
        ({"cpus": "0"}, 99),
        ({"cgroup": "x"}, 99),
        ({"all_cpus": True, "frequency": 4999}, 4999),
    ],
)
def test_rates(request_, rate):
    found = plan(**request_)
    assert found.frequency == rate
    assert found.facts["frequency"] == f"{rate} Hz"


def test_tracepoints_are_all_recorded():
    found = plan("sched:sched_switch")
    assert found.arguments == ["-e", "sched:sched_switch"]
    assert found.frequency is None


def test_unless_a_rate_is_asked_for():
    assert "-F" in plan("sched:sched_switch", pids=(1,), frequency=50).arguments


def test_a_rate_beside_tracepoints_is_written_into_the_event():
    found = plan("cpu-clock", "sched:sched_switch")
    assert "-F" not in found.arguments
    assert any(argument.startswith("cpu-clock/freq=997") for argument in found.arguments)
    assert "sched:sched_switch" in found.arguments
    assert found.first == "cpu-clock"
    # A colon cannot stand in a name that is given to perf; what it will print is what is looked for.
    assert plan("cpu-clock:u", "sched:sched_switch").first == "cpu-clock-u"


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        (("cycles,instructions",), ["cycles", "instructions"]),
        (("cpu/event=0x3c,umask=0/,cycles",), ["cpu/event=0x3c,umask=0/", "cycles"]),
        (("{cycles,instructions}",), ["{cycles,instructions}"]),
    ],
)
def test_commas(given, arguments):
    assert [a for a in plan(*given).arguments if a not in {"-e", "-F", "997"}] == arguments


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("sched:sched_switch", True),
        ("syscalls:sys_enter_*", True),
        ("cycles:u", False),
        ("cycles:ppp", False),
        ("cpu-clock", False),
        ("cpu/event=0x3c/", False),
        ("page-faults:k", False),
    ],
)
def test_tracepoints_by_name(event, expected):
    assert is_tracepoint(event) is expected


@pytest.mark.parametrize(
    ("event", "user"),
    [
        ("cycles", "cycles:u"),
        ("cycles:pp", "cycles:upp"),
        ("page-faults:u", "page-faults:u"),
        ("cpu/event=0x3c/", "cpu/event=0x3c/u"),
    ],
)
def test_user_code_only_and_it_is_said(event, user):
    found = plan(event, permissions=Permissions(2))
    assert user in found.arguments
    assert found.first == user
    assert "user code only" in found.facts["scope"]
    assert any("perf_event_paranoid is 2" in note and "paranoid=1" in note for note in found.notes)


def test_elevated_nothing_is_cut():
    found = plan("cycles", permissions=Permissions(4), all_cpus=True, elevate=("sudo",))
    assert "cycles" in found.arguments
    assert not found.notes


@pytest.mark.parametrize(
    ("event", "request_", "says"),
    [
        ("cycles", {"all_cpus": True}, "sampling whole CPUs"),
        ("sched:sched_switch", {"pids": (1,)}, "recording tracepoints"),
    ],
)
def test_what_is_not_permitted(event, request_, says):
    with pytest.raises(NotAvailableError, match=says):
        plan(event, permissions=Permissions(2), **request_)


@pytest.mark.parametrize("event", ["off-cpu", "kprobe:vfs_read", "malloc"])
def test_what_needs_another_backend(event):
    with pytest.raises(NotAvailableError, match="bpf backend"):
        plan(event)


def test_hidden_kernel_names_are_announced():
    found = plan(permissions=Permissions(-1, 1))
    assert any("kptr_restrict is 1" in note for note in found.notes)
