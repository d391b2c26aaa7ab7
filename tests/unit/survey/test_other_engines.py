"""Verdicts of bpftrace and BCC: the kernel's reasons are all engines', and each has its own."""

import pytest

from kprof.errors import NotAvailableError
from kprof.survey.events import Verdict
from kprof.survey.other_engines import OtherEngines

YES = Verdict()


def all_work(event, engine):
    return None


def verdicts(name, kind, libbpf=YES, try_bpf=all_work, **how):
    found = OtherEngines(try_bpf).verdicts(name, kind, libbpf, **how)
    return [verdict.reason for verdict in found.values()]


@pytest.mark.parametrize(
    ("name", "kind", "reasons"),
    [
        ("sched:sched_switch", "tracepoint", ["", ""]),
        ("off-cpu", "recipe", ["", ""]),
        ("cycles", "hardware event", ["", ""]),
        ("cache-misses", "hardware event", ["not at a rate", ""]),
        ("raw_tp:sched_switch", "raw tracepoint", ["tracepoints only", ""]),
        ("fentry:vfs_read", "kernel function", ["", "kprobe only"]),
        ("kprobe:vfs_read", "kernel function", ["", ""]),
    ],
)
def test_limits_of_each(name, kind, reasons):
    assert verdicts(name, kind) == reasons


def test_what_the_kernel_refuses_it_refuses_to_all():
    assert verdicts("kprobe:f", "kernel function", Verdict("notrace")) == ["notrace"] * 2


def test_probes_that_count_their_tracers():
    assert verdicts("usdt:/x:a:b", "usdt probe", counts_tracers=True) == ["", "does not count its tracers"]


def test_without_libbpf_hooks_are_tried():
    def no_kprobes(event, engine):
        if event.startswith("kprobe"):
            raise NotAvailableError("BCC: the kernel refuses the kprobe")

    for reason in ("no libbpf", "no BTF"):
        found = verdicts("kprobe:f", "kernel function", Verdict(reason), no_kprobes)
        assert found == ["BCC: the kernel refuses the kprobe"] * 2
        assert verdicts("sched:sched_switch", "tracepoint", Verdict(reason)) == ["", ""]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("bpftrace is not installed", "not installed"),
        ("BCC compiles against headers of the kernel, and there are none for 6.1", "no kernel headers"),
        ("bpftrace: it needs root [ERROR: ...]", "needs root"),
    ],
)
def test_an_engine_that_loads_nothing(said, reason):
    tried = []

    def refuse(event, engine):
        tried.append(engine)
        raise NotAvailableError(said)

    engines = OtherEngines(refuse)
    for name in ("a:b", "c:d"):
        assert [v.reason for v in engines.verdicts(name, "tracepoint", YES).values()] == [reason] * 2
    assert sorted(tried) == ["bcc", "bpftrace"]
