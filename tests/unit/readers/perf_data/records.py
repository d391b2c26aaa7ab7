"""Records of perf.data built by hand, in either byte order."""

import struct

IP, TID, TIME, READ, CALLCHAIN, ID, CPU, PERIOD = 1, 2, 4, 16, 32, 64, 128, 256
BRANCH_STACK, REGS_USER, STACK_USER, IDENTIFIER, CGROUP = 1 << 11, 1 << 12, 1 << 13, 1 << 16, 1 << 21
RAW = 1 << 10
FREQ, ID_ALL = 1 << 10, 1 << 18
KERNEL, USER = 2**64 - 128, 2**64 - 512


class Recording:
    """A recording as `perf record -o -` writes it: all that it holds are records."""

    def __init__(self, order="<"):
        self.order = order
        self.attrs = []
        self.parts = [self.words(int.from_bytes(b"PERFILE2", "little"), 16)]

    def words(self, *values):
        return struct.pack(f"{self.order}{len(values)}Q", *values)

    def ints(self, *values):
        return struct.pack(f"{self.order}{len(values)}I", *(v & 0xFFFFFFFF for v in values))

    def record(self, kind, body, misc=2):
        self.parts.append(struct.pack(f"{self.order}IHH", kind, misc, 8 + len(body)) + body)
        return self

    def event(
        self,
        sample_type,
        ids=(),
        *,
        flags=0,
        period=1,
        read_format=0,
        branches=0,
        max_stack=0,
        registers=0,
        kind=1,
        config=0,
    ):
        if self.order == ">":
            flags = int(f"{flags:064b}"[::-1], 2)
        attr = self.ints(kind, 136) + self.words(
            config, period, sample_type, read_format, flags, 0, 0, 0, branches
        )
        attr += self.words(registers, 0, 0) + struct.pack(f"{self.order}IHH", 0, max_stack, 0)
        attr = attr.ljust(136, b"\0")
        self.attrs.append(attr)
        return self.record(64, attr + self.words(*ids))

    def comm(self, pid, name, misc=2):
        return self.record(3, self.ints(pid, pid) + name.ljust(16, b"\0"), misc)

    def mmap(self, pid, start, size, path, *, offset=0, misc=2):
        padded = path.ljust(-(-(len(path) + 1) // 8) * 8, b"\0")
        return self.record(1, self.ints(pid, pid) + self.words(start, size, offset) + padded, misc)

    def sample(self, pid, chain=(), *, before=(), after=b"", ip=0x1000, misc=2):
        body = self.words(*before) + self.words(ip) + self.ints(pid, pid)
        if chain is not None:
            body += self.words(len(chain), *chain)
        return self.record(9, body + after, misc)

    def bytes(self):
        return b"".join(self.parts)

    def file(self, **features):
        """The same as a file: one event without ids, and feature sections by their number after `f`."""
        records, numbers = b"".join(self.parts[2:]), sorted(int(name[1:]) for name in features)
        head = self.words(int.from_bytes(b"PERFILE2", "little"), 104, 152, 104, 152, 256, len(records), 0, 0)
        bits = self.words(*(sum(1 << n % 64 for n in numbers if n // 64 == i) for i in range(4)))
        at, table, body = 256 + len(records) + 16 * len(numbers), b"", b""
        for number in numbers:
            section = features[f"f{number}"]
            table += self.words(at + len(body), len(section))
            body += section
        return head + bits + self.attrs[0] + self.words(0, 0) + records + table + body

    def text(self, text):
        """A text in a feature section."""
        padded = text.encode().ljust(-(-(len(text) + 1) // 64) * 64, b"\0")
        return self.ints(len(padded)) + padded
