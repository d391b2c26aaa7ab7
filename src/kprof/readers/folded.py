"""Reader of folded stacks: `root;caller;leaf weight`."""

import re
from collections.abc import Iterator

import numpy as np

from flamegraph import folded
from kprof.errors import FormatError
from kprof.model import Event, Frames, Kind, Mappings, Meta, Profile, Quality, Samples, Stacks
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 24
_MARKS = (("_[k]", Kind.KERNEL), ("_[j]", Kind.JIT), ("_[i]", Kind.INLINED))
_LINE = re.compile(rb" -?\d+(\.\d+)?\s*$")
_ENOUGH = 0.5


def sniff(head: bytes) -> bool:
    """Say whether most of the whole lines end in a number, be it a possible weight or not."""
    lines = head.split(b"\n")[:-1][:200] or [head]
    lines = [line for line in lines if line.strip() and not line.startswith(b"#")]
    looks = sum(1 for line in lines if _LINE.search(line) and b"\0" not in line)
    return bool(lines) and looks > _ENOUGH * len(lines)


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read folded text. Lines that are not folded are skipped and counted.

    The thread's name, if the text has one, is the first frame of each stack: nothing tells it from
    a function.

    Raises:
        FormatError: No line could be read, a line is longer than 16 MiB, or weights do not add up.
    """
    try:
        stacks = folded.read(_lines(source))
    except OverflowError as error:
        raise FormatError(f"{source.name}: {error}") from None
    if stacks.first_bad and not len(stacks.weight):
        line, reason = stacks.first_bad
        raise FormatError(f"{source.name}: no line is a folded stack; line {line}: {reason}")
    ends = np.flatnonzero(stacks.weight)
    count = len(ends)
    frames = Frames(
        stacks.names,
        np.full(len(stacks.names), -1, np.int32),
        np.zeros(len(stacks.names), np.uint64),
        np.array([_kind(name) for name in stacks.names], np.uint8),
    )
    weight = stacks.weight[ends]
    samples = Samples(ends.astype(np.int32), np.zeros(count, np.int32), weight, np.ones(count, np.int64))
    quality = Quality(read=count, skipped_lines=stacks.skipped)
    return Profile(
        Mappings(), frames, Stacks(stacks.parent, stacks.label), samples,
        meta=Meta((Event("samples"),), quality),
    )  # fmt: skip


def _kind(name: str) -> Kind:
    for mark, kind in _MARKS:
        if name.endswith(mark):
            return kind
    return Kind.UNKNOWN if name.startswith("[") else Kind.USER


def _lines(source: Source) -> Iterator[bytes]:
    rest = b""
    while part := source.read(_CHUNK):
        lines = (rest + part).split(b"\n")
        rest = lines.pop()
        if len(rest) > _LONGEST_LINE:
            raise FormatError(f"{source.name}: a line is longer than 16 MiB")
        yield from lines
    if rest:
        yield rest
