"""`kprof heatmap` on the recording of a program that works 100 ms of every second."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
PULSE = SAMPLES / "pulse.perf-script.txt.gz"
SAMPLED = 748  # as the manifest says


def kprof(*args, code=0, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "kprof", *map(str, args)], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.mark.parametrize("source", [PULSE, SAMPLES / "pulse.perf.data.gz"])
def test_the_pulse_is_a_stripe_of_the_matrix(source):
    found = json.loads(kprof("heatmap", source, "--json", "--rows", 10, "-q").stdout)
    assert (found["event"], found["unit"], found["rows"], found["seconds"]) == ("cpu-clock", "ns", 10, 8)
    for second in found["samples"]:
        assert max(second) == max(second[2:4])
        assert sum(second[2:4]) > sum(second[4:])
    assert sum(map(sum, found["samples"])) == SAMPLED


def test_seconds_keep_their_numbers_when_a_part_is_kept():
    found = json.loads(kprof("heatmap", PULSE, "--json", "--start", "-3", "--focus", "burst", "-q").stdout)
    assert found["first_second"] == 5
    drawn = kprof("heatmap", PULSE, "--text", "--rows", 10, "--start", "2", "--end", "4").stdout.splitlines()
    assert len(drawn) == 11
    assert drawn[-4].startswith(" 200 ms ┤")
    assert drawn[-1].split() == ["2", "s"]


def test_a_page_is_written_by_default(tmp_path):
    done = kprof("heatmap", PULSE, cwd=tmp_path)
    page = (tmp_path / "pulse.perf-script.heatmap.html").read_text()
    assert "wrote pulse.perf-script.heatmap.html" in done.stderr
    assert '"timesFirst":true' in page


def test_a_source_without_times_says_which_have_them(tmp_path):
    kprof("fold", PULSE, "-o", tmp_path / "out.folded")
    for command in (
        ["heatmap", "out.folded"],
        ["fold", "out.folded", "--start", "1"],
        ["flame", "out.folded", "--end", "-1"],
        ["report", "out.folded", "--start", "10%"],
        ["convert", "out.folded", "out.pb.gz", "--start", "1"],
        ["diff", "out.folded", "out.folded", "--start", "1"],
        ["compare", "out.folded", "out.folded", "--start", "1"],
    ):
        done = kprof(*command, code=2, cwd=tmp_path)
        assert "out.folded: its samples have no times; perf.data and perf script" in done.stderr
        assert "--timestamps" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.folded"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--json", "--text"], "exclude each other"),
        (["-o", "out.svg"], "end its name in .html"),
        (["--start", "soon"], "is no time"),
        (["--start", "5", "--end", "4"], "is not behind --start"),
    ],
)
def test_what_makes_no_sense_is_refused(args, says):
    assert says in kprof("heatmap", PULSE, *args, code=2).stderr
