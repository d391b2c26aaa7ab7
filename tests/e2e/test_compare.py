"""`kprof compare`, as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
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
    # How much of the kernel has a name depends on the kernel that runs now.
    assert agreement["stacks"] + agreement["distance"] == pytest.approx(1)
    assert agreement["chance"]["low"] <= agreement["distance"] <= agreement["chance"]["high"]
    assert found["causes"]["no symbol on one side"] > 0.01
    assert "| `[smallio]` | `smallio` |" in kprof(DATA, TEXT, "--markdown", "-n", 0).stdout


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


needs_both = pytest.mark.skipif(
    not CAN_BPF, reason="BPF programs take root and a kernel that tells its types"
)
SPIN = ("sh", "-c", "while :; do :; done")
# Some tenths of a second of CPU time, and as much of waiting.
WORK = ("sh", "-c", "for s in 1 2 3; do i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 0.1; done")


@pytest.fixture
def busy():
    process = subprocess.Popen(SPIN)
    yield process.pid
    process.kill()
    process.wait()


@pytest.mark.slow
@needs_both
def test_both_backends_at_once(busy):
    done = kprof("-p", busy, "-d", 2, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["names"] == ["perf", "bpf"]
    assert found["agreement"]["functions"] > 0.5
    assert found["noise"] is None
    perf, bpf = found["costs"]
    for cost in (perf, bpf):
        assert cost["taken"] > 0
        assert 0.5 < cost["taken"] / cost["asked"] < 2
        assert cost["waits"] > 0
        assert cost["moved"] > 0
    # They sampled the same time.
    assert 0.6 < perf["taken"] / bpf["taken"] < 1.6


@pytest.mark.slow
@needs_both
@pytest.mark.skipif(not shutil.which("bpftrace"), reason="bpftrace is not installed")
def test_three_recorders_at_once(busy):
    done = kprof("-p", busy, "-d", 2, "--engines", "perf,libbpf,bpftrace", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["names"] == ["perf", "libbpf", "bpftrace"]
    assert len(found["noise"]["apart"]) == 3
    assert all(side["samples"] > 0 for side in found["sides"])
    assert all(cost["moved"] > 0 for cost in found["costs"])


@pytest.mark.slow
@needs_both
def test_rounds_tell_what_is_noise(busy):
    done = kprof("-p", busy, "-d", 1, "--runs", 3, "--json", "--engines", "perf,libbpf")
    found = json.loads(done.stdout)
    pairs = {(one["first"], one["second"], one["at_once"]): one["pairs"] for one in found["noise"]["apart"]}
    assert pairs == {(0, 0, False): 3, (0, 1, True): 3, (0, 1, False): 6, (1, 1, False): 3}
    # Three rounds cannot tell whether the two differ.
    assert found["noise"]["excess"] == []


@pytest.mark.slow
@needs_both
def test_a_command_is_started_once_and_off_cpu_is_no_difference():
    done = kprof("-e", "on-cpu", "-e", "off-cpu", "--json", "--", *WORK)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [side["event"].partition(":")[0] for side in found["sides"]] in (["cpu-clock"] * 2, ["cycles"] * 2)
    events = [one for one in found["one_sided"] if one["what"] == "event off-cpu"]
    assert [one["sides"] for one in events] == [[1]]
    assert events[0]["weight"] > 200e6


@pytest.mark.slow
@needs_both
def test_the_slowdown_of_a_command_and_of_a_process(busy):
    done = kprof("--measure-overhead", "--runs", 2, "--json", "--", *WORK)
    assert done.returncode == 0, done.stderr
    slowdowns = json.loads(done.stdout)["slowdowns"]
    assert {(what, name) for what, by_name in slowdowns.items() for name in by_name} == {
        (what, name) for what in ("time", "CPU time") for name in ("perf", "bpf")
    }
    for by_name in slowdowns.values():
        for one in by_name.values():
            assert one["low"] <= one["median"] <= one["high"]
            assert (one["rounds"], one["level"]) == (2, 0.5)
    # Work that goes on at any load.
    done = kprof("-p", busy, "-d", 1, "--measure-overhead", "--runs", 2, "--progress", "date +%s%N")
    assert done.returncode == 0, done.stderr
    assert "target's slowdown, time for a step" in done.stdout


@pytest.mark.slow
@needs_both
def test_a_target_that_sleeps_is_said_to():
    with subprocess.Popen(["sleep", "60"]) as process:
        done = kprof("-p", process.pid, "-d", 1)
        process.kill()
    assert done.returncode == 1
    assert "no samples of sleep" in done.stderr
    assert "it sleeps or waits" in done.stderr


@pytest.mark.slow
@needs_both
def test_ctrl_c_keeps_what_was_recorded(busy):
    command = [sys.executable, "-m", "kprof", "compare", "-p", str(busy), "-d", "60", "--runs", "3", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(8)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["rounds"] == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-p", os.getpid(), "--engines", "perf"], "there are not two to compare"),
        (["-p", os.getpid(), "--engines", "perf,dtrace"], "is not known"),
        (["-p", os.getpid(), "-e", "off-cpu"], "perf cannot record off-cpu"),
        (["-p", os.getpid(), "--measure-overhead"], "how much work the target does is not known"),
        (["-p", os.getpid(), "-a"], "more than one kind of target"),
        ([DATA, "--", "true"], "not one pair"),
        (["--", "no-such-program"], "there is no command"),
        ([DATA, TEXT, "-e", "no-such-event"], "is not in this profile"),
    ],
)
def test_mistakes_of_recording_end_in_one_line(args, message):
    done = kprof(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_recordings_of_different_events():
    """What is not the same does not disagree."""
    other = SAMPLES / "tracepoints.perf.data.gz"
    done = kprof(DATA, other)
    assert done.returncode == 2
    assert "are not the same, so they cannot agree" in done.stderr
