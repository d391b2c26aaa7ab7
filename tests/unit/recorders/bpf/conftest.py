"""What the bpf recorder writes, made by hand, and how it is read."""

import io
from types import SimpleNamespace

import numpy as np
import pytest

from kprof.readers import ReadOptions, Source, find_format
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.wire import bpf_events as layout

META = {
    "events": [{"name": "cpu-clock", "unit": "ns"}, {"name": "malloc", "unit": "bytes"}],
    "arch": "x86_64",
    "clock": "CLOCK_MONOTONIC",
    "facts": {"host": "here"},
}
T = 1_000_000_000


def _stacks(**by_hash):
    table = np.zeros(len(by_hash), layout.STACK)
    for row, addresses in enumerate(by_hash.values()):
        table[row]["length"] = len(addresses)
        table[row]["address"][: len(addresses)] = addresses
    return np.array([int(name[1:]) for name in by_hash], np.uint64), table


def _rows(*given):
    keys, values = np.zeros(len(given), layout.KEY), np.zeros(len(given), layout.ROW)
    for i, row in enumerate(given):
        for name, value in ({"tgid": 7, "tid": 7, "comm": b"app", "first_ns": T} | row).items():
            (keys if name in layout.KEY.names else values)[name][i] = value
    return keys, values


def _tallies(*counted, **more):
    empty = dict.fromkeys(layout.TALLY.names, 0)
    return {"events": [{**empty, "counted": n, "seen": n, **more} for n in counted], "missed": 0}


def _mapping(start, path, offset=0, pid=7):
    """A mapping as the log of address spaces holds it."""
    return Snapshot(T - 5, BuildIds())._record(pid, start, 0x1000, offset, path, b"\x11" * 20)


@pytest.fixture
def parts():
    """What a recording is made of: what it says of itself, when it begins, and what is in its blocks."""
    return SimpleNamespace(meta=META, start=T, stacks=_stacks, rows=_rows, tallies=_tallies, mapping=_mapping)


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
def whole(write, parts):
    return write(
        ("space", parts.mapping(0x400000, "/bin/app") + parts.mapping(0x500000, "/lib/b.so", 0x2000)),
        ("stacks", *parts.stacks(h10=[0x400010, 0x500021], h11=[0xFFFFFFFF81000001])),
        ("rows", *parts.rows(
            {"user_stack": 10, "count": 3, "weight": 3000},
            {"user_stack": 10, "kernel_stack": 11, "count": 2, "weight": 2000},
            {"user_stack": 10, "event": 1, "count": 4, "weight": 0, "comm": b"sixteen-bytes-ok"},
        )),
        ("stacks", *parts.stacks(h10=[1], h12=[0x400100])),
        ("rows", *parts.rows({"user_stack": 10, "count": 1, "weight": 10, "first_ns": parts.start + 9}, {"count": 1, "weight": 7})),
        ("tallies", parts.tallies(7, 4)),
        ("end",),
    )  # fmt: skip


@pytest.fixture
def read():
    def profile_of(data, **options):
        source = Source(io.BytesIO(data), "x.kprof")
        return find_format(source).read(source, ReadOptions(**options)).check()

    return profile_of
