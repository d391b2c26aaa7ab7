"""`kprof compare`, as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
DATA = SAMPLES / "kernel-io.perf.data.gz"
TEXT = SAMPLES / "kernel-io.perf-script.txt.gz"
CAN_BPF = os.geteuid() == 0 and Path("/sys/kernel/btf/vmlinux").exists()


def kprof(*args):
    return subprocess.run(
        [sys.executable, "-m", "kprof", "compare", *map(str, args)],
        capture_output=True,
        check=False,
        text=True,
    )


def test_two_readings_of_one_recording(tmp_path):
    page = tmp_path / "out.html"
    done = kprof(DATA, TEXT, "-o", page)
    assert done.returncode == 0, done.stderr
    assert "overlap of stacks" in done.stdout
    assert "no symbol on one side" in done.stdout
    assert 'id="kf-second-columns"' in page.read_text()


def test_json_and_markdown():
    found = json.loads(kprof(DATA, TEXT, "--json").stdout)
    agreement = found["agreement"]
    assert agreement["stacks"] > 0.95
    assert agreement["stacks"] + agreement["distance"] == pytest.approx(1)
    assert agreement["chance"]["low"] <= agreement["distance"] <= agreement["chance"]["high"]
    assert found["causes"]["no symbol on one side"] > 0.01
    assert "| `[smallio]` | `smallio` |" in kprof(DATA, TEXT, "--markdown").stdout


def test_folded_text_and_a_recording(tmp_path):
    folded = tmp_path / "a.folded"
    subprocess.run([sys.executable, "-m", "kprof", "fold", DATA, "-o", folded, "-q"], check=True)
    found = json.loads(kprof(folded, DATA, "--json").stdout)
    assert found["agreement"]["stacks"] == pytest.approx(1)
    assert found["agreement"]["chance"] is None


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "not one pair"),
        ([DATA], "not one pair"),
        ([DATA, TEXT, "-p", 1], "not one pair"),
        (["-", "-"], "standard input can be read once"),
        ([DATA, TEXT, "-o", "x.pdf"], "cannot write a page"),
        ([DATA, "missing"], "cannot read missing"),
        (["-p", 4194304], "there is no process"),
        (["-p", os.getpid(), "-d", 0], "not a duration"),
    ],
)
def test_mistakes_end_in_one_line(args, message):
    done = kprof(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(not CAN_BPF, reason="BPF programs take root and a kernel that tells its types")
def test_both_backends_at_once():
    busy = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    try:
        done = kprof("-p", busy.pid, "-d", 2, "--json")
    finally:
        busy.kill()
        busy.wait()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["names"] == ["perf", "bpf"]
    assert found["agreement"]["functions"] > 0.5
    for cost in found["costs"]:
        taken, asked = (int(cost[name].replace(",", "")) for name in ("samples taken", "samples asked for"))
        assert taken > 0
        assert 0.5 < taken / asked < 2
