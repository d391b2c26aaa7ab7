"""What records at once, and what it costs."""

from dataclasses import replace

import pytest

from kprof.errors import UsageError
from kprof.pipeline.contenders import parse_contenders
from kprof.pipeline.costs import Cost, middle
from kprof.recorders import RecordRequest


def test_names_and_engines():
    found = parse_contenders("perf, perf,libbpf,bpf")
    assert [(one.name, one.backend, one.engine) for one in found] == [
        ("perf", "perf", ""), ("perf 2", "perf", ""), ("libbpf", "bpf", "libbpf"), ("bpf", "bpf", ""),
    ]  # fmt: skip
    for text, problem in (("perf", "not two"), ("perf,dtrace", "dtrace is not known"), ("", "not two")):
        with pytest.raises(UsageError, match=problem):
            parse_contenders(text)


def test_each_records_what_it_can():
    perf, bpf = parse_contenders("perf,bpftrace")
    request = RecordRequest(all_cpus=True, events=["on-cpu,off-cpu", "sched:sched_switch"])
    assert perf.request(request).events == ["on-cpu", "sched:sched_switch"]
    assert bpf.request(request).events == ["on-cpu", "off-cpu", "sched:sched_switch"]
    assert bpf.request(request).engine == "bpftrace"
    with pytest.raises(UsageError, match="perf cannot record off-cpu"):
        perf.request(RecordRequest(all_cpus=True, events=["off-cpu"]))
    assert not perf.request(RecordRequest(all_cpus=True)).events


def test_costs_of_rounds_are_medians_and_what_is_not_known_stays_so():
    one = Cost(1.0, 2.0, 3, 1000, None, 5, 0, 10, 0.1, 0.2)
    found = middle([one, replace(one, user=5.0, moved=None), replace(one, user=2.0)])
    assert (found.user, found.system, found.moved, found.asked) == (2.0, 2.0, None, None)
    assert found.rows()["samples asked for"] == "not known"
