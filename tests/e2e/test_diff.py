"""`kprof diff`, as a user runs it."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
DATA = SAMPLES / "kernel-io.perf.data.gz"


def kprof(*args):
    return subprocess.run(
        [sys.executable, "-m", "kprof", "diff", *map(str, args)], capture_output=True, check=False, text=True
    )


@pytest.fixture
def runs(tmp_path):
    """Five runs before, and five after in which parse_json takes more."""
    draw = random.Random(5)  # noqa: S311 - the same at every run
    names = {"before": [], "after": []}
    for side, weight in (("before", 1000), ("after", 1300)):
        for number in range(5):
            path = tmp_path / f"{side}{number}.folded"
            noise = {
                name: draw.gauss(w, 30) for name, w in (("parse_json", weight), ("read", 3000), ("send", 500))
            }
            path.write_text("".join(f"app;main;{name} {int(w)}\n" for name, w in noise.items()))
            names[side].append(path)
    return names


def test_one_against_one(tmp_path):
    page = tmp_path / "out.html"
    done = kprof(DATA, SAMPLES / "threads.perf.data.gz", "-o", page, "-n", 3)
    assert done.returncode == 0, done.stderr
    assert "too few recordings" in done.stdout
    assert "vanished" in done.stdout
    assert "significant" not in done.stdout
    assert "of before is in stacks that are gone" in page.read_text()


def test_several_a_side_as_json(runs):
    done = kprof("--before", *runs["before"], "--after", *runs["after"], "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["before"]["runs"], found["after"]["runs"], found["tested"]) == (5, 5, True)
    rows = {row["function"]: row for row in found["rows"]}
    assert rows["parse_json"]["significant"]
    # The same in all runs: no test.
    assert (rows["main"]["total_q"], rows["main"]["significant"]) == (None, False)


def test_the_gate_fails_and_passes(runs):
    sides = ["--before", *runs["before"], "--after", *runs["after"]]
    done = kprof(*sides, "--fail-on", "self(parse_json) > +5%", "--fail-on", "self(send) > +90%")
    assert done.returncode == 1
    assert done.stderr.startswith("kprof: self(parse_json) > +5%: 21.")
    assert done.stderr.count("\n") == 1
    assert "holds: self(send) > +90%" in done.stdout
    # Back to front nothing grew.
    back = kprof(
        "--before",
        *runs["after"],
        "--after",
        *runs["before"],
        "--fail-on",
        "self(parse_json) > +5%",
        "--markdown",
    )
    assert back.returncode == 0, back.stderr
    assert "- **holds**: `self(parse_json) > +5%`" in back.stdout


def test_folded_text_and_a_recording_are_told_alike(tmp_path):
    folded = tmp_path / "a.folded"
    subprocess.run([sys.executable, "-m", "kprof", "fold", DATA, "-o", folded, "-q"], check=True)
    found = json.loads(kprof(folded, DATA, "--json").stdout)
    assert {row["change"] for row in found["rows"]} == {""}
    assert max(abs(row["total_delta"]) for row in found["rows"]) < 1e-9


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "a side is missing"),
        ([DATA], "two recordings are compared, not 1"),
        ([DATA, DATA, "--before", DATA], "exclude each other"),
        ([DATA, DATA, "--fail-on", "parse > 5"], "is no rule"),
        ([DATA, DATA, "-o", "x.svg"], "cannot write a page"),
        ([DATA, "missing"], "cannot read missing"),
        ([DATA, DATA, "--json", "--markdown"], "exclude each other"),
    ],
)
def test_mistakes_end_in_one_line(args, message):
    done = kprof(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_rule_that_means_nothing_is_said(runs):
    done = kprof(runs["before"][0], runs["after"][0], "--fail-on", "self(parse_jsn) > +5%")
    assert done.returncode == 0
    assert "no such function or module" in done.stderr
