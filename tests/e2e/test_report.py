"""`kprof report`, as a user runs it."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
DATA = str(SAMPLES / "kernel-io.perf.data.gz")
TEXT = str(SAMPLES / "kernel-io.perf-script.txt.gz")


def kprof(*args, check=True, **options):
    done = subprocess.run(
        [sys.executable, "-m", "kprof", *map(str, args)], capture_output=True, check=False, **options
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


def test_json_csv_and_markdown_say_the_same():
    found = json.loads(kprof("report", TEXT, "-n", 5, "--json").stdout)
    assert (found["event"], found["unit"], found["total"], found["samples"]) == (
        "cpu-clock", "ns", 884653938, 882,
    )  # fmt: skip
    assert found["rows"][0]["self_share"] == found["rows"][0]["self"] / found["total"]
    rows = list(csv.DictReader(io.StringIO(kprof("report", TEXT, "-n", 5, "--csv").stdout.decode())))
    assert [row["function"] for row in rows] == [row["function"] for row in found["rows"]]
    assert [int(row["self"]) for row in rows] == [row["self"] for row in found["rows"]]
    markdown = kprof("report", TEXT, "-n", 5, "--markdown").stdout.decode()
    assert re.findall(r"^\| `(.*?)`", markdown, re.MULTILINE) == [row["function"] for row in found["rows"]]


def test_threads_add_up_to_the_whole():
    found = json.loads(kprof("report", TEXT, "-g", "comm", "--json").stdout)
    assert {row["comm"]: row["total"] for row in found["rows"]} == {
        "smallio": 795386137, "dd": 79237711, "rm": 10030090,
    }  # fmt: skip


@pytest.mark.parametrize("by", ["cpu", "time", "tid", "pid", "module", "kind"])
def test_every_group(by):
    found = json.loads(kprof("report", TEXT, "-g", by, "-n", 0, "--json").stdout)
    totals = [row["total"] for row in found["rows"]]
    assert totals
    assert by in {"module", "kind"} or sum(totals) == found["total"]


def test_callers_bring_what_the_function_weighs():
    found = json.loads(kprof("report", TEXT, "--function", "vfs_write", "--json").stdout)
    assert found["function"][0]["total"] == 424272807
    assert sum(row["total"] for row in found["callers"]) == 424272807


def test_text_is_for_people_and_has_no_escapes_in_a_pipe():
    text = kprof("report", TEXT, "-n", 3).stdout.decode()
    assert "\x1b" not in text
    assert text.startswith("cpu-clock: 884.65 ms\n882 samples read")
    assert "12.2%  ██████████" in text
    assert text.splitlines()[-1].endswith(" more; -n 0 shows all")
    tree = kprof("report", TEXT, "--tree", "--min-percent", 30).stdout.decode()
    assert "├─ __libc_start_call_main" in tree or "__libc_start_call_main" in tree


def test_a_terminal_gets_its_width_and_colours():
    leader, follower = pty.openpty()
    env = {**os.environ, "COLUMNS": "70", "TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    done = subprocess.Popen(
        [sys.executable, "-m", "kprof", "report", DATA, "-n", "4"], stdout=follower, stderr=follower, env=env
    )
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 1 << 16):
            shown += part
    except OSError:
        pass  # the other end is closed
    assert done.wait() == 0
    text = shown.decode()
    assert "\x1b[1;31m" in text
    assert max(len(line.rstrip()) for line in re.sub(r"\x1b\[[\d;]*[mK]", "", text).splitlines()) <= 70


def test_hostile_names_cannot_steer_the_terminal():
    text = kprof("report", "-", input=b"main;\x1b[31mred\x07 3\nmain;a|`b` 4\n").stdout
    assert b"\x1b" not in text
    assert b"\x07" not in text
    markdown = kprof("report", "-", "--markdown", input=b"main;a|`b` 4\n").stdout.decode()
    assert r"`a\|'b'`" in markdown


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--json", "--csv"], "--json and --csv exclude each other"),
        (["--tree", "--function", "x"], "--tree and --function exclude each other"),
        (["--function", "nowhere_at_all"], "no function is called nowhere_at_all"),
        (["--filter", "("], "is not a regular expression"),
        (["-g", "comm", "--sort", "self"], "these rows have no self to sort by"),
        (["-g", "cgroup"], "this profile has no cgroup to group by"),
        (["-o", TEXT], "would be overwritten"),
    ],
)
def test_what_makes_no_sense_ends_in_one_line(args, says):
    done = kprof("report", TEXT, *args, check=False)
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert says in done.stderr.decode()


def test_a_report_goes_to_a_file(tmp_path):
    kprof("report", TEXT, "-o", tmp_path / "out.txt", "--filter", "^vfs_", "--sort", "name")
    lines = (tmp_path / "out.txt").read_text().splitlines()
    names = [line.split()[-2] for line in lines[4:]]
    assert names == sorted(names)
    assert all(name.startswith("vfs_") for name in names)
