"""Reader of what BCC's `profile`, `offcputime`, `offwaketime` and `stackcount` print, one frame a line.

        vfs_read
        ksys_read
        __libc_read
        -                dd (1234)
            12

Source: tools/*_example.txt of https://github.com/iovisor/bcc, and what BCC 0.26 prints. Leaf first, the
kernel's frames above the user's, a line `--` between them with `-d`. What the number counts is said by the
first line alone: samples, microseconds, or events. What `-f` prints is folded stacks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile, Quality
from kprof.model.labels import UNKNOWN
from kprof.readers.interning import Interner, Row
from kprof.readers.lines import texts_of
from kprof.readers.names import enters_kernel, kind_of_name
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

INPUT = "stacks of BCC"
_SAMPLED = re.compile(r"Sampling at (\d+) (?:Hertz|events)|Sampling every (\d+) events")
_TIMED = re.compile(r"Tracing (?:off-CPU|blocked) time \(us\)|Tracing off-CPU time")
_COUNTED = re.compile(r'Tracing \d+ functions for "(.*?)"')
_HEADS = re.compile(rb"^(?:Sampling (?:at \d+ Hertz|every \d+ events) of|Tracing (?:off-CPU|blocked) time|"
                    rb'Tracing \d+ functions for ")', re.MULTILINE)  # fmt: skip
_TASK = re.compile(r"    -  +(.*) \((-?\d+)\)$")
_HEAD_TASK = re.compile(rb"^    -  +.* \(-?\d+\)\n +\d+$", re.MULTILINE)
# `stackcount -P`: name and process below the frames.
_PROCESS = re.compile(r"    (\S.*) \[(\d+)\]$")
_NUMBER = re.compile(r" {4,8}(\d+)$")
_FRAME = re.compile(r"(?:    |  )(\S.*)$")
_OFFSET = re.compile(r"\+0x[\da-f]+$")
_MODULE = re.compile(r"(.*) \[(\S+)\]$")
_LOST = re.compile(r"WARNING: (\d+) stack traces? ")
_SAID = re.compile(r"Detaching|Hit Ctrl-C|Tracing|Sampling|\d\d:\d\d:\d\d$|=+")
_LARGEST, _LARGEST_ID = (1 << 63) - 1, (1 << 31) - 1


def sniff(head: bytes) -> bool:
    """Say whether it begins as one of the tools does, or has a task and a number below each other."""
    return bool(_HEADS.search(head) or _HEAD_TASK.search(head))


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read the stacks.

    Raises:
        FormatError: There is no whole one, as when a tool was told to fold.
    """
    reading = _Reading()
    for line in texts_of(source):
        reading.add(line)
    return reading.profile(source.name)


@dataclass(slots=True)
class _Reading:
    interner: Interner = field(default_factory=Interner)
    event: Event = field(default_factory=lambda: Event("weight", "weight"))
    factor: int = 1
    counts: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    stack: list[str] = field(default_factory=list)
    comm: str | None = None
    pid: int = -1
    stacks: int = 0
    skipped: int = 0
    lost: int = 0

    def add(self, line: str) -> None:
        """Add a line."""
        if not line.strip():
            self._end()
        elif found := _TASK.match(line):
            self.comm, self.pid = found[1], _id(found[2])
        elif found := _NUMBER.match(line):
            self._sample(found[1])
        elif found := _PROCESS.match(line):
            self.comm, self.pid = found[1], _id(found[2])
        elif found := _FRAME.match(line):
            self.stack.append(found[1])
        else:
            self._head(line)

    def _head(self, line: str) -> None:
        if found := _SAMPLED.match(line):
            self.event, self.counts = Event("samples", "samples"), True
            self.facts["frequency"] = f"{found[1]} Hz" if found[1] else f"every {found[2]} events"
        elif _TIMED.match(line):
            self.event, self.factor = Event("off-cpu", "ns"), 1000
        elif found := _COUNTED.match(line):
            self.event, self.counts = Event(found[1], "events"), True
        elif found := _LOST.match(line):
            self.lost += int(found[1])
        elif not _SAID.match(line):
            self.skipped += 1

    def _end(self) -> None:
        """Between two stacks: what has no number was cut off."""
        self.skipped += len(self.stack)
        self.stack, self.comm, self.pid = [], None, -1

    def _sample(self, number: str) -> None:
        value = int(number) * self.factor
        frames = _frames(self.stack)
        if value > _LARGEST:
            self.skipped += 1
        else:
            stack = self.interner.stack([self.interner.frame(frame, -1) for frame in frames])
            count = value if self.counts else 1
            self.interner.sample(Row(stack, 0, value, count, self.pid, -1, self.comm))
            self.stacks += 1
        self.stack = []
        self._end()

    def profile(self, name: str) -> Profile:
        """Return the profile, checked."""
        self._end()
        if not self.stacks:
            raise FormatError(f"{name}: a tool of BCC began to print, but there is no whole stack")
        facts = self.facts if self.counts else {"input": INPUT, **self.facts}
        made = self.interner.build(Mappings(), (self.event,), facts)
        quality = Quality(
            int(made.samples.count.sum()),
            {"stack storage": self.lost} if self.lost else {},
            made.samples.without_stack,
            skipped_lines=self.skipped,
        )
        return self.interner.build(Mappings(), (self.event,), facts, quality)


def _id(text: str) -> int:
    number = int(text)
    return number if 0 <= number <= _LARGEST_ID else -1


def _frames(lines: list[str]) -> list[Frame]:
    """Return the frames, root first."""
    names = [line.removeprefix("b'").removesuffix("'") if line.startswith("b'") else line for line in lines]
    cut = next((at for at, name in enumerate(names) if name in {"--", "-"}), -1)
    if cut < 0:
        # The outermost entry: what an interrupt of the kernel enters again stands above it.
        cut = max(
            (at + 1 for at, name in enumerate(names) if enters_kernel(_OFFSET.sub("", name))), default=0
        )
    frames = [_frame(name, kernel=at < cut) for at, name in enumerate(names) if name not in {"--", "-"}]
    return frames[::-1]


def _frame(text: str, *, kernel: bool) -> Frame:
    name = _OFFSET.sub("", text)
    if kernel:
        return Frame(name, "", Kind.KERNEL)
    kind = Kind.UNKNOWN if name == UNKNOWN else kind_of_name(name)
    return Frame(name, "", kind)
