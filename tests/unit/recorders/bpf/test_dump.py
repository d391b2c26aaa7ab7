"""The bpf recorder's file: what is written is read again."""

import numpy as np

from kprof.exporters import folded
from kprof.model import Kind
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.wire import bpf_events as layout


def test_counts_weights_and_frames_come_back(read, whole):
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


def test_frames_lie_in_their_files(read, whole):
    profile = read(whole)
    places = {
        (profile.mappings.path[m], int(a), Kind(k))
        for m, a, k in zip(profile.frames.mapping, profile.frames.address, profile.frames.kind, strict=True)
        if m >= 0
    }
    # A return address is given less one, and the file's offset is that of the mapping.
    assert places == {("/bin/app", 0x10, Kind.USER), ("/lib/b.so", 0x2020, Kind.USER)}
    assert set(profile.mappings.build_id) == {"11" * 20}


def test_a_kernel_part_stands_above_the_user_part(read, parts, write):
    data = write(
        (
            "space",
            b"".join(Snapshot(parts.start - 5, BuildIds())._kernel()) + parts.mapping(0x400000, "/bin/app"),
        ),
        ("stacks", *parts.stacks(h10=[0x400010], h11=[0xFFFFFFFF81000001, 0xFFFFFFFF81000009])),
        ("rows", *parts.rows({"user_stack": 10, "kernel_stack": 11, "count": 1, "weight": 1})),
    )
    profile = read(data)
    row = int(profile.samples.stack[0])
    kinds = []
    while row >= 0:
        kinds.append(Kind(int(profile.frames.kind[profile.stacks.frame[row]])))
        row = int(profile.stacks.parent[row])
    assert kinds == [Kind.KERNEL, Kind.KERNEL, Kind.USER]


def test_full_and_lost_stacks_are_marked(read, parts, write):
    deep = list(range(0x400001, 0x400001 + layout.MAX_FRAMES))
    data = write(
        ("space", parts.mapping(0x400000, "/bin/app")),
        ("stacks", *parts.stacks(h10=deep)),
        ("rows", *parts.rows(
            {"user_stack": 10, "count": 3, "weight": 1},
            {"user_stack": layout.LOST_STACK, "count": 2, "weight": 1},
            {"user_stack": 999, "count": 1, "weight": 1},
        )),
    )  # fmt: skip
    profile = read(data)
    assert profile.meta.quality.truncated == 6
    assert b"[truncated]" in folded.render(profile)[0]


def test_what_was_not_counted_is_told(read, parts, write):
    data = write(
        ("rows", *parts.rows({"count": 3, "weight": 1})),
        ("tallies", parts.tallies(3, 0, no_room=2, nested=1, left_out=4)),
        ("end",),
    )
    quality = read(data).meta.quality
    assert (quality.read, quality.lost) == (9, {"full map": 4, "nested programs": 2})
    assert quality.filtered == {"weight": 8}


def test_rows_kept_apart_and_added_up_are_the_same(read, whole):
    for options in ({"every_sample": True}, {"ids": False}):
        profile = read(whole, **options)
        assert (profile.total, int(profile.samples.count.sum())) == (5017, 11)
        # Rows have no time of their own.
        assert profile.samples.time_ns is None


def test_a_stack_that_is_written_twice_is_the_first(parts, whole, tmp_path):
    with DumpWriter(str(tmp_path / "y"), parts.meta) as dump:
        dump.stacks(*parts.stacks(h10=[1, 2]))
        size = dump.size
        dump.stacks(*parts.stacks(h10=[1, 2]))
        assert dump.size == size


def test_with_time_stamps_rows_have_time_and_cpu(read, parts, write):
    made = parts.rows(
        {"user_stack": 10, "count": 1, "weight": 5, "cpu": 3, "first_ns": parts.start},
        {"user_stack": 10, "count": 2, "weight": 7, "cpu": 1, "first_ns": parts.start + 5_000_000},
    )
    data = write(
        ("stacks", *parts.stacks(h10=[0x400010])), ("rows", *made), meta={**parts.meta, "timestamps": True}
    )
    apart = read(data, every_sample=True).samples
    assert (apart.cpu.tolist(), apart.time_ns.tolist(), apart.count.tolist()) == (
        [3, 1],
        [parts.start, parts.start + 5_000_000],
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


def test_details_and_wakers_are_frames_above_a_stack(read, parts, write):
    """A waker's stack stands upside down on what it woke, with its own process' places and its name."""
    meta = {
        **parts.meta,
        "events": [{"name": "off-cpu", "unit": "ns", "details": {"83": "[S]", "68": "[D]"}}],
    }
    data = write(
        ("space", parts.mapping(0x400000, "/bin/app") + parts.mapping(0x400000, "/bin/waker", pid=8)),
        ("stacks", *parts.stacks(h10=[0x400010], h11=[0x400020, 0x400031])),
        ("joins", *joins((70, {"user_stack": 10, "waker_user": 11, "tgid": 8, "comm": b"waker"}))),
        ("joins", *joins((70, {"user_stack": 10, "waker_user": 11, "tgid": 8, "comm": b"waker"}))),
        ("rows", *parts.rows(
            {"user_stack": 10, "count": 1, "weight": 5, "detail": 83},
            {"user_stack": 10, "count": 2, "weight": 7, "detail": 68},
            {"user_stack": 70, "count": 4, "weight": 9, "detail": 83},
            {"user_stack": 70, "count": 1, "weight": 1, "detail": 99},
            {"count": 1, "weight": 3, "detail": 83},
        )),
        ("tallies", parts.tallies(9)),
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
