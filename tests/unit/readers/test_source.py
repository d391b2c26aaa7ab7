"""Inputs: packed or not, whole or cut off."""

import gzip
import io

import pytest
import zstandard

from kprof.errors import FormatError
from kprof.readers import Source

DATA = b"main;work 1\n" * 20_000


def everything(source, size=1000):
    parts = []
    while part := source.read(size):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.compress, lambda d: zstandard.compress(gzip.compress(d))]
)
def test_packed_or_not(pack):
    source = Source(io.BytesIO(pack(DATA)), "x")
    assert source.head == DATA[: 1 << 16]
    assert everything(source) == DATA


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_readinto(pack):
    source = Source(io.BytesIO(pack(DATA)), "x")
    view = memoryview(bytearray(5000))
    parts = []
    while size := source.readinto(view):
        parts.append(bytes(view[:size]))
    assert b"".join(parts) == DATA


def test_several_packed_members_are_one_input():
    assert everything(Source(io.BytesIO(gzip.compress(DATA) * 2), "x")) == DATA * 2
    assert everything(Source(io.BytesIO(zstandard.compress(DATA) * 2), "x")) == DATA * 2


@pytest.mark.parametrize("cut", [1, 5, 11, -1])
def test_a_cut_gzip_file_is_a_format_error(cut):
    packed = gzip.compress(DATA)
    with pytest.raises(FormatError, match="damaged or cut off"):
        everything(
            Source(
                io.BytesIO(
                    packed[: cut if cut > 0 else len(packed) - 9] if cut > 1 or cut < 0 else packed[:3]
                ),
                "x",
            )
        )


def test_damaged_zstd_is_a_format_error():
    packed = bytearray(zstandard.compress(DATA))
    packed[6:12] = b"\xff" * 6
    with pytest.raises(FormatError, match="damaged"):
        everything(Source(io.BytesIO(bytes(packed)), "x"))


def test_progress_counts_the_packed_bytes():
    packed = gzip.compress(DATA)
    seen = []
    source = Source(io.BytesIO(packed), "x")
    source.on_read = seen.append
    everything(source)
    assert not seen or seen[-1] == len(packed)


@pytest.mark.parametrize("cut", [1, 5, 200, -1])
def test_a_cut_zstd_file_is_a_format_error(cut):
    packed = zstandard.compress(bytes(range(256)) * 20)
    with pytest.raises(FormatError, match="damaged or cut off"):
        everything(Source(io.BytesIO(zstandard.compress(DATA) + packed[: max(cut, 4)]), "x"))
    with pytest.raises(FormatError, match="damaged or cut off"):
        everything(Source(io.BytesIO(packed[:-1]), "x"))


def test_empty_frames_of_zstd_are_passed_over():
    packed = zstandard.compress(b"") * 3 + zstandard.compress(DATA) + zstandard.compress(b"")
    assert everything(Source(io.BytesIO(packed), "x")) == DATA


def test_the_head_reaches_behind_long_comments_and_long_lines():
    comments = b"# a comment\n" * 20_000
    assert b"main;work" in Source(io.BytesIO(comments + DATA), "x").head
    long = b"main;" + b"f;" * 100_000 + b"g 1\n"
    source = Source(io.BytesIO(long + DATA), "x")
    assert source.head.startswith(long)
    assert everything(source) == long + DATA
    assert len(Source(io.BytesIO(b"#" * (4 << 20)), "x").head) == 1 << 20
