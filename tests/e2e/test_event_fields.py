"""Fields of tracepoints and control groups, recorded now, beside what perf says of the same recording."""

import os
import re
import shutil
import subprocess

import pytest

from kprof import pipeline
from kprof.errors import NotAvailableError
from kprof.system.tracefs import event_folder

EVENTS = [
    "raw_syscalls:sys_enter",
    "syscalls:sys_enter_openat",
    "sched:sched_process_exec",
]
COMMAND = ["sh", "-c", "for i in 1 2 3; do cat /etc/hostname >/dev/null; done"]

pytestmark = pytest.mark.skipif(
    not shutil.which("perf") or os.geteuid() != 0, reason="needs perf and the right to record tracepoints"
)


@pytest.fixture(scope="module", autouse=True)
def _tracefs():
    try:
        event_folder()
    except NotAvailableError as error:
        pytest.skip(str(error))


def perf(*arguments):
    done = subprocess.run(["perf", *arguments], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["file", "pipe", "compressed"])
def recording(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("recorded") / "x.data"
    events = [part for event in EVENTS for part in ("-e", event)]
    packed = ["-z"] if request.param == "compressed" else []
    if request.param == "pipe":
        path.write_bytes(perf("record", "-q", *events, "-o", "-", "--", *COMMAND))
    else:
        perf("record", "-q", *packed, *events, "-o", str(path), "--", *COMMAND)
    return path


def printed(path, event):
    text = perf("script", "-i", str(path), "-F", "tid,time,event,trace", "--ns").decode()
    line = re.compile(rf"^ *(\d+) +(\d+)\.(\d{{9}}): +{event}: (.*)$", re.MULTILINE)
    return sorted(
        (int(s) * 10**9 + int(ns), int(tid), fields.strip()) for tid, s, ns, fields in line.findall(text)
    )


SHOWN = {
    "raw_syscalls:sys_enter": lambda f: f"NR {f['id']} ({', '.join(f'{value:x}' for value in f['args'])})",
    "syscalls:sys_enter_openat": lambda f: ", ".join(
        f"{name}: 0x{f[name]:08x}" for name in ("dfd", "filename", "flags", "mode")
    ),
    "sched:sched_process_exec": lambda f: (
        f"filename={f['filename']} pid={f['field_pid']} old_pid={f['old_pid']}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
def test_fields_are_those_that_perf_prints(recording, event):
    table = pipeline.read_fields(str(recording), event).to_pandas()
    ours = [(row["time_ns"], row["tid"], SHOWN[event](row)) for row in table.to_dict("records")]
    assert sorted(ours) == printed(recording, event)
    assert len(ours) >= 3


def test_control_groups_are_those_that_perf_counts(tmp_path):
    path = tmp_path / "x.data"
    perf(
        "record",
        "-q",
        "-a",
        "--all-cgroups",
        "-e",
        "cpu-clock",
        "-o",
        str(path),
        "--",
        *COMMAND,
    )
    profile = pipeline.read([str(path)])
    ours = profile.to_pandas().groupby("cgroup", observed=True)["count"].sum().to_dict()
    text = perf("report", "-n", "-s", "cgroup", "--stdio", "-i", str(path)).decode()
    theirs = {
        path: int(count) for count, path in re.findall(r"^ +[\d.]+% +(\d+) +(/\S*)", text, re.MULTILINE)
    }
    assert ours == theirs
