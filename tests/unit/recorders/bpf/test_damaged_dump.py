"""The bpf recorder's file, cut or damaged: what is whole is read, or one clear error says what is wrong."""

import struct
import zlib

import numpy as np
import pytest

from kprof.errors import FormatError
from kprof.wire import bpf_dump as wire
from kprof.wire import bpf_events as layout

HEAD = struct.pack(wire.HEAD, wire.MAGIC, wire.VERSION, 0)
GOOD_META = b'{"events": [{"name": "x", "unit": "ns"}], "arch": "x86_64", "facts": {}}'


def block(kind, payload):
    return (
        struct.pack(wire.BLOCK, kind, zlib.crc32(payload), len(payload)) + payload + bytes(-len(payload) % 8)
    )


def test_a_recorder_that_is_killed_leaves_what_it_had(read, whole):
    """Cut anywhere: a profile of what is whole, which says that something is missing, or one clear error."""
    good = 0
    for size in range(0, len(whole), 7):
        try:
            profile = read(whole[:size])
        except FormatError:
            continue
        good += 1
        assert profile.meta.quality.skipped_lines > 0
        assert int(profile.samples.count.sum()) <= 11
    assert good > 50


def test_a_changed_byte_is_found(read, whole):
    for at in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[at] ^= 0x41
        try:
            profile = read(bytes(damaged))
        except FormatError:
            continue
        else:
            # The filling between blocks, and a length that leads beyond the end.
            assert int(profile.samples.count.sum()) <= 11


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (wire.MAGIC, "ends within its head"),
        (struct.pack(wire.HEAD, wire.MAGIC, 99, 0), "version 99"),
        (HEAD, "before it says what it holds"),
        (HEAD + block(wire.META, b"{"), "damaged"),
        (HEAD + block(wire.META, b"[]"), "damaged"),
        (HEAD + block(wire.META, GOOD_META) + block(wire.ROWS, b"odd"), "damaged"),
        (HEAD + block(wire.META, GOOD_META) + block(wire.STACKS, b"12345678"), "damaged"),
        (HEAD + block(wire.META, GOOD_META) + block(wire.STACKS, struct.pack("<3Q", 1, 5, 9)), "damaged"),
        (HEAD + block(wire.META, GOOD_META) + block(wire.STACKS, struct.pack("<3Q", 1, 5, (1 << 64) - 1)), "damaged"),
        (
            HEAD + block(wire.META, GOOD_META) + block(wire.ROWS, np.full(1, 5, layout.KEPT_ROW).tobytes()),
            "an event that is not there",
        ),
        (
            HEAD + block(wire.META, GOOD_META) + block(wire.TALLIES, b'{"events": [{"counted": 5, "no_room": 0, "nested": 0, "left_out": 0}]}') + block(wire.END, b""),
            "add up",
        ),
    ],
)  # fmt: skip
def test_damage_ends_in_one_clear_error(read, data, says):
    with pytest.raises(FormatError, match=says):
        read(data)


def test_blocks_of_later_versions_are_passed_over(read, whole):
    assert read(whole + block(77, b"later")).total == 5017
