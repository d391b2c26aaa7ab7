"""Formats are found by content."""

import gzip
import io
import json

import pytest

from kprof.errors import FormatError
from kprof.model import Kind
from kprof.readers import ReadOptions, Source, find_format, folded

PERF_SCRIPT = b"# captured on: today\na b 1/1 [000] 1.000000: 1 cycles:\n\t55 f (/a)\n\n"


def find(data):
    return find_format(Source(io.BytesIO(data), "it"))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (PERF_SCRIPT, "perf script text"),
        (PERF_SCRIPT.replace(b"\n", b"\r\n"), "perf script text"),
        (b"java 19983 cycles:\nffffffff8103d0ca native ([kernel.kallsyms])\n\n", "perf script text"),
        (gzip.compress(PERF_SCRIPT), "perf script text"),
        (b"a;b;c 1\n", "folded stacks"),
        (b"a 1", "folded stacks"),
        (b"a;b\t1\nc\t2\n", "folded stacks"),
        (b"a;" * 50_000 + b"b 1\n", "folded stacks"),
        (b"# a line of a header\n" * 10_000 + PERF_SCRIPT, "perf script text"),
        (b"app 34 cycles:\n\t    4005\n\n", "perf script text"),
        (b"# a comment\nstd::vector<int, a b>;c d 12\r\n", "folded stacks"),
        (b"PERFILE2" + bytes(100), "perf.data"),
    ],
)
def test_found(data, name):
    assert find(data).name == name


@pytest.mark.parametrize(
    ("data", "guess"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\x7fELF\x02" + bytes(50), "program"),
        (bytes(range(256)), "binary"),
        (json.dumps({"profiles": []}).encode(), "JSON"),
        (b"<svg></svg>", "SVG"),
        (b"just some words\nand more of them\n", "unknown format"),
    ],
)
def test_not_found(data, guess):
    with pytest.raises(FormatError, match=guess):
        find(data)


def test_folded_counts_bad_lines():
    source = Source(io.BytesIO(b"a;b 3\nbad\na;b -1\na;b 99999999999999999999\nc 1\na;b 2\n"), "it")
    profile = find_format(source).read(source, ReadOptions())
    assert profile.check().total == 6
    assert profile.meta.quality.skipped_lines == 3


def test_two_weights_a_line_are_refused():
    for text in (b"a;b 3 4\na;c 0 1\n", b"a;b 3 4"):
        with pytest.raises(FormatError, match="two weights"):
            folded.read(Source(io.BytesIO(text), "it"), ReadOptions())
    assert folded.read(Source(io.BytesIO(b"Worker 1 4\na;b 2\n"), "it"), ReadOptions()).total == 6


def test_folded_without_one_good_line():
    with pytest.raises(FormatError, match="line 1"):
        folded.read(Source(io.BytesIO(b"a;b -3\n"), "it"), ReadOptions())


def test_a_gigabyte_in_one_line_is_refused_without_holding_it():
    class Endless:
        left = 1 << 30

        def read(self, size):
            size = min(size, self.left)
            self.left -= size
            return b"a" * size

    endless = Endless()
    with pytest.raises(FormatError, match="16 MiB"):
        folded.read(Source(endless, "it"), ReadOptions())
    assert endless.left > 1 << 29


def test_kinds_of_folded_frames():
    text = b"app;main;entry_SYSCALL_64_after_hwframe;read 1\napp;main;read 2\napp;[libc.so.6];py::f:/a.py;x_[j] 1\n"
    source = Source(io.BytesIO(text), "it")
    profile = find_format(source).read(source, ReadOptions()).check()
    kinds = {(n, Kind(k)) for n, k in zip(profile.frames.name, profile.frames.kind.tolist(), strict=True)}
    assert kinds == {
        ("app", Kind.USER), ("main", Kind.USER), ("read", Kind.USER), ("read", Kind.KERNEL),
        ("entry_SYSCALL_64_after_hwframe", Kind.KERNEL), ("[libc.so.6]", Kind.UNKNOWN),
        ("py::f:/a.py", Kind.PYTHON), ("x_[j]", Kind.JIT),
    }  # fmt: skip


@pytest.mark.parametrize("data", [b'{"a":"\xff"}', b"[" * 60_000])
def test_json_that_is_none_is_refused_in_one_line(data):
    with pytest.raises(FormatError, match="damaged JSON"):
        find(data)
