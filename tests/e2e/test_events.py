"""kprof events on this host: what it says is reached can be attached, and nothing else."""

import json
import os
import random
import subprocess
import sys

import pytest

from kprof.errors import KprofError
from kprof.recorders.bpf.attempt import attempt as try_bpf
from kprof.recorders.perf.attempt import attempt as try_perf
from kprof.survey.binaries import own_libc
from kprof.survey.catalog import Catalog
from kprof.wire.bpf_events import MAX_EVENTS

KPROF = [sys.executable, "-m", "kprof", "events"]
DRAWN = {"tracepoint": 40, "syscall": 15, "kernel function": 60, "function": 60, "raw tracepoint": 20}
# Of each kind, and each reason.
OTHERS = 1
root = pytest.mark.skipif(os.geteuid() != 0, reason="programs are loaded as root")


def events(*arguments):
    done = subprocess.run([*KPROF, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def works(attempt, name):
    try:
        attempt(name)
    except KprofError:
        return False
    return True


@pytest.fixture(scope="module")
def drawn():
    """Some of each kind: few kinds are many, so they are drawn from each by itself."""
    kinds = {}
    for event in Catalog([own_libc()]).matching(""):
        kinds.setdefault(event.kind, []).append(event)
    chance = random.Random(5)  # noqa: S311 - the same events each time
    return [
        event
        for kind, members in kinds.items()
        for event in chance.sample(members, min(DRAWN.get(kind, len(members)), len(members)))
    ]


@root
@pytest.mark.slow
def test_libbpf_reaches_what_it_is_said_to_reach(drawn):
    assert len(drawn) >= 200
    wrong = [
        (event.name, event.reach["libbpf"].reason)
        for event in drawn
        if works(try_bpf, event.name) != event.reach["libbpf"].reached
    ]
    assert not wrong


@root
@pytest.mark.slow
def test_perf_reaches_what_it_is_said_to_reach(drawn):
    listed = [event for event in drawn if event.kind not in {"kernel function", "function", "tool event"}]
    wrong = [
        (event.name, event.reach["perf"].reason)
        for event in listed
        if works(try_perf, event.name) != event.reach["perf"].reached
    ]
    assert not wrong


@root
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["bpftrace", "bcc"])
def test_other_engines_reach_what_they_are_said_to_reach(drawn, engine):
    """Those that are reached are attached sixteen at once, for each start takes a second; of the others, some."""
    reached = [event.name for event in drawn if event.reach[engine].reached]
    assert len(reached) >= 100
    batches = [reached[i : i + MAX_EVENTS] for i in range(0, len(reached), MAX_EVENTS)]
    failed = [batch for batch in batches if not works(lambda names: try_bpf(names, engine), ",".join(batch))]
    wrong = [
        name for batch in failed for name in batch if not works(lambda name: try_bpf(name, engine), name)
    ]
    assert not wrong
    others = {}
    for event in drawn:
        if not event.reach[engine].reached:
            others.setdefault((event.kind, event.reach[engine].reason), []).append(event.name)
    for names in others.values():
        for name in names[:OTHERS]:
            assert not works(lambda name: try_bpf(name, engine), name), name


@root
def test_events_by_a_pattern():
    done = events("execve*", "--json")
    assert done.returncode == 0
    found = {event["name"]: event for event in json.loads(done.stdout)}
    assert found["syscalls:sys_enter_execve"]["what"] == "execve(filename, argv, envp) begins"
    assert any(name.startswith("fentry:") for name in found)
    assert "events; reached are" in done.stderr
    assert events("-q", "execve*").stdout.splitlines()[0].split()[:4] == ["name", "kind", "perf", "libbpf"]


@root
def test_the_fields_of_a_tracepoint():
    found = json.loads(events("show", "sched:sched_switch", "--json").stdout)
    fields = {field["name"]: field for field in found["parameters"]}
    assert fields["prev_comm"] == {
        "name": "prev_comm",
        "type": "char [16]",
        "size": 16,
        "offset": 8,
        "place": "",
    }
    assert found["example"] == "kprof record -e sched:sched_switch -a -d 10"


@root
def test_a_kernel_function_is_no_interface():
    done = events("show", "vfs_read")
    assert "struct file *" in done.stdout
    assert "no stable interface" in done.stdout


def test_a_function_of_a_binary():
    done = events("show", f"uprobe:{own_libc()}:malloc", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kind"] == "function"
    assert any("uretprobe:" in note for note in found["notes"])


@pytest.mark.parametrize(
    "arguments", [("show",), ("show", "a", "b"), ("a", "b"), ("no-such-event-at-all",), ("show", "no:such")]
)
def test_what_makes_no_sense_ends_in_one_line(arguments):
    done = events(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
