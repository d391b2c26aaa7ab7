"""kprof events and kprof doctor on Debian's 6.1 kernel, where kprobes and fentry work."""

import platform

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the emulated machine is an x86-64"),
]


@pytest.fixture(scope="session")
def found(machines):
    return machines["guest_reach"].result()


@pytest.mark.parametrize(("kind", "tried"), [("kprobe", 100), ("fentry", 20), ("tracepoint", 10)])
def test_what_is_said_to_be_reached_can_be_attached_and_nothing_else(found, kind, tried):
    assert found[kind]["tried"] >= tried
    assert found[kind]["reached"]
    assert not found[kind]["wrong"]


def test_bcc_attaches_to_what_is_said_to_be_reached_and_to_nothing_else(found):
    assert found["bcc"]["tried"] >= 100
    assert found["bcc"]["reached"]
    assert not found["bcc"]["wrong"]


def test_bpftrace_attaches_to_what_is_said_to_be_reached(found):
    assert found["bpftrace"]["tried"] >= 20
    assert not found["bpftrace"]["why"]
    assert found["bpftrace"]["refused"]


@pytest.mark.parametrize("engine", ["bpftrace", "bcc"])
def test_other_engines_count_every_call_of_a_function_of_the_kernel(found, engine):
    run = found[f"{engine} records"]
    assert run["code"] == 7, run["err"]
    assert (
        sum(int(line.rpartition(" ")[2]) for line in run["folded"] if line.startswith("dd;read;")) == 30_000
    )


def test_doctor_sees_every_kind_of_hook_work(found):
    assert found["doctor"]["code"] == 0, found["doctor"]["err"]
    engines = {engine["name"]: engine for engine in found["doctor"]["found"]["engines"]}
    assert engines["perf"]["works"]
    assert engines["bpftrace"]["works"], engines["bpftrace"]
    assert engines["bcc"]["works"], engines["bcc"]
    assert engines["libbpf"]["proof"].endswith(
        "samples, tracepoints, raw tracepoints, kprobe, fentry, uprobe"
    )
