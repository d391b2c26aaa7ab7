"""Copies of stacks in a recording, which the reader unwinds; and who needs one."""

import io
import mmap
import os
import platform
import struct
import subprocess
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from kprof.errors import FormatError
from kprof.readers import ReadOptions
from kprof.readers.registry import find_format
from kprof.readers.source import Source
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.framing import Framing
from kprof.recorders.bpf.ring import RingBuffer
from kprof.recorders.bpf.snapshot import Snapshot
from kprof.wire import bpf_events as layout
from kprof.wire import perf_abi as abi

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="gives the registers of x86-64")
T = 1_000_000_000
RIP, CS, RSP, RBP = 16, 17, 19, 4
# Each function keeps one word: the return address stands behind it.
CODE = """
.globl _start, outer, inner
_start: .cfi_startproc
.cfi_undefined rip
call outer
.cfi_endproc
outer: .cfi_startproc
push %rbx
.cfi_def_cfa_offset 16
call inner
pop %rbx
ret
.cfi_endproc
inner: .cfi_startproc
nop
ret
.cfi_endproc
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies")
    (folder / "x.s").write_text(CODE)
    link = ["-nostdlib", "-static", "-Wl,-Ttext=0x401000", "-Wl,--build-id", "-Wl,--eh-frame-hdr"]
    subprocess.run(["gcc", *link, folder / "x.s", "-o", folder / "x"], check=True)
    listed = subprocess.run(["nm", folder / "x"], capture_output=True, text=True, check=True).stdout
    names = {name: int(address, 16) for address, _, name in map(str.split, listed.splitlines())}
    return folder / "x", names


def copied(number, registers, words):
    values = [0] * 21
    for place, value in registers.items():
        values[place] = value
    stack = struct.pack(f"<{len(words)}Q", *words)
    return struct.pack("<QII", number, 168, len(stack)) + struct.pack("<21Q", *values) + stack


def dump(tmp_path, program, *copies, rows, arch="x86_64"):
    path, names = program
    file = path.stat()
    at = {"device": (os.major(file.st_dev), os.minor(file.st_dev), file.st_ino)}
    build_id = BuildIds().find(os.getpid(), str(path), at["device"])
    shot = Snapshot(T - 5, BuildIds())
    # The code stands at the second page of the file, or wherever the linker put it.
    offset = path.read_bytes().find(b"\x90\xc3") - (names["inner"] & 0xFFF)
    record = shot._record(7, 0x401000, 0x1000, offset, str(path), build_id, at["device"])
    kept = np.zeros(len(rows), layout.RECORD)
    for i, row in enumerate(rows):
        kept["key"]["tgid"], kept["key"]["tid"], kept["key"]["comm"] = 7, 7, b"app"
        kept["row"]["first_ns"] = T
        for name, value in row.items():
            kept["key" if name in layout.KEY.names else "row"][name][i] = value
    meta = {"events": [{"name": "off-cpu", "unit": "ns"}], "arch": arch, "facts": {}}
    with DumpWriter(str(tmp_path / "x.kprof"), meta) as writer:
        writer.space(record)
        writer.copies(copies)
        writer.records(kept)
        tally = {**dict.fromkeys(layout.TALLY.names, 0), "counted": int(kept["row"]["count"].sum())}
        writer.tallies({"events": [tally]})
        writer.end()
    return (tmp_path / "x.kprof").read_bytes()


def read(data):
    source = Source(io.BytesIO(data), "x.kprof")
    return find_format(source).read(source, ReadOptions()).check()


def stacks(profile):
    """Addresses of frames, leaf first, or the name, with count and weight."""
    for row in range(len(profile.samples.stack)):
        at, found = int(profile.samples.stack[row]), []
        while at >= 0:
            frame = profile.stacks.frame[at]
            name = profile.frames.name[frame]
            found.append(name if name.startswith("[trunc") else int(profile.frames.address[frame]))
            at = profile.stacks.parent[at]
        yield found, int(profile.samples.count[row]), int(profile.samples.weight[row])


def test_a_copy_is_unwound_and_counts_once(tmp_path, program):
    _, names = program
    # In inner, called by outer, called by _start.
    words = [names["outer"] + 6, 0xDEAD, names["_start"] + 5, 0, 0]
    registers = {RIP: names["inner"], RSP: 0x7FFF0000, CS: 0x33}
    row = {"user_stack": 99, "count": 1, "weight": 0}
    profile = read(
        dump(tmp_path, program, copied(99, registers, words), rows=[row, {"count": 2, "weight": 5}])
    )
    whole, none = sorted(stacks(profile), key=lambda found: -len(found[0]))
    offsets = [names["inner"], names["outer"] + 5, names["_start"] + 4]
    assert [address - whole[0][0] for address in whole[0]] == [offset - offsets[0] for offset in offsets]
    assert whole[1:] == (1, 0)
    assert none[1:] == (2, 5)


def test_a_stack_that_goes_on_where_the_copy_ends_is_marked(tmp_path, program):
    _, names = program
    registers = {RIP: names["inner"], RSP: 0x7FFF0000, CS: 0x33}
    row = {"user_stack": 99, "count": 1, "weight": 1}
    profile = read(dump(tmp_path, program, copied(99, registers, [names["outer"] + 6]), rows=[row]))
    ((found, _, _),) = stacks(profile)
    assert len(found) == 3
    assert found[-1] == "[truncated]"
    assert profile.meta.quality.truncated == 1


def test_copies_of_a_machine_that_is_not_known_are_no_stacks(tmp_path, program):
    row = {"user_stack": 99, "count": 1, "weight": 1}
    profile = read(dump(tmp_path, program, copied(99, {}, [0]), rows=[row], arch="mips"))
    assert int(profile.samples.count.sum()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        struct.pack("<QII", 9, 168, 1 << 20),
        bytes(8),
        # More than a sample of perf can hold.
        copied(99, {CS: 0x33}, [0] * 9000),
    ],
    ids=["beyond the end", "half a head", "too large"],
)
def test_copies_that_make_no_sense(tmp_path, program, bad):
    with pytest.raises(FormatError, match="damaged recording"):
        read(dump(tmp_path, program, bad, rows=[{"user_stack": 99, "count": 1, "weight": 1}]))


def test_whatever_a_copy_holds_ends_in_a_profile_or_one_line(tmp_path, program):
    """Each byte is changed in turn, and its checksum with it."""
    _, names = program
    registers = {RIP: names["inner"], RSP: 0x7FFF0000, CS: 0x33, RBP: 0x7FFF0008}
    copy = copied(99, registers, [names["outer"] + 6, 0xDEAD, names["_start"] + 5, 0])
    data = dump(tmp_path, program, copy, rows=[{"user_stack": 99, "count": 1, "weight": 1}])
    start = data.index(copy)
    for at in range(start, start + len(copy)):
        for value in (0, 0x7F, 0xFF):
            changed = bytearray(data)
            changed[at] = value
            checksum = zlib.crc32(changed[start : start + len(copy)])
            struct.pack_into("<I", changed, start - 12, checksum)
            with suppress(FormatError):
                read(bytes(changed))


FUNCTION = (
    "int f{0}(int a) {{ int s = 0; for (int i = 0; i < a; i++) s += x(i) + x(s) * x(a); return s + {0}; }}\n"
)
SOURCE = (
    "#include <unistd.h>\nint x(int);\n"
    + "".join(FUNCTION.format(i) for i in range(40))
    + "int x(int a) { return a; } int main() { pause(); return f1(2); }"
)


@pytest.fixture(scope="module", params=[True, False], ids=["kept", "left-out"])
def running(request, tmp_path_factory):
    """A process that keeps frame pointers, or does not."""
    folder = tmp_path_factory.mktemp("framing")
    (folder / "x.c").write_text(SOURCE)
    flag = "-fno-omit-frame-pointer" if request.param else "-fomit-frame-pointer"
    build = ["gcc", "-O2", "-fno-inline", "-fno-ipa-icf", flag, folder / "x.c", "-o", folder / "app"]
    subprocess.run(build, check=True)
    process = subprocess.Popen([folder / "app"])
    while Path(f"/proc/{process.pid}/exe").readlink() != folder / "app":
        pass
    yield process.pid, request.param, folder / "app"
    process.kill()
    process.wait()


def test_who_keeps_frame_pointers_is_marked(running):
    pid, kept, path = running
    marked = []
    framing = Framing(lambda pid, on: marked.append((pid, on)))
    framing.look_at([pid, 1 << 22])
    assert marked == ([(pid, True)] if kept else [])
    assert framing.says() == (
        f"frame pointers of {path.name}" if kept else f"copies of stacks of {path.name}"
    )
    script = path.with_name("script")
    script.write_text(f"#!{path} x\n")
    framing.begins(12345, str(script))
    assert marked == ([(pid, True), (12345, True)] if kept else [])


def record(kind, pid, second, misc=0):
    return struct.pack("<IHHIIIIQ", kind, misc, 32, pid, second, pid, second, 0)


@pytest.mark.parametrize("running", [True], ids=["kept"], indirect=True)
def test_children_inherit_it_and_another_program_ends_it(running):
    pid, _, _ = running
    marked = []
    framing = Framing(lambda pid, on: marked.append((pid, on)))
    framing.look_at([pid])
    child = 1 << 22
    framing.follow(record(abi.RECORD_FORK, child, pid) + record(abi.RECORD_FORK, pid, pid))
    # What it runs now is not there to be looked at.
    framing.follow(record(abi.RECORD_COMM, child, child, abi.MISC_COMM_EXEC))
    framing.follow(record(abi.RECORD_EXIT, pid, 1))
    assert marked == [(pid, True), (child, True), (child, False), (pid, False)]


def test_a_ring_is_read_where_it_wraps_and_up_to_what_is_not_written_yet(tmp_path, monkeypatch):
    """The same memory as the kernel's, in a file: its data is there twice."""
    page, size = mmap.PAGESIZE, mmap.PAGESIZE
    path = tmp_path / "ring"
    path.write_bytes(bytes(2 * page + size))
    file = os.open(path, os.O_RDWR)
    real = mmap.mmap

    def mapped(descriptor, length, **options):
        if length == page:
            return real(descriptor, length)
        # Where the data would be a second time.
        data = path.read_bytes()[page:]
        return bytearray(data + data[page:])

    monkeypatch.setattr(mmap, "mmap", mapped)

    def put(at, content, flags=0):
        head = struct.pack("<II", len(content) | flags, 0)
        for i, byte in enumerate(head + content):
            os.pwrite(file, bytes([byte]), 2 * page + (at + i) % size)
        return at + 8 + len(content) + -len(content) % 8

    start = size - 24
    middle = put(start, b"first record")
    end = put(put(middle, b"second, which runs over the end"), b"third", flags=1 << 31)
    for place, value in ((0, start), (page, end)):
        os.pwrite(file, struct.pack("<Q", value), place)
    ring = RingBuffer(file, size)
    assert ring.waiting == end - start
    assert [[bytes(record) for record in found] for found in ring.read(1)] == [
        [b"first record"],
        [b"second, which runs over the end"],
    ]
    assert ring.waiting == 16
    assert ring.copied == end - start - 16
    os.close(file)
