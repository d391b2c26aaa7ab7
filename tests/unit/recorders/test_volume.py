from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.volume import bytes_moved


def test_bytes_of_a_bpf_recording(tmp_path):
    path = str(tmp_path / "a.kprof")
    with DumpWriter(path, {}) as dump:
        dump.space(b"x" * 24)
        dump.tallies({"copied": 10})
        dump.tallies({"copied": 1000})
        dump.end()
    assert bytes_moved("bpf", path) == 24 + 1000


def test_bytes_of_perf_are_its_file(tmp_path):
    path = tmp_path / "perf.data"
    path.write_bytes(b"123")
    assert bytes_moved("perf", str(path)) == 3
