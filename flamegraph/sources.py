"""Trees from what people have at hand: folded lines, a data frame."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from flamegraph import folded
from flamegraph.tree import INT64_MAX, Labels, Tree, build_tree

_ANNOTATED = {"_[k]": "kernel", "_[j]": "jit", "_[i]": "inlined"}
_BRACKETED = re.compile(r"\[([^\[\]]+)\]")
_PYTHON = re.compile(r"(py::|.*\.py(:\d+)?\)?$)")


def guess_labels(names: Sequence[str]) -> Labels:
    """Guess kind and module of names that come without: `_[k]`, `_[j]`, `_[i]`, `[libz.so]`, `[unknown]`.

    The names themselves stay as they are.
    """
    guesses = [_guess(name) for name in names]
    return Labels(list(names), [kind for kind, _ in guesses], [module for _, module in guesses])


def _guess(name: str) -> tuple[str, str]:
    if kind := _ANNOTATED.get(name[-4:]):
        return kind, "[kernel]" if kind == "kernel" else ""
    if bracketed := _BRACKETED.fullmatch(name):
        inside = bracketed[1]
        if inside == "unknown":
            return "unknown", ""
        if inside.startswith("kernel"):
            return "kernel", "[kernel]"
        return ("vdso", name) if inside == "vdso" else ("unknown", inside)
    if name in {"", "??", "0x0"}:
        return "unknown", ""
    return ("python" if _PYTHON.match(name) else "user"), ""


def from_folded(lines: Iterable[bytes], root_name: str = "all") -> Tree:
    """Build the tree of folded lines; lines that cannot be read are left out (see `read` to count them)."""
    stacks = folded.read(lines)
    return build_tree(stacks.parent, stacks.label, stacks.weight, guess_labels(stacks.names), root_name)


def from_dataframe(frame: Any, root_name: str = "all") -> Tree:
    """Build the tree of a data frame.

    Args:
        frame: a pandas DataFrame, or anything that maps column names to columns: `stack` (frames root first,
            as a sequence or joined by `;`), `weight` (whole numbers), and maybe `kind` and `module`, in the
            same form as `stack`, and `delta`: how much more the weight is than in a profile to compare with,
            which makes the tree a differential one. One kind or module for a stack of several frames is that
            of its leaf.
        root_name: name of the root box.

    Raises:
        ValueError: A weight is not whole or below zero, or columns do not fit each other.
    """
    table = _StackTable()
    stacks = [_cells(cell) for cell in frame["stack"]]
    kinds = _parallel(frame, "kind", stacks)
    modules = _parallel(frame, "module", stacks)
    deltas = frame["delta"] if "delta" in frame else [0] * len(stacks)
    for names, kind, module, weight, delta in zip(
        stacks, kinds, modules, frame["weight"], deltas, strict=True
    ):
        table.add(names, kind, module, _whole(weight), _whole(weight) - _whole(delta))
    return table.tree(root_name, compared="delta" in frame)


def _whole(number: Any) -> int:
    if number != int(number):
        raise ValueError(f"the weight {number} is not a whole number")
    return int(number)


def _cells(cell: object) -> list[str]:
    if isinstance(cell, str):
        return cell.split(";")
    if isinstance(cell, Iterable):
        return [str(part) for part in cell]
    return [""]


def _parallel(frame: Any, column: str, stacks: list[list[str]]) -> list[list[str]]:
    if column not in frame:
        return [[""] * len(names) for names in stacks]
    rows = []
    for cell, names in zip(frame[column], stacks, strict=True):
        values = _cells(cell)
        if len(values) == 1:
            values = [""] * (len(names) - 1) + values
        if len(values) != len(names):
            raise ValueError(f"{column} has {len(values)} values for a stack of {len(names)} frames")
        rows.append(values)
    return rows


class _StackTable:
    """Interns (name, kind, module) and stacks of them."""

    def __init__(self) -> None:
        self.labels: dict[tuple[str, str, str], int] = {}
        self.nodes: dict[tuple[int, int], int] = {}
        self.weights: list[int] = []
        self.others: list[int] = []

    def add(self, names: list[str], kinds: list[str], modules: list[str], weight: int, other: int) -> None:
        node = -1
        for name, kind, module in zip(names, kinds, modules, strict=True):
            guessed_kind, guessed_module = _guess(name)
            described = (name, kind or guessed_kind, module or guessed_module)
            label = self.labels.setdefault(described, len(self.labels))
            node = self.nodes.setdefault((node, label), len(self.nodes))
            if node == len(self.weights):
                self.weights.append(0)
                self.others.append(0)
        if names:
            self.weights[node] += weight
            self.others[node] += other

    def tree(self, root_name: str, *, compared: bool) -> Tree:
        if any(weight > INT64_MAX for weight in (*self.weights, *self.others)):
            raise OverflowError("the weights of one stack sum to more than int64 holds")
        pairs = np.array(list(self.nodes), np.int32).reshape(-1, 2)
        labels = Labels(*(list(column) for column in zip(*self.labels, strict=True))) if self.labels else None
        weights, others = np.array(self.weights, np.int64), np.array(self.others, np.int64)
        return build_tree(
            pairs[:, 0],
            pairs[:, 1],
            weights,
            labels or Labels([], [], []),
            root_name,
            other=others if compared else None,
        )
