"""What makes sense to record."""

import os
from pathlib import Path

import pytest

from kprof.errors import TargetError, UsageError
from kprof.recorders.request import RecordRequest

ME = os.getpid()
NAME = Path(f"/proc/{ME}/comm").read_text().strip()


@pytest.mark.parametrize(
    ("request_", "title"),
    [
        ({"pids": (ME,)}, f"{NAME} (pid {ME})"),
        ({"tids": (ME, 4_194_304)}, f"{NAME} (tid {ME}), tid 4194304"),
        ({"all_cpus": True}, "all CPUs"),
        ({"cpus": "0-3"}, "CPUs 0-3"),
        ({"cgroup": "web"}, "cgroup web"),
        ({"command": ("sh", "-c", "a\n  b")}, "sh -c a b"),
    ],
)
def test_titles_are_one_line(request_, title):
    assert RecordRequest(**request_).title == title


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({}, UsageError),
        ({"pids": (ME,), "all_cpus": True}, UsageError),
        ({"pids": (ME,), "command": ("true",)}, UsageError),
        ({"all_cpus": True, "frequency": 0}, UsageError),
        ({"all_cpus": True, "frequency": 100_001}, UsageError),
        ({"all_cpus": True, "duration": -1}, UsageError),
        ({"all_cpus": True, "call_graph": "magic"}, UsageError),
        ({"pids": (ME, 4_194_304)}, TargetError),
        ({"tids": (4_194_304,)}, TargetError),
        ({"command": ("no-such-command",)}, TargetError),
        ({"cgroup": "no/such/group"}, TargetError),
    ],
)
def test_what_is_refused(request_, kind):
    with pytest.raises(kind) as caught:
        RecordRequest(**request_).check()
    assert caught.value.help_text


@pytest.mark.parametrize(
    "request_", [{"pids": (ME,)}, {"all_cpus": True, "cpus": "0"}, {"command": ("sh",), "duration": 0.1}]
)
def test_what_is_accepted(request_):
    RecordRequest(**request_).check()
