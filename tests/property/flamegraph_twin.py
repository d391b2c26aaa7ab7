"""A plain reading of perf script text by stackcollapse-perf.pl's two patterns, to hold the C core against.

Written from the tool's documented behaviour, with a regular expression engine where the core has
hand-made matching, and with no memory of what it saw before.
"""

import re
from collections import Counter

HEADER = re.compile(rb"^(\S.+?)\s+(\d+)/*(\d+)*\s+")
EVENT = re.compile(rb":\s*(\d+)*\s+(\S+):\s*$")
STACK_LINE = re.compile(rb"^\s*(\w+)\s*(.+) \((.*)\)")


class Twin:
    def __init__(self, *, pid=False, tid=False, addresses=False, kernel=False, jit=False):
        self.pid, self.tid, self.addresses = pid, tid, addresses
        self.kernel, self.jit = kernel, jit
        self.event = self.root = None
        self.weight = 1
        self.stack = []
        self.sums = Counter()

    def read(self, text):
        lines = text.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        for line in lines:
            if line.startswith(b"#"):
                continue
            if not line:
                self.end()
            elif header := HEADER.match(line):
                self.begin(line, header)
            elif self.root and (match := STACK_LINE.match(line)):
                self.push(*match.groups())
        return b"".join(b"%s %d\n" % (stack, self.sums[stack]) for stack in sorted(self.sums))

    def begin(self, line, header):
        comm, pid, tid = header.groups()
        if not tid or tid == b"0":
            pid, tid = b"?", pid
        weight = b""
        if event := EVENT.search(line):
            weight = event[1] or b""
            if self.event is None:
                self.event = event[2]
            elif self.event != event[2]:
                return
        self.weight = int(weight or 0) or 1
        suffix = b"-%s/%s" % (pid, tid) if self.tid else b"-" + pid if self.pid else b""
        self.root = (comm + suffix).replace(b" ", b"_")

    def end(self):
        if self.root:
            self.sums[b";".join([self.root, *self.stack])] += self.weight
            self.stack, self.root = [], None

    def push(self, address, name, module):
        name = re.sub(rb"\+0x[\da-f]+\Z", b"", name)
        if name.startswith(b"("):
            return
        parts = name.split(b"->")
        while parts and not parts[-1]:
            parts.pop()
        frames = []
        for part in parts:
            frame = self.tidy(self.named(part, address, module))
            frames.append(frame + self.mark(frame, module, inlined=bool(frames)))
        self.stack = frames + self.stack

    def named(self, part, address, module):
        if part != b"[unknown]":
            return part
        name = b"unknown" if module == b"[unknown]" else re.sub(rb".*/", b"", module, count=1)
        return b"[%s <%s>]" % (name, address) if self.addresses else b"[%s]" % name

    def tidy(self, name):
        name = name.replace(b";", b":")
        if not re.search(rb"\.\(.*\)\.", name):
            name = re.sub(rb"\((?!anonymous namespace\)).*", b"", name, count=1)
        name = name.translate(None, b"\"'")
        return name[1:] if self.root.startswith(b"java") and b"/" in name and name[:1] == b"L" else name

    def mark(self, name, module, *, inlined):
        if inlined:
            return b"" if b"_[i]" in name else b"_[i]"
        if self.kernel and re.search(rb"(^\[|vmlinux\Z)", module) and b"unknown" not in module:
            return b"_[k]"
        if self.jit and re.search(rb"/tmp/perf-\d+\.map", module):
            return b"" if b"_[j]" in name else b"_[j]"
        return b""
