"""Reader of austin's samples: `P<pid>;T<interpreter>:<tid>;FILE:FUNCTION:LINE METRIC`.

Source: README.md of https://github.com/P403n1x87/austin, and what austin 3.7 writes. Comments say what was
measured: `mode: wall` and `cpu` are microseconds since the sample before, `memory` bytes, `full` all three as
TIME,IDLE,MEMORY. Austin 4 writes a binary format, which its `mojo2austin` turns into this text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile, Quality
from kprof.readers.interning import Interner, Row
from kprof.readers.lines import texts_of
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

WALL, CPU, MEMORY = Event("wall-clock", "ns"), Event("cpu-time", "ns"), Event("memory", "bytes")
_HEAD = re.compile(rb"^# (?:austin|mode): ", re.MULTILINE)
_FACT = re.compile(r"# (\w+): (.*)")
_LINE = re.compile(r"P(\d+);T(?:(-?\d+):)?([\da-f]+)(?:;(.*))? (-?\d+(?:,-?\d+,-?\d+)?)$")
_FRAME = re.compile(r"(.*):(.*?):(\d+)(?::\d+:\d+:\d+)?$")
_US, _LARGEST, _LARGEST_ID = 1000, (1 << 63) - 1, (1 << 31) - 1
_MODES = {"wall": (WALL,), "cpu": (CPU,), "memory": (MEMORY,), "full": (WALL, CPU, MEMORY)}


def sniff(head: bytes) -> bool:
    """Say whether it says that austin wrote it."""
    return head.startswith(b"#") and bool(_HEAD.search(head))


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read the samples. Memory that was given back is left out, and counted.

    Raises:
        FormatError: It has no sample, or is of a mode that is not known.
    """
    reading = _Reading()
    for line in texts_of(source):
        reading.add(line, source.name)
    if not reading.samples:
        raise FormatError(f"{source.name}: austin took no sample")
    quality = Quality(
        reading.samples, without_stack=reading.without, skipped_lines=reading.skipped,
        filtered={"memory given back": reading.freed} if reading.freed else {},
    )  # fmt: skip
    facts = {"recorder": "austin", **reading.facts}
    return reading.interner.build(Mappings(), tuple(reading.events), facts, quality)


@dataclass(slots=True)
class _Reading:
    interner: Interner = field(default_factory=Interner)
    facts: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=lambda: list(_MODES["wall"]))
    mode: str = "wall"
    samples: int = 0
    without: int = 0
    skipped: int = 0
    freed: int = 0

    def add(self, line: str, name: str) -> None:
        """Add a line."""
        if not line:
            return
        if found := _FACT.match(line):
            self._fact(found[1], found[2], name)
        elif not line.startswith("#"):
            found = _LINE.match(line)
            if found and len(found[5].split(",")) == (3 if self.mode == "full" else 1):
                self._sample(found)
            else:
                self.skipped += 1

    def _fact(self, key: str, value: str, name: str) -> None:
        if key == "mode" and not self.samples:
            if value not in _MODES:
                raise FormatError(f"{name}: austin's mode {value} is not known")
            self.mode, self.events = value, list(_MODES[value])
        units = {"interval": " us", "duration": " us", "memory": " bytes"}
        self.facts[key if key != "austin" else "version"] = value + units.get(key, "")

    def _sample(self, found: re.Match[str]) -> None:
        frames = [self.interner.frame(_frame(text), -1) for text in (found[4] or "").split(";") if text]
        stack, tid = self.interner.stack(frames), int(found[3], 10) if found[3].isdecimal() else -1
        self.samples += 1
        self.without += stack < 0
        for event, weight in self._weights(found[5]):
            if weight < 0:
                self.freed += 1
            elif weight > _LARGEST:
                self.skipped += 1
            else:
                who = (_id(int(found[1])), _id(tid))
                self.interner.sample(Row(stack, self.events.index(event), weight, 1, *who))

    def _weights(self, metric: str) -> Iterator[tuple[Event, int]]:
        numbers = [int(number) for number in metric.split(",")]
        if self.mode != "full":
            yield self.events[0], numbers[0] * (1 if self.mode == "memory" else _US)
            return
        time, idle, memory = numbers
        yield WALL, time * _US
        if not idle:
            yield CPU, time * _US
        if memory:
            yield MEMORY, memory


def _id(number: int) -> int:
    return number if number <= _LARGEST_ID else -1


def _frame(text: str) -> Frame:
    if found := _FRAME.match(text):
        return Frame(found[2], "", Kind.PYTHON, 0, f"{found[1]}:{found[3]}")
    return Frame(text.strip(":"), "", Kind.PYTHON)
