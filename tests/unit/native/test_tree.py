"""Frames of a tree replaced: equal stacks become one."""

import numpy as np
import pytest

from kprof._native._tree import replace


def tree(parent, frame, paths):
    start = np.cumsum([0, *map(len, paths)])
    items = np.array([item for path in paths for item in path], np.int32)
    return replace(np.array(parent, np.int32), np.array(frame, np.int32), start, items)


def stacks(parent, frame, nodes):
    found = []
    for node in nodes:
        stack, at = [], int(node)
        while at >= 0:
            stack.append(int(frame[at]))
            at = int(parent[at])
        found.append(stack[::-1])
    return found


def test_frames_that_become_one_join_their_stacks():
    parent, frame, node = tree([-1, 0, 0, 1, 2], [0, 1, 2, 0, 0], [[0], [1], [1]])
    assert stacks(parent, frame, node) == [[0], [0, 1], [0, 1], [0, 1, 0], [0, 1, 0]]
    assert len(parent) == 3


def test_a_frame_becomes_a_path():
    parent, frame, node = tree([-1, 0, -1], [0, 1, 1], [[0, 2], [1]])
    assert stacks(parent, frame, node) == [[0, 2], [0, 2, 1], [1]]


def test_no_stack():
    parent, frame, node = tree([], [], [])
    assert len(parent) == len(frame) == len(node) == 0


@pytest.mark.parametrize(
    ("parent", "frame"), [([0], [0]), ([-2], [0]), ([-1], [1]), ([-1], [-1]), ([-1, 5], [0, 0])]
)
def test_what_is_out_of_range_is_refused(parent, frame):
    with pytest.raises(ValueError, match="out of range"):
        tree(parent, frame, [[0]])


@pytest.mark.parametrize("start", [[], [1, 0], [0, 2], [-1, 1]])
def test_paths_out_of_range_are_refused(start):
    column = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match=r"range|length"):
        replace(column - 1, column, np.array(start, np.int64), column)
