"""The recording of the bpf recorder -> Profile, without root and without a kernel that knows BPF."""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np

from kprof._native._perf import PerfReader
from kprof.errors import FormatError
from kprof.model import Event, Meta, Profile, Quality, Samples, Stacks
from kprof.readers import bpf_copies
from kprof.readers.addresses import count_truncated, frames_of, mappings_of, text
from kprof.readers.bpf_copies import Copy, copies_of
from kprof.readers.bpf_labels import Labels
from kprof.readers.bpf_stream import Array, StackTable, attributes, records
from kprof.readers.options import ReadOptions
from kprof.readers.rows import samples_of
from kprof.readers.source import Source
from kprof.readers.stack_files import cfi_loader
from kprof.wire import bpf_dump as wire
from kprof.wire import bpf_events as layout

_PIECE = 1 << 20
# What comes of content that makes no sense.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, struct.error)
# Copies that are handed to the native reader together: some 10 MB.
_AT_ONCE = 1024
_HEAD_BYTES, _BLOCK_BYTES = struct.calcsize(wire.HEAD), struct.calcsize(wire.BLOCK)
# Of an event's occurrences, which were seen but could not be counted, and how a summary calls it.
_LOSSES = {"no_room": "full map", "nested": "nested programs"}


@dataclass(slots=True)
class _Dump:
    """The blocks of a file, by kind."""

    meta: dict[str, Any] = field(default_factory=dict)
    space: list[bytes] = field(default_factory=list)
    stacks: list[tuple[Array, Array, Array]] = field(default_factory=list)
    rows: list[Array] = field(default_factory=list)
    copies: dict[int, Copy] = field(default_factory=dict)
    joins: list[Array] = field(default_factory=list)
    tallies: dict[str, Any] = field(default_factory=dict)
    whole: bool = False

    def add(self, kind: int, payload: bytes) -> None:
        if kind == wire.META:
            self.meta = json.loads(payload)
        elif kind == wire.SPACE:
            self.space.append(payload)
        elif kind == wire.STACKS:
            self.stacks.append(_stacks(payload))
        elif kind == wire.ROWS:
            self.rows.append(np.frombuffer(payload, layout.KEPT_ROW))
        elif kind == wire.JOINS:
            self.joins.append(np.frombuffer(payload, layout.KEPT_JOIN))
        elif kind == wire.TALLIES:
            self.tallies = json.loads(payload)
        elif kind == wire.COPIES:
            self.copies.update(copies_of(payload))
        elif kind == wire.END:
            self.whole = True


def sniff(head: bytes) -> bool:
    """Say whether it looks like a recording of the bpf recorder."""
    return head.startswith(wire.MAGIC)


def read(source: Source, options: ReadOptions) -> Profile:
    """Read a recording.

    One that ends early, because the recorder was killed, is read as far as it goes; the profile's quality
    says so.

    Raises:
        FormatError: It is damaged, or of a version that is not known.
    """
    try:
        dump = _Dump()
        for kind, payload in _blocks(source):
            dump.add(kind, payload)
        return _profile(dump, options)
    except _DAMAGE as error:
        raise FormatError(f"{source.name}: damaged recording of the bpf recorder: {error}") from None


