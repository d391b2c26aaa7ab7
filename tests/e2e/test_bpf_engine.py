"""Programs and maps under load: whatever happens, what was seen is what was counted and what was dropped."""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.engine import Engine
from kprof.recorders.bpf.rooms import Rooms
from kprof.recorders.bpf.sources import PerfEvent, Source
from kprof.system.cpus import online_cpus
from kprof.wire import bpf_dump as wire
from kprof.wire import bpf_events as layout

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/kernel/btf/vmlinux").exists(),
    reason="loads BPF programs: needs root and a kernel that tells its types",
)
FAULTS = Source("page-faults", "events", "sample", ("sample",), (PerfEvent(1, 2),))
CLOCK = Source("cpu-clock", "ns", "sample", ("sample",), (PerfEvent(1, 0, 200_000, 5000),))
OFF_CPU = Source("off-cpu", "ns", "off_cpu", ("off_cpu",), weight=layout.WEIGH_TIME)
# Threads that come and go, each with rows of its own.
THREADS = """
import threading, time
def work(n):
    sum(range(n * 100))
    time.sleep(0.001)
    bytearray(1 << 20)
end = time.monotonic() + 2
while time.monotonic() < end:
    threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
    for t in threads: t.start()
    for t in threads: t.join()
"""


def settings(sources):
    made = np.zeros(1, layout.SETTINGS)
    made["self"] = os.getpid()
    made["events"]["sides"] = layout.USER | layout.KERNEL
    made["events"]["most"] = (1 << 64) - 1
    return made


def run(path, sources, *, room=None, work=THREADS, drains=0):
    """Record some work; return the accounting, and the sum of the rows of each event."""
    with Engine(settings(sources), sources, online_cpus(), 1000) as engine:
        engine.rooms = Rooms(room) if room else engine.rooms
        engine.load()
        with DumpWriter(str(path), {}) as dump:
            worker = subprocess.Popen([sys.executable, "-c", work])
            engine.attach(())
            for _ in range(drains):
                time.sleep(0.05)
                engine.drain(dump)
            worker.wait()
            engine.detach()
            engine.finish(dump, time.monotonic_ns())
            tallies = engine.tallies()
    return tallies["events"], counted(path, len(sources))


def counted(path, events):
    data, at, sums = Path(path).read_bytes(), 16, np.zeros(events, np.int64)
    while at < len(data):
        kind, _, size = struct.unpack_from(wire.BLOCK, data, at)
        if kind == wire.ROWS:
            rows = np.frombuffer(data[at + 16 : at + 16 + size], layout.KEPT_ROW)
            np.add.at(sums, rows["event"], rows["count"].astype(np.int64))
        at += 16 + size + -size % 8
    return sums.tolist()


def check(events, sums):
    for event, kept in zip(events, sums, strict=True):
        assert event["seen"] == event["counted"] + event["no_room"] + event["nested"]
        assert event["counted"] == kept
        assert event["seen"] > 0


def test_a_full_map_drops_and_counts_what_it_drops(tmp_path):
    events, sums = run(tmp_path / "x", [FAULTS], room=64)
    check(events, sums)
    assert events[0]["no_room"] > 0
    assert events[0]["stacks_lost"] > 0


def test_rows_are_moved_while_they_are_counted_and_none_is_lost(tmp_path):
    """Events that interrupt each other's programs, with maps that are emptied twenty times a second."""
    events, sums = run(tmp_path / "x", [CLOCK, FAULTS, OFF_CPU], drains=40)
    check(events, sums)
    assert [event["no_room"] for event in events] == [0, 0, 0]


@pytest.mark.slow
def test_two_thousand_threads(tmp_path):
    work = (
        "import threading, time\n"
        "threads = [threading.Thread(target=lambda: [time.sleep(0.01) for _ in range(20)]) for _ in range(2000)]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()\n"
    )
    events, sums = run(tmp_path / "x", [OFF_CPU, CLOCK], work=work, drains=40)
    check(events, sums)
    assert events[0]["seen"] > 10_000
