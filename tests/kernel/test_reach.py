"""kprof events and kprof doctor on Debian's 6.1 kernel, where kprobes and fentry work."""

import importlib.util
import platform
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the emulated machine is an x86-64"),
]


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("machine", HERE / "machine.py")
    machine = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(machine)
    return machine.run_in_guest(HERE / "guest_reach.py", tmp_path_factory.mktemp("reach"), seconds=1400)


@pytest.mark.parametrize(("kind", "tried"), [("kprobe", 150), ("fentry", 30), ("tracepoint", 10)])
def test_what_is_said_to_be_reached_can_be_attached_and_nothing_else(found, kind, tried):
    assert found[kind]["tried"] >= tried
    assert found[kind]["reached"]
    assert not found[kind]["wrong"]


def test_doctor_sees_every_kind_of_hook_work(found):
    assert found["doctor"]["code"] == 0, found["doctor"]["err"]
    engines = {engine["name"]: engine for engine in found["doctor"]["found"]["engines"]}
    assert engines["perf"]["works"]
    assert engines["libbpf"]["proof"].endswith(
        "samples, tracepoints, raw tracepoints, kprobe, fentry, uprobe"
    )
