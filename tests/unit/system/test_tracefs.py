"""Numbers of tracepoints."""

import os

import pytest

from kprof.errors import NotAvailableError, UsageError
from kprof.system import tracefs
from kprof.system.process import Result


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "sys/kernel/tracing/events/sched/sched_switch"
    folder.mkdir(parents=True)
    (folder / "id").write_text("317\n")
    return str(tmp_path)


def test_a_number(root):
    assert tracefs.tracepoint_number("sched:sched_switch", root) == 317
    assert tracefs.has_tracepoint("sched:sched_switch", root)


def test_one_that_is_not_there(root):
    with pytest.raises(UsageError, match="no tracepoint sched:nothing"):
        tracefs.tracepoint_number("sched:nothing", root)
    assert not tracefs.has_tracepoint("sched:nothing", root)


def test_root_mounts_what_is_not_mounted(tmp_path, monkeypatch):
    first = tmp_path / "sys/kernel/tracing"
    first.mkdir(parents=True)

    def mount(command):
        folder = first / "events/a/b"
        folder.mkdir(parents=True)
        (folder / "id").write_text("5")
        assert command[:3] == ["mount", "-t", "tracefs"]
        return Result(0, "", "")

    monkeypatch.setattr(tracefs, "run", mount)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tracefs.tracepoint_number("a:b", str(tmp_path)) == 5


def test_others_are_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotAvailableError, match="tracefs is not mounted") as caught:
        tracefs.tracepoint_number("a:b", str(tmp_path))
    assert "mount -t tracefs" in caught.value.help_text


def test_without_tracefs_the_kernels_types_tell_which_tracepoints_there_are(tmp_path):
    types = tmp_path / "sys/kernel/btf"
    types.mkdir(parents=True)
    assert not tracefs.has_tracepoint("lock:contention_begin", str(tmp_path))
    (types / "vmlinux").write_bytes(b"\0int\0btf_trace_contention_begin\0char\0")
    assert tracefs.has_tracepoint("lock:contention_begin", str(tmp_path))
    assert not tracefs.has_tracepoint("lock:contention", str(tmp_path))
