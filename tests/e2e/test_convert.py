"""`kprof convert`, as a user runs it."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
DATA = str(SAMPLES / "multi-event.perf.data.gz")


def kprof(*args, check=True, **options):
    done = subprocess.run(
        [sys.executable, "-m", "kprof", *map(str, args)], capture_output=True, check=False, **options
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize(
    "end",
    [
        ".pb.gz",
        ".speedscope.json",
        ".firefox.json",
        ".trace.json",
        ".otlp",
        ".kprof",
        ".parquet",
        ".tables.json",
    ],
)
def test_all_events_go_there_and_back(end, tmp_path):
    out = tmp_path / f"out{end}"
    done = kprof("convert", DATA, out)
    assert b"cpu-clock, page-faults, context-switches: 450 samples read, 450 kept" in done.stderr
    for event in ("cpu-clock", "page-faults", "context-switches"):
        assert kprof("fold", out, "-e", event).stdout == kprof("fold", DATA, "-e", event).stdout


def test_reading_is_by_content_and_to_names_the_format(tmp_path):
    out = tmp_path / "anything.at.all"
    kprof("convert", DATA, out, "--to", "speedscope", "-e", "page-faults", "--title", "mine")
    assert json.loads(out.read_text())["name"] == "mine"
    packed = kprof("convert", out, "-", "--to", "pprof").stdout
    assert b"page-faults" in gzip.decompress(packed)
    assert kprof("convert", "-", "-", input=packed).stdout == kprof("fold", DATA, "-e", "page-faults").stdout


def test_what_makes_no_sense_ends_in_one_line(tmp_path):
    for args, says in (
        ((DATA, tmp_path / "x.svgz"), b"cannot tell a format from"),
        ((DATA, DATA), b"would be overwritten"),
        ((__file__, tmp_path / "x.pb.gz"), b"which kprof does not read"),
    ):
        done = kprof("convert", *args, check=False)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
        assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_record_writes_what_the_suffix_names(tmp_path):
    out = tmp_path / "out.pb.gz"
    done = kprof(
        "record", "-o", out, "--keep-data", "--", sys.executable, "-c", "sum(range(10**7))", check=False
    )
    if done.returncode == 3:
        pytest.skip("perf may not record here")
    assert done.returncode == 0, done.stderr
    assert b"samples" in gzip.decompress(out.read_bytes())
    assert (tmp_path / "out.data").exists()
