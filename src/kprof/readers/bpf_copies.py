"""Rows of a BPF dump whose stacks were copied -> samples as perf writes them, for the native reader of these.

It unwinds them with the files' call frame information, by the mappings of that time.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kprof.readers.bpf_stream import FIRST_ID, Array, StackTable
from kprof.wire import bpf_dump as wire
from kprof.wire import perf_abi as abi

_HEAD = struct.Struct("<QII")
# Identifier; process and thread; time, CPU, period, length of the chain.
_SAMPLE = struct.Struct("<IHHQIIQQQQ")
# Process and thread, the name; what stands at the end of each record.
_COMM = struct.Struct("<IHHII16sIIQIIQ")
_WORD = struct.Struct("<Q")
_TYPE = (
    abi.SAMPLE_IDENTIFIER | abi.SAMPLE_TID | abi.SAMPLE_TIME | abi.SAMPLE_CPU | abi.SAMPLE_PERIOD
    | abi.SAMPLE_CALLCHAIN | abi.SAMPLE_REGS_USER | abi.SAMPLE_STACK_USER
)  # fmt: skip
_LONGEST = (1 << 16) - 1
_32_BIT, _64_BIT = 1, 2
# Where struct pt_regs (arch/*/include/uapi/asm/ptrace.h) has the registers that stand for the bits
# of sample_regs_user (arch/*/include/uapi/asm/perf_regs.h).
# rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, rip, r8 to r15.
_X86_64 = (10, 5, 11, 12, 13, 14, 4, 19, 16, 9, 8, 7, 6, 3, 2, 1, 0)
_X86_64_BITS = 0x1FF | 0xFF << 16
# The code segment tells how a process runs.
_CODE_SEGMENT, _SEGMENT_OF_64_BIT = 17, 0x33
# x0 to x30, the stack pointer, the place: in the same order in both.
_AARCH64, _AARCH64_BITS = tuple(range(33)), (1 << 33) - 1
MACHINES = {"x86_64": (_X86_64, _X86_64_BITS), "aarch64": (_AARCH64, _AARCH64_BITS)}


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a stack.

    Attributes:
        registers: Of the process, as its kernel keeps them.
        stack: From the stack pointer upwards.
    """

    registers: memoryview
    stack: memoryview


def copies_of(payload: bytes) -> Iterator[tuple[int, Copy]]:
    """Give number and content of each copy of a block.

    Raises:
        ValueError: The block does not add up.
    """
    view, at = memoryview(payload), 0
    while at < len(view):
        number, registers, stack = _HEAD.unpack_from(view, at)
        start = at + _HEAD.size
        middle, end = start + registers, start + registers + stack
        if end > len(view):
            raise ValueError("a block of copies does not add up")
        yield number, Copy(view[start:middle], view[middle:end])
        at = end + -end % wire.ALIGN


def attributes(events: int, arch: str) -> Iterator[tuple[bytes, bytes]]:
    """Give the perf_event_attr and the id of each event, as it is where stacks are copied."""
    _, bits = MACHINES.get(arch, ((), 0))
    for number in range(events):
        attr = np.zeros(1, abi.ATTR)
        attr["type"], attr["size"], attr["config"] = abi.TYPE_SOFTWARE, abi.ATTR.itemsize, abi.SOFTWARE_DUMMY
        attr["flags"], attr["sample_type"] = abi.SAMPLE_ID_ALL | abi.BUILD_ID, _TYPE
        attr["sample_regs_user"], attr["sample_stack_user"] = bits, _LONGEST & ~7
        yield attr.tobytes(), np.uint64(FIRST_ID + 2 * events + number).tobytes()


def records(
    rows: Array, copies: dict[int, Copy], kernel: StackTable, events: int, arch: str
) -> Iterator[bytes]:
    """Give the records of rows: a copy is the stack of one occurrence, so each counts once.

    Args:
        rows: Of `bpf_events.KEPT_ROW`; those with a copy.
        copies: By the number that a row has.
        kernel: The kernel's stacks.
        events: How many events there are.
        arch: The machine.
    """
    order, _ = MACHINES.get(arch, ((), 0))
    places = kernel.find(rows["kernel_stack"]).tolist()
    names = ("user_stack", "tgid", "tid", "event", "cpu", "weight", "count", "first_ns", "comm")
    columns = (rows[name].tolist() for name in names)
    for at, *row in zip(places, *columns, strict=True):
        number, pid, tid, event, cpu, weight, count, time, comm = row
        chain = [abi.CONTEXT_KERNEL, *kernel.stack(at)] if at >= 0 else []
        body = struct.pack(f"<{len(chain)}Q", *chain) + _dump(copies[number], order)
        identifier = FIRST_ID + 2 * events + event
        size = _SAMPLE.size + len(body)
        # Without the last byte: the reader wants the zero that ends a name.
        name = (abi.RECORD_COMM, abi.MISC_USER, _COMM.size, pid, tid, comm[:15], pid, tid, time, 0, 0, 0)
        sample = (abi.RECORD_SAMPLE, abi.MISC_USER, size, identifier, pid, tid, time, cpu)
        yield _COMM.pack(*name) + _SAMPLE.pack(*sample, weight + count, len(chain)) + body


def _dump(copy: Copy, order: tuple[int, ...]) -> bytes:
    """Return registers and stack as samples have them."""
    values = np.frombuffer(copy.registers, np.uint64, len(copy.registers) // 8)
    if not order or len(values) <= max(order):
        # Of another machine, or cut.
        return _WORD.pack(0) + _WORD.pack(0)
    is_64_bit = order is not _X86_64 or int(values[_CODE_SEGMENT]) == _SEGMENT_OF_64_BIT
    abi_of = _WORD.pack(_64_BIT if is_64_bit else _32_BIT)
    stack = bytes(copy.stack[: len(copy.stack) & ~7])
    size = _WORD.pack(len(stack))
    return abi_of + values[list(order)].tobytes() + size + stack + (size if stack else b"")
