"""Events as a person sees them."""

import pytest

from kprof.cli import events_view as view
from kprof.survey.describe import Description, Parameter
from kprof.survey.events import Event, Verdict

YES = Verdict()
OTHERS = {"bpftrace": YES, "bcc": Verdict("no kernel headers")}
SWITCH = Event(
    "sched:sched_switch", "tracepoint", "prev_comm, prev_pid", {"perf": YES, "libbpf": YES, **OTHERS}
)
READ = Event(
    "kprobe:vfs_read", "kernel function", "ssize_t vfs_read(void)",
    {"perf": Verdict("bpf only"), "libbpf": Verdict("ambiguous: 2 functions have this very name"), **OTHERS},
)  # fmt: skip


def test_columns_of_a_file_are_whole():
    head, switch, read = view.list_text([SWITCH, READ]).splitlines()
    assert head.split()[:4] == ["name", "kind", "perf", "libbpf"]
    assert head.split()[4:6] == ["bpftrace", "bcc"]
    assert "no: ambiguous: 2 functions have this very name  yes       no: no kernel headers" in read
    assert switch.index("prev_comm") == read.index("ssize_t") == head.index("what it is")
    assert "\x1b" not in head + switch + read


def test_a_terminal_has_colours_and_cuts(monkeypatch):
    monkeypatch.setattr(view, "_is_terminal", lambda: True)
    monkeypatch.setattr(view, "_width", lambda: 60)
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = view.list_text([SWITCH, READ])
    assert "\x1b[32myes" in text
    assert "\x1b[31mno: bpf only" in text
    assert "no: ambiguous: 2 functions …" in text
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in view.list_text([SWITCH, READ])


def test_how_many():
    assert view.count([SWITCH, READ]) == (
        "2 events; reached are 1 with perf, 1 with libbpf, 2 with bpftrace, 0 with bcc"
    )


def test_names_that_would_steer_the_terminal_do_not():
    evil = Event("uprobe:/tmp/\x1b[2J:f", "function", "f\x07", SWITCH.reach)
    assert not {"\x1b", "\x07"} & set(view.list_text([evil]))


def test_one_event():
    parameters = [Parameter("prev_comm", "char [16]", 16, 8), Parameter("prev_pid", "pid_t", 4, 24)]
    text = view.description_text(Description(SWITCH, parameters, "", "kprof record -e x -a", ["mind this"]))
    lines = text.splitlines()
    assert "  name       type       offset  size" in lines
    assert "  prev_pid   pid_t          24     4" in lines
    assert lines[-1] == "! mind this"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("uprobe:/bin/a b:f", ["/bin/a b"]),
        ("uretprobe:/bin/a:f", ["/bin/a"]),
        ("usdt:/bin/a:python:line", ["/bin/a"]),
        ("kprobe:f", []),
        ("f", []),
    ],
)
def test_the_file_in_a_name(name, files):
    assert view.binary_in(name) == files
