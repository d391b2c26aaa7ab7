"""Reader of what `perf script` prints."""

import re
from typing import Any

import numpy as np

from kprof._native._text import TextReader
from kprof.errors import FormatError
from kprof.model import Event, Frames, Mappings, Meta, Profile, Quality, Stacks
from kprof.model.events import NO_EVENT, event_of
from kprof.readers.options import ReadOptions
from kprof.readers.rows import samples_of
from kprof.readers.source import Source

# Small enough for what was read to be in the cache still when it is parsed.
_CHUNK = 1 << 18
_TIMED = re.compile(rb"^[^\n]*?\s-?\d+(/-?\d+)?\s+(\[\d+\]\s+)?\d+\.\d{3,9}:(\s|$)", re.MULTILINE)
_UNTIMED = re.compile(
    rb"^\S[^\n]*?\s\d+(/\d+)?\s+(\[\d+\]\s+)?(\d+\s+)?\S+:[ \t\r]*\n[ \t]*[0-9a-f]+[ \r\n]", re.MULTILINE
)


def sniff(head: bytes) -> bool:
    """Say whether this looks like `perf script` text: a header with a time, or with a stack below."""
    return bool(_TIMED.search(head) or _UNTIMED.search(head))


def read(source: Source, options: ReadOptions) -> Profile:
    """Read the text, in one pass.

    Memory grows with the number of distinct stacks, not with the text, unless every sample is to be
    kept apart.

    Raises:
        FormatError: A line is longer than 16 MiB, or the weights do not add up within int64.
    """
    reader = TextReader(
        options.compat or "right",
        pid=options.pid,
        tid=options.tid,
        addresses=options.addresses,
        kernel=options.kernel,
        jit=options.jit,
        event=options.event.encode(errors="surrogateescape") if options.compat else b"",
        keep_arguments=options.names in {"full", "raw"},
        keep_ids=options.ids,
        every_sample=options.every_sample,
    )
    try:
        while size := source.readinto(reader.room(_CHUNK)):
            reader.commit(size)
        reader.room(1)
        reader.commit(0, last=True)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{source.name}: {error}") from None
    # inferno replaces what is not UTF-8; elsewhere the bytes are carried through as they are.
    errors = "replace" if options.compat == "inferno" else "surrogateescape"
    return _profile(reader.tables(), errors, every_sample=options.every_sample)


def _profile(tables: dict[str, Any], errors: str, *, every_sample: bool) -> Profile:
    texts = {
        key: [text.decode("utf-8", errors) for text in tables[key]]
        for key in ("names", "modules", "sources", "comms", "events")
    }
    events = tuple(event_of(name) for name in texts["events"] or [NO_EVENT])
    events = tuple(_as_printed(event, row, tables["rows"]) for row, event in enumerate(events))
    return Profile(
        Mappings(texts["modules"]),
        _frames(tables["frames"], texts["names"], texts["sources"]),
        Stacks(tables["parent"], tables["leaf"]),
        samples_of(tables["rows"], every_sample=every_sample),
        texts["comms"],
        Meta(events, _quality(tables["counts"])),
    )


def _as_printed(event: Event, row: int, rows: np.ndarray) -> Event:
    """Return the event, in samples where no period was printed: old versions and `-F` leave it out."""
    own = rows[rows["event"] == row]
    without = event.unit == "ns" and len(own) and np.array_equal(own["weight"], own["count"])
    return Event(event.name, "samples") if without else event


def _frames(rows: np.ndarray, names: list[str], sources: list[str]) -> Frames:
    return Frames(
        [names[i] for i in rows["name"].tolist()],
        np.ascontiguousarray(rows["module"]),
        np.ascontiguousarray(rows["address"]),
        rows["kind"].astype(np.uint8),
        [sources[i] if i >= 0 else "" for i in rows["source"].tolist()] if sources else (),
    )


def _quality(counts: dict[str, int]) -> Quality:
    return Quality(
        read=counts["read"],
        lost={"recorder": counts["lost"]} if counts["lost"] else {},
        without_stack=counts["without_stack"],
        skipped_lines=counts["skipped_lines"],
        filtered={"event": counts["filtered"]} if counts["filtered"] else {},
    )
