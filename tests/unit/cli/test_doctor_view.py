"""A diagnosis as a person sees it."""

import json

from kprof.cli.doctor_view import to_json, to_text
from kprof.survey.doctor import Diagnosis
from kprof.survey.findings import Engine, Finding, State

FOUND = Finding(
    "tools", "perf", "not installed", State.MISSING, "no perf backend", "apt-get install linux-perf"
)
PERF = Engine(
    "perf", "perf", "samples", "perf", works=False, proof="not installed", mend="apt-get install linux-perf"
)
BPFTRACE = Engine("bpf", "bpftrace", "programs", "root", works=True, proof="ran", in_use=False)


def test_what_mends_stands_below_what_is_broken():
    lines = to_text(Diagnosis([FOUND], [PERF, BPFTRACE])).splitlines()
    at = next(i for i, line in enumerate(lines) if "✗" in line)
    assert "not installed" in lines[at]
    assert lines[at + 1].strip() == "no perf backend"
    assert lines[at + 2].strip() == "→ apt-get install linux-perf"
    assert lines[-1] == "Nothing records here; the lines with → say what mends that."


def test_what_works_is_named():
    works = Engine("bpf", "libbpf", "counting", "root", works=True, proof="loaded")
    assert to_text(Diagnosis([], [PERF, works])).endswith("kprof record works here, with libbpf.\n")


def test_json_says_the_same():
    found = json.loads(to_json(Diagnosis([FOUND], [PERF])))
    assert found["can_record"] is False
    assert found["findings"][0]["state"] == "missing"
    assert found["engines"][0]["mend"] == "apt-get install linux-perf"
