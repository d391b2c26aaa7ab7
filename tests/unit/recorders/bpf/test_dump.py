"""The bpf recorder's file: what is written is read again, and damage is found."""

import io
import struct
import zlib

import numpy as np
import pytest

from kprof.errors import FormatError
from kprof.exporters import folded
from kprof.model import Kind
from kprof.readers import ReadOptions, Source, find_format
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.wire import bpf_dump as wire
from kprof.wire import bpf_events as layout

META = {
    "events": [{"name": "cpu-clock", "unit": "ns"}, {"name": "malloc", "unit": "bytes"}],
    "arch": "x86_64",
    "clock": "CLOCK_MONOTONIC",
    "facts": {"host": "here"},
}
T = 1_000_000_000


def stacks(**by_hash):
    table = np.zeros(len(by_hash), layout.STACK)
    for row, addresses in enumerate(by_hash.values()):
        table[row]["length"] = len(addresses)
        table[row]["address"][: len(addresses)] = addresses
    return np.array([int(name[1:]) for name in by_hash], np.uint64), table


def rows(*given):
    keys, values = np.zeros(len(given), layout.KEY), np.zeros(len(given), layout.ROW)
    for i, row in enumerate(given):
        for name, value in ({"tgid": 7, "tid": 7, "comm": b"app", "first_ns": T} | row).items():
            (keys if name in layout.KEY.names else values)[name][i] = value
    return keys, values


def tallies(*counted, **more):
    empty = dict.fromkeys(layout.TALLY.names, 0)
    return {"events": [{**empty, "counted": n, "seen": n, **more} for n in counted], "missed": 0}


def mapping(start, path, offset=0, pid=7):
    """A mapping as the log of address spaces holds it."""
    return Snapshot(T - 5, BuildIds())._record(pid, start, 0x1000, offset, path, b"\x11" * 20)


@pytest.fixture
def write(tmp_path):
    def write(*steps, meta=META):
        path = tmp_path / "x.kprof"
        with DumpWriter(str(path), meta) as dump:
            for name, *arguments in steps:
                getattr(dump, name)(*arguments)
        return path.read_bytes()

    return write


@pytest.fixture
def whole(write):
    return write(
        ("space", mapping(0x400000, "/bin/app") + mapping(0x500000, "/lib/b.so", 0x2000)),
        ("stacks", *stacks(h10=[0x400010, 0x500021], h11=[0xFFFFFFFF81000001])),
        ("rows", *rows(
            {"user_stack": 10, "count": 3, "weight": 3000},
            {"user_stack": 10, "kernel_stack": 11, "count": 2, "weight": 2000},
            {"user_stack": 10, "event": 1, "count": 4, "weight": 0, "comm": b"sixteen-bytes-ok"},
        )),
        ("stacks", *stacks(h10=[1], h12=[0x400100])),
        ("rows", *rows({"user_stack": 10, "count": 1, "weight": 10, "first_ns": T + 9}, {"count": 1, "weight": 7})),
        ("tallies", tallies(7, 4)),
        ("end",),
    )  # fmt: skip


def read(data, **options):
    source = Source(io.BytesIO(data), "x.kprof")
    return find_format(source).read(source, ReadOptions(**options)).check()


def test_counts_weights_and_frames_come_back(whole):
    profile = read(whole)
    samples = profile.samples
    assert [event.name for event in profile.meta.events] == ["cpu-clock", "malloc"]
    assert [event.unit for event in profile.meta.events] == ["ns", "bytes"]
    by_event = {
        event: sorted(
            zip(
                samples.count[samples.event == event].tolist(),
                samples.weight[samples.event == event].tolist(),
                strict=True,
            )
        )
        for event in (0, 1)
    }
    assert by_event == {0: [(1, 7), (2, 2000), (4, 3010)], 1: [(4, 0)]}
    assert profile.meta.quality.read == 11
    assert profile.meta.quality.without_stack == 1
    assert profile.meta.quality.lost == {}
    assert profile.meta.quality.skipped_lines == 0
    assert profile.meta.facts["host"] == "here"
    assert set(profile.comms) >= {"app", "sixteen-bytes-o"}


def test_frames_lie_in_their_files(whole):
    profile = read(whole)
    places = {
        (profile.mappings.path[m], int(a), Kind(k))
        for m, a, k in zip(profile.frames.mapping, profile.frames.address, profile.frames.kind, strict=True)
        if m >= 0
    }
    # A return address is given less one, and the file's offset is that of the mapping.
    assert places == {("/bin/app", 0x10, Kind.USER), ("/lib/b.so", 0x2020, Kind.USER)}
    assert set(profile.mappings.build_id) == {"11" * 20}


def test_a_kernel_part_stands_above_the_user_part(write):
    data = write(
        ("space", b"".join(Snapshot(T - 5, BuildIds())._kernel()) + mapping(0x400000, "/bin/app")),
        ("stacks", *stacks(h10=[0x400010], h11=[0xFFFFFFFF81000001, 0xFFFFFFFF81000009])),
        ("rows", *rows({"user_stack": 10, "kernel_stack": 11, "count": 1, "weight": 1})),
    )
    profile = read(data)
    row = int(profile.samples.stack[0])
    kinds = []
    while row >= 0:
        kinds.append(Kind(int(profile.frames.kind[profile.stacks.frame[row]])))
        row = int(profile.stacks.parent[row])
    assert kinds == [Kind.KERNEL, Kind.KERNEL, Kind.USER]


