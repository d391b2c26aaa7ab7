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
