"""Folded text comes in the order of its bytes, equal stacks added up."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprof._native._text import fold

NAMES = st.binary(max_size=4).map(lambda b: b.translate(bytes.maketrans(b";\n", b"  ")))
STACKS = st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=5), st.integers(0, 1000)), max_size=30)


def folded(stacks, roots=None):
    labels, frames, nodes = {}, {}, {}
    ends = []
    for stack, _ in stacks:
        node = -1
        for name in stack:
            label = labels.setdefault(name, len(labels))
            node = nodes.setdefault((node, frames.setdefault(label, len(frames))), len(nodes))
        ends.append(node)
    tree = np.array(list(nodes), np.int32).reshape(-1, 2)
    root = [-1] * len(stacks) if roots is None else [labels.setdefault(r, len(labels)) for r in roots]
    return fold(
        list(labels),
        np.array(list(frames), np.int32),
        np.ascontiguousarray(tree[:, 0]),
        np.ascontiguousarray(tree[:, 1]),
        np.array(root, np.int32),
        np.array(ends, np.int32),
        np.array([w for _, w in stacks], np.int64),
    )


def expected(stacks):
    sums = Counter()
    for stack, weight in stacks:
        sums[b";".join(stack)] += weight
    return b"".join(b"%s %d\n" % (s, sums[s]) for s in sorted(sums)), len(sums)


@given(STACKS)
def test_equals_sorted_lines(stacks):
    # A stack of one empty name and no stack at all read the same; the tree keeps them apart.
    assert folded(stacks) == expected(stacks)


@given(STACKS, st.data())
def test_roots_stand_below(stacks, data):
    roots = [data.draw(NAMES) for _ in stacks]
    below = [([root, *stack], weight) for root, (stack, weight) in zip(roots, stacks, strict=True)]
    assert folded(stacks, roots) == expected(below)


def test_weights_never_wrap():
    with pytest.raises(OverflowError):
        folded([([b"a"], 2**63 - 1), ([b"a"], 1)])


def test_nothing():
    assert folded([]) == (b"", 0)
