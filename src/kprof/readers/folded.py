"""Reader of folded stacks: `root;caller;leaf weight`."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from flamegraph import folded
from kprof._native._folded import FoldedReader
from kprof.errors import FormatError
from kprof.model import Event, Frames, Kind, Mappings, Meta, Profile, Quality, Samples, Stacks
from kprof.model.tables import Int32
from kprof.model.tree import path_any
from kprof.readers.names import enters_kernel, kind_of_name
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

FOLDED = "folded stacks"
_CHUNK = 1 << 20
BoolArray = npt.NDArray[np.bool_]
_LINE = re.compile(rb"[ \t]-?\d+(\.\d+)?\s*$")
_TWO_WEIGHTS = re.compile(rb"[ \t]\d+ \d+\s*$")
_ENOUGH = 0.5
_DELIMITERS = ("-", "--")
# `work (app/jobs.py:12)`, and with --native also `read (libc.so.6)`, which stays as it is.
_PY_SPY = re.compile(r"(.+) \(([^()]+):(\d+)\)$")
_PYTHON_FILES = (".py", ".pyx", ".pyc")


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
    weights = stacks.weight[ends]
    python = _lines_of_python(stacks.names)
    parent, node, delimited = _without_delimiters(stacks)
    frames, of_stack = _frames(stacks, parent, delimited, python)
    # py-spy counts samples. What the number of others is, the text does not say.
    counts = weights if python else np.ones(len(ends), np.int64)
    event = Event("samples", "samples") if python else Event("weight", "weight")
    samples = Samples(node[ends], np.zeros(len(ends), np.int32), weights, counts)
    quality = Quality(int(counts.sum()), without_stack=samples.without_stack, skipped_lines=stacks.skipped)
    facts = {"recorder": "py-spy"} if python else {"input": FOLDED}
    return Profile(Mappings(), frames, Stacks(parent, of_stack), samples, meta=Meta((event,), quality, facts))


def _lines_of_python(names: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Return name and source of the frames that py-spy wrote, by number; none if another program did."""
    found = {at: match for at, name in enumerate(names) if (match := _PY_SPY.match(name))}
    of_python = sum(1 for match in found.values() if match[2].endswith(_PYTHON_FILES) or match[2][0] == "<")
    if of_python <= _ENOUGH * len(names):
        return {}
    return {at: (match[1], f"{match[2]}:{match[3]}") for at, match in found.items()}


def _without_delimiters(stacks: folded.FoldedStacks) -> tuple[Int32, Int32, BoolArray]:
    """Take out the frames `-` that BCC's tools put between the user's frames and the kernel's with `-d`.

    Returns:
        Parents, the node in place of each, and whether a delimiter is on its path.
    """
    marks = np.array([name in _DELIMITERS for name in stacks.names], bool)[stacks.label]
    node = np.arange(len(marks), dtype=np.int32)
    if not marks.any():
        return stacks.parent, node, marks
    for row in np.flatnonzero(marks).tolist():
        above = int(stacks.parent[row])
        node[row] = node[above] if above >= 0 else -1
    return np.append(node, np.int32(-1))[stacks.parent], node, path_any(stacks.parent, marks)


def _frames(
    stacks: folded.FoldedStacks, parent: Int32, delimited: BoolArray, python: Mapping[int, tuple[str, str]]
) -> tuple[Frames, Int32]:
    """Return the frames, and which of them each stack ends with.

    A name that occurs both in the kernel and outside of it makes two frames.
    """
    kinds = np.array([kind_of_name(name) for name in stacks.names], np.uint8)
    entries = np.array([enters_kernel(name) for name in stacks.names], bool)
    kinds[list(python)] = Kind.PYTHON
    in_kernel = path_any(parent, entries[stacks.label]) | delimited
    in_kernel &= kinds[stacks.label] == Kind.USER
    keys, of_stack = np.unique(stacks.label * np.int64(2) + in_kernel, return_inverse=True)
    label = keys // 2
    named = [python.get(i, (stacks.names[i], "")) for i in label.tolist()]
    frames = Frames(
        [name for name, _ in named],
        np.full(len(keys), -1, np.int32),
        np.zeros(len(keys), np.uint64),
        np.where(keys % 2, np.uint8(Kind.KERNEL), kinds[label]),
        [source for _, source in named] if python else (),
    )
    return frames, of_stack.astype(np.int32)
