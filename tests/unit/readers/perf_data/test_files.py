"""Recordings in files, which are read in pieces."""

import os
import sys

import pytest

from kprof._native._perf import PerfReader
from kprof.errors import UsageError
from kprof.readers import ReadOptions, Source, find_format

SAMPLES = 40_000
# The module: the package has a function of its name.
MODULE = sys.modules["kprof.readers.perf_data.read"]


@pytest.fixture
def recording(r, start, tmp_path):
    """A file of more than two pieces, whose records do not end where pieces do."""
    made = start()
    for number in range(SAMPLES):
        made.sample(7, [r.USER, 0x1010 + number % 7, *range(0x1020, 0x1020 + number % 3)])
    path = tmp_path / "perf.data"
    path.write_bytes(made.file())
    return path


def read_file(path, on_read=None):
    with path.open("rb") as file:
        source = Source(file, str(path), str(path))
        source.on_read = on_read
        return find_format(source).read(source, ReadOptions()).check()


def test_a_file_and_a_stream_of_it_give_the_same(recording, read):
    profile, streamed = read_file(recording), read(recording.read_bytes())
    assert profile.total == streamed.total == SAMPLES
    assert profile.samples.stack.tolist() == streamed.samples.stack.tolist()
    assert profile.samples.weight.tolist() == streamed.samples.weight.tolist()
    assert profile.meta.quality == streamed.meta.quality
    assert not profile.meta.quality.skipped_lines


def test_a_file_that_is_cut_while_it_is_read_gives_what_was_read_and_says_so(recording, monkeypatch):
    monkeypatch.setattr(MODULE, "_STEP", 1 << 20)
    half = recording.stat().st_size // 2
    profile = read_file(recording, lambda _: os.truncate(recording, half))
    assert 0 < profile.total < SAMPLES
    assert profile.meta.quality.skipped_lines == 1


def test_a_file_that_can_no_longer_be_read_ends_in_one_line(recording, monkeypatch):
    class Failing(PerfReader):
        def feed_file(self, descriptor, begin, end):
            del descriptor
            return super().feed_file(-1, begin, end)

    monkeypatch.setattr(MODULE, "PerfReader", Failing)
    with pytest.raises(UsageError, match=r"cannot read .*perf.data: Bad file descriptor"):
        read_file(recording)
