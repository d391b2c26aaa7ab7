"""What was mapped before, as records; and which libraries allocate."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from kprof.errors import NotAvailableError
from kprof.recorders import RecordRequest
from kprof.recorders.bpf.binaries import allocators
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.wire import perf_abi as abi


def mappings(records):
    at = 0
    while at < len(records):
        kind, misc, size = struct.unpack_from("<IHH", records, at)
        assert kind == abi.RECORD_MMAP2
        assert size % 8 == 0
        pid, _, start, length, offset = struct.unpack_from("<iIQQQ", records, at + 8)
        path = records[at + 72 : at + size - abi.SAMPLE_ID.itemsize].partition(b"\0")[0].decode()
        time = struct.unpack_from("<Q", records, at + size - abi.SAMPLE_ID.itemsize + 8)[0]
        has_id = bool(misc & abi.MISC_MMAP_BUILD_ID)
        yield misc & 7, pid, start, length, offset, path, has_id, time
        at += size


def test_this_process():
    found = list(mappings(Snapshot(77, BuildIds()).of([os.getpid(), 1 << 22])))
    kernel, *mine = found
    assert kernel[:2] == (abi.MISC_KERNEL, -1)
    assert kernel[5] == "[kernel.kallsyms]"
    libc = next(mapping for mapping in mine if "libc.so" in mapping[5] or "libc-" in mapping[5])
    assert libc[1] == os.getpid()
    assert libc[6]
    assert {mapping[7] for mapping in found} == {77}
    lines = Path("/proc/self/maps").read_text().splitlines()
    starts = {int(line.partition("-")[0], 16) for line in lines if "x" in line.split()[1]}
    assert {mapping[2] for mapping in mine if mapping[0] == abi.MISC_USER and mapping[1] > 0} <= starts


def test_the_c_library_allocates():
    for request in (RecordRequest(all_cpus=True), RecordRequest(pids=(os.getpid(),))):
        assert any("/libc" in path or "musl" in path for path in allocators(request))


def test_a_static_program_has_no_library(tmp_path):
    (tmp_path / "x.c").write_text("#include <unistd.h>\nint main(void) { pause(); }")
    subprocess.run(["gcc", "-static", tmp_path / "x.c", "-o", tmp_path / "x"], check=True)
    process = subprocess.Popen([tmp_path / "x"])
    try:
        while Path(f"/proc/{process.pid}/exe").readlink() != tmp_path / "x":
            pass
        with pytest.raises(NotAvailableError, match="shared C library"):
            allocators(RecordRequest(pids=(process.pid,)))
    finally:
        process.kill()
        process.wait()