def _take(source: Source, size: int) -> bytes:
    parts, missing = [], size
    while missing and (part := source.read(min(missing, _PIECE))):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _blocks(source: Source) -> Iterator[tuple[int, bytes]]:
    """Give kind and content of every whole block."""
    head = _take(source, _HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        raise FormatError(f"{source.name}: this recording ends within its head", "record it again")
    _, version, _ = struct.unpack(wire.HEAD, head)
    if version != wire.VERSION:
        raise FormatError(f"{source.name}: version {version} of this format is not known", "update kprof")
    at, seen = _HEAD_BYTES, False
    while len(head := _take(source, _BLOCK_BYTES)) == _BLOCK_BYTES:
        kind, checksum, size = struct.unpack(wire.BLOCK, head)
        payload = _take(source, size)
        _take(source, -size % wire.ALIGN)
        if len(payload) < size:
            break
        if zlib.crc32(payload) != checksum:
            raise FormatError(f"{source.name}: the block at byte {at} is damaged", "record it again")
        at += _BLOCK_BYTES + size + -size % wire.ALIGN
        seen = seen or kind == wire.META
        yield kind, payload
    if not seen:
        raise FormatError(
            f"{source.name}: this recording ends before it says what it holds", "record it again"
        )


def _stacks(payload: bytes) -> tuple[Array, Array, Array]:
    """Return hashes, lengths and addresses of a block."""
    words = np.frombuffer(payload, np.uint64)
    count = int(words[0])
    hashes, lengths, addresses = np.split(words[1:], [count, 2 * count])
    if len(lengths) != count or int(lengths.sum()) != len(addresses):
        raise ValueError("a block of stacks does not add up")
    return hashes, lengths, addresses


def _stack_table(blocks: list[tuple[Array, Array, Array]]) -> StackTable:
    hashes, lengths, addresses = (
        np.concatenate([np.zeros(0, np.uint64), *parts])
        for parts in (zip(*blocks, strict=True) if blocks else ((),) * 3)
    )
    lengths = lengths.astype(np.int64)
    start = np.cumsum(lengths) - lengths
    # A stack may have been written more than once.
    hashes, first = np.unique(hashes, return_index=True)
    if not len(hashes):
        # One that nothing points at, so that there is a row to look at.
        hashes, start, lengths, first = np.zeros(1, np.uint64), *np.zeros((3, 1), np.int64)
    length = lengths[first]
    return StackTable(hashes, start[first], length, addresses, length >= layout.MAX_FRAMES)


def _profile(dump: _Dump, options: ReadOptions) -> Profile:
    events = tuple(Event(str(event["name"]), str(event["unit"])) for event in dump.meta["events"])
    rows = np.concatenate([np.zeros(0, layout.KEPT_ROW), *dump.rows])
    if len(rows) and int(rows["event"].max()) >= len(events):
        raise ValueError("a row is of an event that is not there")
    reader = PerfReader(
        keep_ids=options.ids,
        every_sample=options.every_sample,
        keep_unmapped=options.addresses,
        rounds=False,
        arch=str(dump.meta["arch"]).encode(errors="replace"),
        load=cfi_loader(options.files, {}),
    )
    labels = _labels(dump, rows)
    for attr, number in chain(
        attributes(labels.events), bpf_copies.attributes(labels.events, str(dump.meta["arch"]))
    ):
        reader.add_event(attr, number)
    for part in chain(map(memoryview, dump.space), _records(dump, labels.rows, labels.events)):
        reader.begin()
        reader.feed(part)
    reader.end()
    tables = reader.tables()
    # What was counted together has no time and no CPU of its own.
    apart = options.every_sample and bool(dump.meta.get("timestamps"))
    counted = _counted(tables["rows"], labels.events)
    labelled = labels.apply(counted, (tables["parent"], tables["leaf"]), frames_of(tables))
    samples = samples_of(labelled.rows, every_sample=apart)
    tables["rows"] = labels.own(counted)
    quality = _quality(dump, reader.counts(), samples, count_truncated(tables))
    facts = {str(key): str(value) for key, value in dump.meta["facts"].items()}
    return Profile(
        mappings_of(tables, {}),
        labelled.frames,
        Stacks(*labelled.stacks),
        samples,
        [text(comm) for comm in tables["comms"]],
        Meta(events, quality, facts),
    )


def _labels(dump: _Dump, rows: Array) -> Labels:
    """Return what is to be told of rows besides their stacks."""
    details = [
        {int(number): str(meaning) for number, meaning in event.get("details", {}).items()}
        for event in dump.meta["events"]
    ]
    return Labels(rows, details, np.concatenate([np.zeros(0, layout.KEPT_JOIN), *dump.joins]))


def _records(dump: _Dump, rows: Array, events: int) -> Iterator[memoryview]:
    """Give what the rows are for the native reader."""
    hidden = [(int(start), int(end)) for start, end in dump.meta.get("hidden", ())]
    stacks = _stack_table(dump.stacks).without(hidden)
    copied = np.isin(rows["user_stack"], np.fromiter(dump.copies, np.uint64, len(dump.copies)))
    yield from (part.data for part in records(rows[~copied], stacks, events))
    made = bpf_copies.records(rows[copied], dump.copies, stacks, events, str(dump.meta["arch"]))
    while batch := b"".join(islice(made, _AT_ONCE)):
        yield memoryview(batch)


def _counted(rows: Array, events: int) -> Array:
    """Join the rows of each event and of its second, in the same order. Those with copies are alone."""
    first, second, copied = (rows[rows["event"] // events == part].copy() for part in range(3))
    first["count"] = second["weight"]
    first["weight"] -= second["weight"]
    copied["weight"] -= copied["count"]
    copied["event"] -= 2 * events
    return np.concatenate((first, copied))


def _quality(dump: _Dump, counts: dict[str, int], samples: Samples, truncated: int) -> Quality:
    tallies = dump.tallies.get("events", [])
    kept = int(samples.count.sum())
    total = {name: sum(int(event[name]) for event in tallies) for name in (*_LOSSES, "counted", "left_out")}
    if dump.whole and total["counted"] != kept:
        raise ValueError(f"its rows add up to {kept:,}, but {total['counted']:,} were counted")
    lost = {cause: total[name] for name, cause in _LOSSES.items() if total[name]}
    return Quality(
        read=kept + sum(lost.values()),
        lost=lost,
        without_stack=samples.without_stack,
        truncated=truncated,
        # What is missing of the log of address spaces, and an end that never came.
        skipped_lines=counts["lost"] + counts["bad_records"] + counts["cut_off"] + (not dump.whole),
        filtered={"weight": total["left_out"]} if total["left_out"] else {},
    )
