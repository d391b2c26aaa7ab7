"""Build-ids that are put into records of mappings."""

import struct
import sys
from pathlib import Path

import pytest

from kprof.elf import ElfFile
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.wire import perf_abi as abi

PYTHON = Path(sys.executable).resolve()
INODE = PYTHON.stat().st_ino
EXECUTABLE, READABLE = 5, 1


def mmap2(path, inode=INODE, protection=EXECUTABLE, misc=2, pid=1 << 30):
    name = path + b"\0" + bytes(-(len(path) + 1) % 8)
    body = struct.pack("<IIQQQ", pid, pid, 0x1000, 0x1000, 0) + struct.pack("<IIQQ", 8, 1, inode, 7)
    body += struct.pack("<II", protection, 2) + name + bytes(32)
    return struct.pack("<IHH", abi.RECORD_MMAP2, misc, 8 + len(body)) + body


COMM = struct.pack("<IHHII8s", 3, 0, 24, 1, 1, b"python")


def test_a_record_gets_the_build_id_of_its_file():
    record = mmap2(bytes(PYTHON))
    found = BuildIds().add_to(COMM + record + COMM)
    build_id = bytes.fromhex(ElfFile.open(PYTHON).build_id)
    assert len(found) == 2 * len(COMM) + len(record)
    changed = found[len(COMM) : -len(COMM)]
    assert found[: len(COMM)] == found[-len(COMM) :] == COMM
    assert struct.unpack_from("<H", changed, 4)[0] & abi.MISC_MMAP_BUILD_ID
    assert changed[40] == len(build_id)
    assert changed[44 : 44 + len(build_id)] == build_id
    assert changed[64:] == record[64:]


@pytest.mark.parametrize(
    "record",
    [
        mmap2(bytes(PYTHON), inode=INODE + 1),
        mmap2(bytes(PYTHON), protection=READABLE),
        mmap2(b"/nowhere"),
        mmap2(b"//anon", inode=0),
        mmap2(b"/etc/passwd", inode=Path("/etc/passwd").stat().st_ino),
        mmap2(bytes(PYTHON))[:50],
        struct.pack("<IHH", abi.RECORD_MMAP2, 2, 4),
        b"",
    ],
)
def test_other_records_stay(record):
    assert BuildIds().add_to(record) == record
