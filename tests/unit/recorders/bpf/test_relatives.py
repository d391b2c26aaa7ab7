"""What the log of address spaces says of a process and its descendants."""

import struct

from kprof.recorders.bpf.relatives import Relatives
from kprof.wire import perf_abi as abi


def record(kind, first, second, more=b""):
    return struct.pack("<IHHII", kind, 2, 16 + len(more), first, second) + more


def fork(parent, child):
    """Process, parent, thread, parent's thread, time."""
    return record(abi.RECORD_FORK, child, parent, struct.pack("<IIQ", child, parent, 0))


def comm(pid):
    return record(abi.RECORD_COMM, pid, pid, b"name\0\0\0\0")


def test_strangers_are_left_out_and_descendants_kept():
    kin = Relatives([10])
    lost = record(2, 1, 2)
    assert kin.pick(comm(10) + comm(99) + fork(99, 100) + lost) == comm(10) + lost
    assert kin.pick(fork(10, 11) + comm(11) + comm(100)) == fork(10, 11) + comm(11)


def test_what_a_child_does_may_be_read_before_its_fork():
    kin = Relatives([10])
    # A grandchild, whose forks stand in the wrong order, too.
    assert kin.pick(comm(12) + comm(99)) == b""
    assert kin.pick(fork(11, 12) + fork(10, 11)) == comm(12) + fork(11, 12) + fork(10, 11)
    assert kin.pick(b"") == b""


def test_threads_of_ours_are_kept():
    thread = record(abi.RECORD_FORK, 10, 10, struct.pack("<IIQ", 13, 10, 0))
    assert Relatives([10]).pick(thread) == thread


def test_without_a_target_everything_is_kept():
    assert Relatives([]).pick(comm(1) + b"rest") == comm(1) + b"rest"