def test_full_and_lost_stacks_are_marked(write):
    deep = list(range(0x400001, 0x400001 + layout.MAX_FRAMES))
    data = write(
        ("space", mapping(0x400000, "/bin/app")),
        ("stacks", *stacks(h10=deep)),
        ("rows", *rows(
            {"user_stack": 10, "count": 3, "weight": 1},
            {"user_stack": layout.LOST_STACK, "count": 2, "weight": 1},
            {"user_stack": 999, "count": 1, "weight": 1},
        )),
    )  # fmt: skip
    profile = read(data)
    assert profile.meta.quality.truncated == 6
    assert b"[truncated]" in folded.render(profile)[0]


def test_what_was_not_counted_is_told(write):
    data = write(
        ("rows", *rows({"count": 3, "weight": 1})),
        ("tallies", tallies(3, 0, no_room=2, nested=1, left_out=4)),
        ("end",),
    )
    quality = read(data).meta.quality
    assert (quality.read, quality.lost) == (9, {"full map": 4, "nested programs": 2})
    assert quality.filtered == {"weight": 8}


def test_rows_kept_apart_and_added_up_are_the_same(whole):
    for options in ({"every_sample": True}, {"ids": False}):
        profile = read(whole, **options)
        assert (profile.total, int(profile.samples.count.sum())) == (5017, 11)
        # Rows have no time of their own.
        assert profile.samples.time_ns is None


def test_a_stack_that_is_written_twice_is_the_first(whole, tmp_path):
    with DumpWriter(str(tmp_path / "y"), META) as dump:
        dump.stacks(*stacks(h10=[1, 2]))
        size = dump.size
        dump.stacks(*stacks(h10=[1, 2]))
        assert dump.size == size


def test_a_recorder_that_is_killed_leaves_what_it_had(whole):
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


def test_a_changed_byte_is_found(whole):
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


def block(kind, payload):
    return (
        struct.pack(wire.BLOCK, kind, zlib.crc32(payload), len(payload)) + payload + bytes(-len(payload) % 8)
    )


HEAD = struct.pack(wire.HEAD, wire.MAGIC, wire.VERSION, 0)
GOOD_META = b'{"events": [{"name": "x", "unit": "ns"}], "arch": "x86_64", "facts": {}}'


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
def test_damage_ends_in_one_clear_error(data, says):
    with pytest.raises(FormatError, match=says):
        read(data)


def test_blocks_of_later_versions_are_passed_over(whole):
    assert read(whole + block(77, b"later")).total == 5017


def test_with_time_stamps_rows_have_time_and_cpu(write):
    made = rows(
        {"user_stack": 10, "count": 1, "weight": 5, "cpu": 3, "first_ns": T},
        {"user_stack": 10, "count": 2, "weight": 7, "cpu": 1, "first_ns": T + 5_000_000},
    )
    data = write(("stacks", *stacks(h10=[0x400010])), ("rows", *made), meta={**META, "timestamps": True})
    apart = read(data, every_sample=True).samples
    assert (apart.cpu.tolist(), apart.time_ns.tolist(), apart.count.tolist()) == (
        [3, 1],
        [T, T + 5_000_000],
        [1, 2],
    )
    together = read(data).samples
    assert (together.cpu, together.time_ns, together.count.tolist()) == (None, None, [3])


def joins(*given):
    made = np.zeros(len(given), layout.JOIN)
    for i, (_, values) in enumerate(given):
        for name, value in values.items():
            made[name][i] = value
    return np.array([key for key, _ in given], np.uint64), made


def test_details_and_wakers_are_frames_above_a_stack(write):
    """A waker's stack stands upside down on what it woke, with its own process' places and its name."""
    meta = {**META, "events": [{"name": "off-cpu", "unit": "ns", "details": {"83": "[S]", "68": "[D]"}}]}
    data = write(
        ("space", mapping(0x400000, "/bin/app") + mapping(0x400000, "/bin/waker", pid=8)),
        ("stacks", *stacks(h10=[0x400010], h11=[0x400020, 0x400031])),
        ("joins", *joins((70, {"user_stack": 10, "waker_user": 11, "tgid": 8, "comm": b"waker"}))),
        ("joins", *joins((70, {"user_stack": 10, "waker_user": 11, "tgid": 8, "comm": b"waker"}))),
        ("rows", *rows(
            {"user_stack": 10, "count": 1, "weight": 5, "detail": 83},
            {"user_stack": 10, "count": 2, "weight": 7, "detail": 68},
            {"user_stack": 70, "count": 4, "weight": 9, "detail": 83},
            {"user_stack": 70, "count": 1, "weight": 1, "detail": 99},
            {"count": 1, "weight": 3, "detail": 83},
        )),
        ("tallies", tallies(9)),
        ("end",),
        meta=meta,
    )  # fmt: skip
    for options in ({}, {"ids": False}, {"every_sample": True}):
        profile = read(data, addresses=True, **options)
        lines, _ = folded.render(profile)[0], None
        assert dict(line.rsplit(b" ", 1) for line in lines.splitlines()) == {
            b"app;[app];[S]": b"5",
            b"app;[app];[D]": b"7",
            b"app;[app];[S];--;[waker];[waker];waker": b"9",
            b"app;[app];--;[waker];[waker];waker": b"1",
            b"app;[S]": b"3",
        }
        assert profile.meta.quality.truncated == 0
        assert [event.name for event in profile.meta.events] == ["off-cpu"]
