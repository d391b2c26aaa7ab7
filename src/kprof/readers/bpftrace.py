r"""Reader of maps with stacks as bpftrace prints them, as text and as JSON (`-f json`).

    @[
        vfs_read+5
        ksys_read+99
    , app, 77]: 12

Source: man/adoc/bpftrace.adoc of https://github.com/bpftrace/bpftrace, and what bpftrace 0.17 prints.
A key does not say what its parts are. A stack is told by its lines, and of two the first is the kernel's
unless only the second enters it; the first part that is no number is the thread's name, and the first number
the process; what else there is becomes frames at the root. The maps do not say what they count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kprof.errors import FormatError
from kprof.model import Event, Frame, Kind, Mappings, Profile, Quality
from kprof.model.labels import UNKNOWN
from kprof.readers.interning import Interner, Row
from kprof.readers.lines import texts_of
from kprof.readers.modules import kind_of_module
from kprof.readers.names import enters_kernel, kind_of_name
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

INPUT = "stacks of bpftrace"
_BEGIN = re.compile(r"@(\w*)\[(.*)")
_END = re.compile(r"(.*)\]: (-?\d+)$")
_HEAD = re.compile(rb"^@\w*\[(?:[^\n]*\n[ \t])", re.MULTILINE)
_HEAD_JSON = re.compile(rb'^\{"type": ?"(?:map|attached_probes)"', re.MULTILINE)
_OFFSET = re.compile(r"\+(?:0x[\da-f]+|\d+)$")
_PERF = re.compile(r"([\da-f]{1,16}) (.*?)(?: \((.*)\))?$")
_ADDRESS = re.compile(r"(?:0x)?([\da-f]{1,16})$")
_KERNEL_HALF = 1 << 63
_LARGEST, _LARGEST_ID = (1 << 63) - 1, (1 << 31) - 1


def sniff(head: bytes) -> bool:
    """Say whether it holds a map whose key begins with a stack, or JSON of bpftrace."""
    return bool(_HEAD.search(head) or _HEAD_JSON.match(head.lstrip()))


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read the maps that have stacks in their keys; each is an event.

    Raises:
        FormatError: There is no such map.
    """
    reading = _Reading()
    json_lines = source.head.lstrip().startswith(b"{")
    for entry in (_json_entries if json_lines else _text_entries)(texts_of(source), reading):
        reading.add(entry)
    return reading.profile(source.name)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of a map: its key in parts, in which the lines of a stack are a list."""

    map: str
    parts: list[str | list[str]]
    value: int


@dataclass(slots=True)
class _Reading:
    interner: Interner = field(default_factory=Interner)
    events: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    skipped: int = 0
    without: int = 0
    keys: set[str] = field(default_factory=set)
    modules: dict[str, int] = field(default_factory=dict)

    def add(self, entry: _Entry) -> None:
        """Add an entry, unless its key has no stack."""
        if not any(part == "" or isinstance(part, list) for part in entry.parts):
            self.without += 1
            return
        if not 0 <= entry.value <= _LARGEST:
            self.skipped += 1
            return
        self.entries += 1
        stacks = [part or [] for part in entry.parts if not part or isinstance(part, list)]
        others = [part for part in entry.parts if part and isinstance(part, str)]
        numbers = [int(part) for part in others if _is_id(part)]
        texts = [part for part in others if not _is_id(part)]
        frames = [Frame(text) for text in (*texts[1:], *map(str, numbers[2:]))] + _stack(stacks)
        self.keys.add(", ".join(_named(part) for part in entry.parts))
        event = self.events.setdefault(f"@{entry.map}", len(self.events))
        comm = texts[0] if texts else None
        self.interner.sample(Row(
            self.interner.stack([self._number(frame) for frame in frames]), event, entry.value, 1,
            numbers[0] if numbers else -1, numbers[1] if len(numbers) > 1 else -1, comm,
        ))  # fmt: skip

    def _number(self, frame: Frame) -> int:
        module = self.modules.setdefault(frame.module, len(self.modules)) if frame.module else -1
        return self.interner.frame(frame, module)

    def profile(self, name: str) -> Profile:
        """Return the profile, checked."""
        if not self.entries:
            raise FormatError(
                f"{name}: no map of it has a stack in its key", "use a key such as @[ustack, comm]"
            )
        filtered = {"maps without a stack": self.without} if self.without else {}
        quality = Quality(self.entries + self.without, skipped_lines=self.skipped, filtered=filtered)
        events = tuple(Event(event, "weight") for event in self.events)
        facts = {"input": INPUT, "keys": "; ".join(sorted(self.keys)[:4]) + " (text: comm, number: pid)"}
        return self.interner.build(Mappings(list(self.modules)), events, facts, quality)


def _is_id(part: str) -> bool:
    return part.isascii() and part.isdecimal() and int(part) <= _LARGEST_ID


def _named(part: str | list[str]) -> str:
    if not part or isinstance(part, list):
        return "stack"
    return "number" if _is_id(part) else "text"


def _text_entries(lines: Iterator[str], reading: _Reading) -> Iterator[_Entry]:
    name = ""
    key: list[str] | None = None
    for whole in lines:
        line = whole
        if key is None or line.startswith("@"):
            begun = _BEGIN.match(line)
            # A map that another one begins in was cut off.
            reading.skipped += key is not None
            if not begun:
                key = None
                continue
            name, key, line = begun[1], [], begun[2]
        if line[:1] not in {" ", "\t"} and (ended := _END.match(line)):
            yield _Entry(name, _parts([*key, ended[1]], ", "), int(ended[2]))
            key = None
        else:
            key.append(line)
    reading.skipped += key is not None


def _json_entries(lines: Iterator[str], reading: _Reading) -> Iterator[_Entry]:
    for line in lines:
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            reading.skipped += 1
            continue
        data = found.get("data") if isinstance(found, dict) and found.get("type") == "map" else None
        for name, rows in data.items() if isinstance(data, dict) else ():
            for key, value in rows.items() if isinstance(rows, dict) else ():
                if isinstance(value, int) and not isinstance(value, bool):
                    yield _Entry(name.removeprefix("@"), _parts(key.split("\n"), ","), value)
                else:
                    reading.without += 1


def _parts(lines: list[str], between: str) -> list[str | list[str]]:
    """Split a key, whose lines with space in front are frames, at what stands between its parts."""
    stacks: list[list[str]] = []
    text, last = "", False
    for line in lines:
        is_frame = line[:1] in {" ", "\t"} and bool(line.strip())
        if is_frame and not last:
            stacks.append([])
            text += "\0"
        if is_frame:
            stacks[-1].append(line.strip())
        else:
            text += line
        last = is_frame or (last and not line)
    found = iter(stacks)
    return [next(found) if part == "\0" else part.replace("\0", "") for part in text.split(between)]


def _stack(stacks: list[list[str]]) -> list[Frame]:
    """Return the frames of one key, root first, the kernel's above the user's."""
    named = [[_frame(line) for line in reversed(stack)] for stack in stacks]
    kernel = [any(f.kind == Kind.KERNEL or enters_kernel(f.name) for f in stack[:3]) for stack in named]
    if len(named) > 1 and (kernel[0] or not any(kernel)):
        kernel = [True, *[False] * (len(named) - 1)]
    frames = [frame for stack, yes in zip(named, kernel, strict=True) if not yes for frame in stack]
    above = [frame for stack, yes in zip(named, kernel, strict=True) if yes for frame in stack]
    return frames + [frame._replace(kind=Kind.KERNEL) for frame in above]


def _frame(line: str) -> Frame:
    """Return the frame of `name+5`, `7f01 name+5 (/lib/a.so)` (mode perf) or `7f01` (mode raw)."""
    if found := _ADDRESS.match(line):
        return _unnamed(int(found[1], 16))
    if (found := _PERF.match(line)) and found[1] != found[2]:
        address, name, module = int(found[1], 16), _OFFSET.sub("", found[2]), found[3] or ""
        if _ADDRESS.match(found[2]):
            return _unnamed(address)
        if address & _KERNEL_HALF:
            return Frame(name, module.strip("()"), Kind.KERNEL, address)
        # What is printed is an address of the process; where in the file that is, is not.
        kind = kind_of_module(module)
        return Frame(name, module, kind_of_name(name) if kind == Kind.USER else kind)
    name = _OFFSET.sub("", line)
    return Frame(name, "", kind_of_name(name))


def _unnamed(address: int) -> Frame:
    return Frame(UNKNOWN, "", Kind.KERNEL if address & _KERNEL_HALF else Kind.UNKNOWN, address)
