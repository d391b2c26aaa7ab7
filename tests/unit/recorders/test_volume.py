import numpy as np

from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.volume import bytes_moved
from kprof.wire import bpf_events as layout


def test_bytes_of_a_bpf_recording(tmp_path):
    path = str(tmp_path / "a.kprof")
    keys, rows = np.zeros(3, layout.KEY), np.zeros(3, layout.ROW)
    keys["user_stack"] = [77, 77, 88]
    with DumpWriter(path, {}) as dump:
        dump.space(b"x" * 24)
        dump.rows(keys, rows)
        dump.end()
    stack = 8 + layout.STACK.itemsize
    assert bytes_moved("bpf", path) == 24 + 3 * (layout.KEY.itemsize + layout.ROW.itemsize) + 2 * stack


def test_bytes_of_perf_are_its_file(tmp_path):
    path = tmp_path / "perf.data"
    path.write_bytes(b"123")
    assert bytes_moved("perf", str(path)) == 3
