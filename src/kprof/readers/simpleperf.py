"""Reader of what Android's `simpleperf report-sample` prints.

    sample:
      event_type: cpu-clock
      time: 35463157
      event_count: 1000000
      thread_id: 77
      thread_name: app
      vaddr_in_file: 1c48
      file: /system/lib64/libc.so
      symbol: memcpy
      callchain:
        vaddr_in_file: 2f00
        file: /data/app/lib.so
        symbol: work

Source: cmd_report_sample.cpp and doc/README.md of simpleperf in the Android Open Source Project. What its
`report_sample.py` prints is perf script text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile, Quality
from kprof.model.labels import UNKNOWN
from kprof.readers.interning import Interner, Row
from kprof.readers.lines import texts_of
from kprof.readers.modules import kind_of_module
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

_HEAD = re.compile(rb"^sample:\r?\n  (?:event_type|time|event_count): ", re.MULTILINE)
_FIELD = re.compile(r"( *)(\w+):(?: (.*))?$")
_CLOCKS = ("cpu-clock", "task-clock")
_LARGEST, _LARGEST_ID = (1 << 63) - 1, (1 << 31) - 1
_UNKNOWN_NAMES = ("unknown", "")


def sniff(head: bytes) -> bool:
    """Say whether it has a record of a sample."""
    return bool(_HEAD.search(head))


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read the samples, and how many were lost.

    Raises:
        FormatError: There is no whole sample.
    """
    reading = _Reading()
    for record, fields in _records(texts_of(source), reading):
        if record == "sample":
            reading.add(fields)
        elif record == "lost_situation":
            lost = dict(fields).get("lost_count", "0")
            reading.lost = int(lost) if lost.isdecimal() and int(lost) <= _LARGEST else 0
    return reading.profile(source.name)


def _records(lines: Iterator[str], reading: _Reading) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give each record by its name, with its fields in order."""
    name, fields = "", list[tuple[str, str]]()
    for line in lines:
        found = _FIELD.match(line)
        if not found:
            reading.skipped += bool(line.strip()) and bool(name)
        elif not found[1]:
            if name:
                yield name, fields
            name, fields = found[2], []
        else:
            fields.append((found[2], found[3] or ""))
    if name:
        yield name, fields


@dataclass(slots=True)
class _Reading:
    interner: Interner = field(default_factory=Interner)
    events: dict[str, int] = field(default_factory=dict)
    modules: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    skipped: int = 0
    lost: int = 0

    def add(self, fields: list[tuple[str, str]]) -> None:
        """Add a sample; one without an event and its count is not understood."""
        names = [name for name, _ in fields]
        own = fields[: names.index("callchain")] if "callchain" in names else fields
        chain = fields[len(own) + 1 :]
        values = dict(own)
        weight, time = values.get("event_count", "1"), values.get("time", "")
        if not weight.isdecimal() or int(weight) > _LARGEST or "event_type" not in values:
            self.skipped += 1
            return
        frames = [*_places(own), *_places(chain)]
        stack = self.interner.stack([self._frame(*frame) for frame in reversed(frames)])
        event = self.events.setdefault(values["event_type"], len(self.events))
        pid, tid = (_number(values.get(name, ""), _LARGEST_ID) for name in ("process_id", "thread_id"))
        comm, at = values.get("thread_name"), _number(time, _LARGEST)
        self.interner.sample(Row(stack, event, int(weight), 1, pid, tid, comm, time_ns=at))
        self.samples += 1

    def _frame(self, address: str, file: str, symbol: str) -> int:
        module = self.modules.setdefault(file, len(self.modules)) if file else -1
        kind = kind_of_module(file) if file else Kind.UNKNOWN
        place = int(address, 16) if re.fullmatch(r"[\da-f]{1,16}", address) else 0
        return self.interner.frame(
            Frame(UNKNOWN if symbol in _UNKNOWN_NAMES else symbol, "", kind, place), module
        )

    def profile(self, name: str) -> Profile:
        """Return the profile, checked."""
        if not self.samples:
            raise FormatError(f"{name}: simpleperf printed no whole sample")
        events = tuple(
            Event(event, "ns" if event.partition(":")[0] in _CLOCKS else "events") for event in self.events
        )
        made = self.interner.build(Mappings(list(self.modules)), events, {})
        lost = {"recorder": self.lost} if self.lost else {}
        quality = Quality(self.samples, lost, made.samples.without_stack, skipped_lines=self.skipped)
        facts = {"recorder": "simpleperf"}
        return self.interner.build(Mappings(list(self.modules)), events, facts, quality)


def _number(text: str, largest: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= largest else -1


def _places(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Give address, file and symbol of each frame; a frame begins with its address."""
    frame: dict[str, str] = {}
    for name, value in fields:
        if name == "vaddr_in_file" and frame:
            yield frame["vaddr_in_file"], frame.get("file", ""), frame.get("symbol", "")
            frame = {}
        if name == "vaddr_in_file" or (frame and name in {"file", "symbol"}):
            frame[name] = value
    if frame:
        yield frame["vaddr_in_file"], frame.get("file", ""), frame.get("symbol", "")
