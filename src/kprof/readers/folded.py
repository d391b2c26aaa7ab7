"""Reader of folded stacks: `root;caller;leaf weight`."""

import re

import numpy as np

from flamegraph import folded
from kprof._native._folded import FoldedReader
from kprof.errors import FormatError
from kprof.model import Event, Frames, Kind, Mappings, Meta, Profile, Quality, Samples, Stacks
from kprof.model.tables import Int32
from kprof.model.tree import path_any
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

FOLDED = "folded stacks"
_CHUNK = 1 << 20
_MARKS = (("_[k]", Kind.KERNEL), ("_[j]", Kind.JIT), ("_[i]", Kind.INLINED))
_STARTS = (
    ("[", Kind.UNKNOWN),
    ("py::", Kind.PYTHON),
    ("JS:", Kind.JIT),
    ("LazyCompile:", Kind.JIT),
    ("Interpreter:", Kind.JIT),
)
# Where the kernel is entered; what stands above is kernel code. Names of x86-64, i386 and arm64.
_KERNEL_ENTRY = re.compile(
    r"entry_(SYSCALL|INT80|SYSENTER)|asm_(sysvec|exc|common|load)|do_syscall_64$|ret_from_fork|"
    r"secondary_startup_64|common_startup_64|x86_64_start|el[01][th]?_|el[01]_(sync|irq|svc)|__switch_to_asm$"
)
_LINE = re.compile(rb"[ \t]-?\d+(\.\d+)?\s*$")
_TWO_WEIGHTS = re.compile(rb"[ \t]\d+ \d+\s*$")
_ENOUGH = 0.5


def sniff(head: bytes) -> bool:
    """Say whether most of the whole lines end in a number, be it a possible weight or not."""
    lines = _whole_lines(head)
    looks = sum(1 for line in lines if _LINE.search(line) and b"\0" not in line)
    return bool(lines) and looks > _ENOUGH * len(lines)


def _whole_lines(head: bytes) -> list[bytes]:
    lines = head.split(b"\n")[:-1][:200] or [head]
    return [line for line in lines if line.strip() and not line.startswith(b"#")]


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read folded text. Lines that are not folded are skipped and counted.

    The text says nothing of kinds; they are taken from the field's marks (`_[k]`), from names, and, for
    the kernel, from where it is entered. The thread's name, if the text has one, is the first frame of
    each stack: nothing tells it from a function.

    Raises:
        FormatError: No line could be read, a line is longer than 16 MiB, each has two weights, or
            weights do not add up.
    """
    lines = _whole_lines(source.head)
    if b";" in source.head and all(_TWO_WEIGHTS.search(line) for line in lines):
        raise FormatError(
            f"{source.name} has two weights a line, as difffolded.pl writes",
            "give one of the profiles it compares",
        )
    stacks = _stacks(source)
    if stacks.first_bad and not len(stacks.weight):
        line, reason = stacks.first_bad
        raise FormatError(f"{source.name}: no line is a folded stack; line {line}: {reason}")
    return _profile(stacks)


def _stacks(source: Source) -> folded.FoldedStacks:
    """Do what `flamegraph.folded.read` does, natively: a million stacks take a second, not seven."""
    reader = FoldedReader()
    try:
        while piece := source.read(_CHUNK):
            reader.feed(piece)
        reader.feed(b"", last=True)
    except (OverflowError, ValueError) as error:
        raise FormatError(f"{source.name}: {error}") from None
    tables = reader.tables()
    names = [name.decode("utf-8", "surrogateescape") for name in tables["names"]]
    return folded.FoldedStacks(
        names, tables["parent"], tables["label"], tables["weight"], tables["skipped"], _reason(tables["bad"])
    )


def _reason(bad: tuple[int, bytes] | None) -> tuple[int, str] | None:
    """Say why a line could not be read."""
    if bad is None:
        return None
    number, line = bad
    try:
        folded.parse_line(line)
    except folded.FoldedError as error:
        return number, str(error)
    raise AssertionError(f"line {number} can be read")


def _profile(stacks: folded.FoldedStacks) -> Profile:
    ends = np.flatnonzero(stacks.weight)
    frames, of_stack = _frames(stacks)
    samples = Samples(
        ends.astype(np.int32),
        np.zeros(len(ends), np.int32),
        stacks.weight[ends],
        np.ones(len(ends), np.int64),
    )
    quality = Quality(read=len(ends), skipped_lines=stacks.skipped)
    return Profile(
        Mappings(),
        frames,
        Stacks(stacks.parent, of_stack),
        samples,
        meta=Meta((Event("weight", "weight"),), quality, {"input": FOLDED}),
    )


def _frames(stacks: folded.FoldedStacks) -> tuple[Frames, Int32]:
    """Return the frames, and which of them each stack ends with.

    A name that occurs both in the kernel and outside of it makes two frames.
    """
    kinds = np.array([_kind(name) for name in stacks.names], np.uint8)
    entries = np.array([bool(_KERNEL_ENTRY.match(name)) for name in stacks.names], bool)
    in_kernel = path_any(stacks.parent, entries[stacks.label]) & (kinds[stacks.label] == Kind.USER)
    keys, of_stack = np.unique(stacks.label * np.int64(2) + in_kernel, return_inverse=True)
    label = keys // 2
    frames = Frames(
        [stacks.names[i] for i in label.tolist()],
        np.full(len(keys), -1, np.int32),
        np.zeros(len(keys), np.uint64),
        np.where(keys % 2, np.uint8(Kind.KERNEL), kinds[label]),
    )
    return frames, of_stack.astype(np.int32)


def _kind(name: str) -> Kind:
    for mark, kind in _MARKS:
        if name.endswith(mark):
            return kind
    for start, kind in _STARTS:
        if name.startswith(start):
            return kind
    return Kind.USER
