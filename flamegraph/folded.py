"""The folded grammar: one line a stack, `root;caller;leaf weight`."""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from flamegraph.tree import INT64_MAX, Int32, Int64, Tree

_WHOLE = re.compile(rb"(\d+)(?:\.0*)?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FRAME_SHIFT = 32
_MANY_DIGITS = 1000


class FoldedError(ValueError):
    """A line is not `frames weight`; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class FoldedStacks:
    """Stacks as nodes of a stack table: node i is the stack of its parent with one frame more.

    Attributes:
        names: frame names, bytes that are not UTF-8 kept as surrogates.
        parent: (n,) int32; smaller than the own index, -1 at a root.
        label: (n,) int32; index into names.
        weight: (n,) int64; summed over the lines that end at the node.
        skipped: number of lines that could not be read.
        first_bad: line number, counted from 1, and reason of the first of them.
    """

    names: list[str]
    parent: Int32
    label: Int32
    weight: Int64
    skipped: int
    first_bad: tuple[int, str] | None


class _Ids(dict[bytes, int]):
    """Numbers names in the order in which they are first asked for."""

    def __missing__(self, name: bytes) -> int:
        self[name] = number = len(self)
        return number


def parse_line(line: bytes) -> tuple[list[bytes], int]:
    """Split one line into its frames, root first, and its weight.

    Raises:
        FoldedError: there is no whole, non-negative weight behind the last space or tab.
    """
    stack, weight = _split(line)
    return stack.split(b";"), weight


def _split(line: bytes) -> tuple[bytes, int]:
    line = line.rstrip()
    stack, space, digits = line.rpartition(b" ")
    if b"\t" in digits or not space:
        stack, space, digits = line.rpartition(b"\t")
    if not space:
        raise FoldedError("no space before a weight")
    if digits.isdigit():
        weight = _number(digits)
    elif match := _WHOLE.fullmatch(digits):
        weight = _number(match[1])
    elif digits.startswith(b"-"):
        raise FoldedError(f"the weight {digits[:40].decode(errors='replace')!r} is negative")
    else:
        raise FoldedError(f"the weight {digits[:40].decode(errors='replace')!r} is not a whole number")
    if weight > INT64_MAX:
        raise FoldedError(f"the weight {digits[:40].decode()} is larger than int64 holds")
    return stack, weight


def _number(digits: bytes) -> int:
    """Return the number, or one that is too large if there are more digits than Python converts."""
    return int(digits) if len(digits) < _MANY_DIGITS else INT64_MAX + 1


def read(lines: Iterable[bytes]) -> FoldedStacks:
    """Read folded lines into a stack table; identical stacks are summed.

    Blank lines and lines that begin with `#` say nothing. Lines that cannot be read are counted, not fatal.

    Raises:
        OverflowError: the weights of one stack sum to more than int64 holds.
    """
    builder = _Builder()
    skipped, first_bad = 0, None
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
        if line.startswith(b"#") or not line.strip():
            continue
        try:
            stack, weight = _split(line)
        except FoldedError as error:
            skipped += 1
            first_bad = first_bad or (number, str(error))
        else:
            try:
                builder.add(stack, weight)
            except OverflowError:
                raise OverflowError("the weights of one stack sum to more than int64 holds") from None
    return builder.finish(skipped, first_bad)


class _Builder:
    """The growing stack table."""

    def __init__(self) -> None:
        self.ids = _Ids()
        self.children: dict[int, int] = {}
        # Arrays, as lists of millions are walked whenever Python collects garbage.
        self.parent = array("i")
        self.label = array("i")
        self.weight = array("q")
        self.last_stack = b""
        self.last_number = 0
        self.last_nodes: list[int] = []

    def add(self, stack: bytes, weight: int) -> None:
        # Neighbouring lines share most of their frames: only what differs is split and looked up.
        number = int.from_bytes(stack, "little")
        shared = self._shared_bytes(stack, number)
        nodes = self.last_nodes[: self.last_stack.count(b";", 0, shared)]
        node = nodes[-1] if nodes else -1
        children, ids, grow = self.children, self.ids, nodes.append
        for name in stack[shared:].split(b";"):
            frame = ids[name]
            # The node low: a dict looks at the low bits first, and frames repeat far more than nodes do.
            key = frame << _FRAME_SHIFT | (node + 1)
            child = children.get(key)
            if child is None:
                child = children[key] = len(self.parent)
                self.parent.append(node)
                self.label.append(frame)
                self.weight.append(0)
            node = child
            grow(node)
        self.weight[node] += weight
        self.last_stack, self.last_number, self.last_nodes = stack, number, nodes

    def _shared_bytes(self, stack: bytes, number: int) -> int:
        """Length of the whole frames, with their `;`, that the stack has in common with the last one."""
        # As numbers, first byte lowest, two stacks differ first at the lowest bit of their difference.
        differs = number ^ self.last_number
        lowest = (differs & -differs).bit_length() - 1
        same = lowest >> 3 if differs else min(len(stack), len(self.last_stack))
        return stack.rfind(b";", 0, min(same, len(stack), len(self.last_stack))) + 1

    def finish(self, skipped: int, first_bad: tuple[int, str] | None) -> FoldedStacks:
        return FoldedStacks(
            names=[name.decode("utf-8", "surrogateescape") for name in self.ids],
            parent=np.array(self.parent, np.int32),
            label=np.array(self.label, np.int32),
            weight=np.array(self.weight, np.int64),
            skipped=skipped,
            first_bad=first_bad,
        )


def clean_name(name: str) -> str:
    """Make a frame's name safe in a line: `;` becomes `:`, control characters become spaces."""
    return _UNPRINTABLE.sub(" ", name.replace(";", ":"))


def format_stack(frames: Sequence[str], weight: int) -> str:
    """Write one line, without its end: a `;` inside a name becomes `:`, control characters become spaces."""
    stack = ";".join(map(clean_name, frames))
    # A reader takes a line that begins with # for a comment; a space in front keeps the stack.
    return f"{' ' if stack.startswith('#') else ''}{stack} {weight}"


def write(tree: Tree) -> Iterator[str]:
    """Yield the tree as folded lines without line ends, in preorder; the root box is left out."""
    names = tree.labels.name
    path: list[str] = []
    for depth, label, weight in zip(
        tree.depth.tolist(), tree.label.tolist(), tree.self_weight.tolist(), strict=True
    ):
        del path[max(depth - 1, 0) :]
        if depth:
            path.append(names[label])
        if weight and depth:
            yield format_stack(path, weight)
