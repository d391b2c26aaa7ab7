"""perf.data -> Profile, without perf. Frames have places, not names: see `kprof.symbols`."""

import mmap
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from kprof._native._perf import PerfReader
from kprof.errors import FormatError, UsageError
from kprof.model import Profile
from kprof.readers.options import ReadOptions
from kprof.readers.perf_data.features import Features
from kprof.readers.perf_data.layout import Layout, byte_order, is_pipe, read_layout
from kprof.readers.perf_data.tables import profile_of
from kprof.readers.source import Source
from kprof.readers.stack_files import cfi_loader
from kprof.wire import perf_file as wire

_OWN_ORDER = "<" if sys.byteorder == "little" else ">"
_PIECE = 1 << 20
_STEP = 1 << 24
_WORD = 8
_MAX_INFLATED = 1 << 28


def sniff(head: bytes) -> bool:
    """Say whether it looks like perf.data."""
    return head.startswith((wire.MAGIC, wire.SWAPPED_MAGIC))


class Recording(NamedTuple):
    """A recording that was read to its end.

    Attributes:
        reader: Has what its records hold.
        features: What it says of itself.
        names: Names of events by number, of those that it names.
        cut: Whether the file ends before it should.
    """

    reader: PerfReader
    features: Features
    names: dict[int, str]
    cut: bool


def read(source: Source, options: ReadOptions) -> Profile:
    """Read a recording as a profile; see `load`.

    Raises:
        FormatError: It is damaged, or its weights do not add up within int64.
    """
    found = load(source, options)
    return profile_of(found.reader, found.features, found.names, options, cut=found.cut)


def load(source: Source, options: ReadOptions, *, keep_raw: bool = False) -> Recording:
    """Read a recording.

    A plain file, and what was written to a pipe, is read piece by piece, in memory that does not grow with
    it; any other stream is held in memory, because its last part is needed first. Of a file, only what
    describes it is mapped.

    Args:
        source: Where it comes from.
        options: How to read it.
        keep_raw: Keep samples apart, with what tracepoints give with them.

    Raises:
        FormatError: It is damaged, or its weights do not add up within int64.
        UsageError: It can no longer be read.
    """
    try:
        if is_pipe(source.head):
            return _read_pipe(source, options, keep_raw=keep_raw)
        if source.path is not None and not source.packed:
            return _read_file(source, options, Path(source.path), keep_raw=keep_raw)
        return _read_whole(source, options, _slurp(source), keep_raw=keep_raw)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged perf.data: {error}") from None
    except OSError as error:
        raise UsageError(f"cannot read {source.name}: {error.strerror}") from None


def _slurp(source: Source) -> memoryview:
    parts = []
    while part := source.read(_PIECE):
        parts.append(part)
    return memoryview(b"".join(parts))


def _read_file(source: Source, options: ReadOptions, path: Path, *, keep_raw: bool) -> Recording:
    first = path / "data" if path.is_dir() else path
    with first.open("rb") as file:
        # Never closed by hand: an error may still hold views of it.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        more = sorted(path.glob("data.*")) if path.is_dir() else ()
        descriptor = -1 if more else file.fileno()
        return _read_whole(source, options, mapped, more, descriptor=descriptor, keep_raw=keep_raw)


def _read_whole(
    source: Source,
    options: ReadOptions,
    data: bytes | mmap.mmap | memoryview,
    more: Sequence[Path] = (),
    *,
    descriptor: int = -1,
    keep_raw: bool,
) -> Recording:
    view = memoryview(data)
    layout = read_layout(view, source.name)
    features = Features(layout.order)
    for number, at, size in layout.sections:
        features.add(number, bytes(view[at : at + size]))
    reader = _reader(options, features, rounds=not more, keep_raw=keep_raw)
    for attr, ids in layout.events:
        reader.add_event(attr, ids)
    if descriptor >= 0:
        layout = _feed_file(reader, descriptor, layout, source)
    else:
        _feed(reader, view[layout.start : layout.end], source)
    for path in more:
        _feed(reader, memoryview(path.read_bytes()), source)
    return _finish(reader, features, layout)


def _feed_file(reader: PerfReader, descriptor: int, layout: Layout, source: Source) -> Layout:
    """Read the records of a file, which may be cut meanwhile; return its layout as it turned out."""
    reader.begin()
    at = layout.start
    while used := reader.feed_file(descriptor, at, min(at + _STEP, layout.end)):
        source.count(used)
        at += used
    return replace(layout, cut=layout.cut or at < layout.end)


def _feed(reader: PerfReader, view: memoryview, source: Source) -> None:
    """Read a stream of records where it lies, in steps, so that there is progress to show."""
    reader.begin()
    at = 0
    while at < len(view):
        used = reader.feed(view[at : at + _STEP])
        if not used:
            # The last record is cut off, or nothing but what follows it is here.
            reader.feed_piece(view[at:])
            return
        source.count(used)
        at += used


def _read_pipe(source: Source, options: ReadOptions, *, keep_raw: bool) -> Recording:
    features = Features(byte_order(source.head))
    reader = _reader(options, features, rounds=True, keep_raw=keep_raw)
    source.read(wire.PIPE_HEADER_BYTES)
    while part := source.read(_PIECE):
        reader.feed_piece(part)
    return _finish(reader, features, None)


def _reader(options: ReadOptions, features: Features, *, rounds: bool, keep_raw: bool) -> PerfReader:
    return PerfReader(
        swap=features.order != _OWN_ORDER,
        compat=options.compat == "perf",
        keep_ids=options.ids,
        every_sample=options.every_sample,
        keep_unmapped=options.addresses,
        keep_raw=keep_raw,
        rounds=rounds,
        arch=features.facts.get("arch", "").encode(errors="replace"),
        decompress=_decompressor(),
        load=cfi_loader(options.files, features.build_ids),
    )


def _inflated(decompress: Callable[[bytes], bytes], failure: type[Exception], data: bytes) -> bytes:
    try:
        return decompress(data)
    except failure as error:
        raise ValueError(str(error)) from None


def _decompressor() -> Callable[[bytes], bytes]:
    state: list[Callable[[bytes], bytes]] = []

    def decompress(data: bytes) -> bytes:
        if not state:
            import zstandard  # noqa: PLC0415 - only for the recordings that need it

            stream = zstandard.ZstdDecompressor(max_window_size=_MAX_INFLATED).decompressobj()
            state.append(partial(_inflated, stream.decompress, zstandard.ZstdError))
        return state[0](data)

    return decompress


def _finish(reader: PerfReader, features: Features, layout: Layout | None) -> Recording:
    reader.end()
    updates: dict[int, str] = {}
    for kind, data in reader.kept():
        if kind == wire.RECORD_BUILD_ID:
            features.add_build_id(data)
        elif kind == wire.RECORD_FEATURE and len(data) >= _WORD:
            features.add(struct.unpack_from(f"{features.order}Q", data)[0], data[_WORD:])
        elif kind == wire.RECORD_EVENT_UPDATE and len(data) >= 2 * _WORD:
            what, number = struct.unpack_from(f"{features.order}2Q", data)
            if what == wire.EVENT_UPDATE_NAME:
                name = data[2 * _WORD :].partition(b"\0")[0].decode("utf-8", "surrogateescape")
                updates[reader.event_of(number)] = name
    if formats := reader.tracing_data():
        features.add(wire.FEATURE_TRACING_DATA, formats)
    names = dict(enumerate(name for name, _ in features.events))
    return Recording(reader, features, names | updates, layout is not None and layout.cut)
