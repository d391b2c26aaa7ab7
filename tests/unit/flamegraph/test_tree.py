"""`build_tree` against a slow twin of dicts."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamegraph import Labels, Tree, build_tree

NAMES = ["b", "a", "c", "a"]
LABELS = Labels(NAMES, ["user"] * 4, [""] * 4)


@st.composite
def stack_tables(draw):
    count = draw(st.integers(0, 40))
    parent = [draw(st.integers(-1, at - 1)) for at in range(count)]
    label = [draw(st.integers(0, len(NAMES) - 1)) for _ in range(count)]
    weight = [draw(st.integers(0, 3)) for _ in range(count)]
    return parent, label, weight


def tree_of(parent, label, weight, labels=LABELS):
    columns = np.array(parent, np.int32), np.array(label, np.int32), np.array(weight, np.int64)
    return build_tree(*columns, labels)


def weights_by_path(parent, label, weight):
    paths, own, total = [], defaultdict(int), defaultdict(int)
    for above, mark, value in zip(parent, label, weight, strict=True):
        path = (*(paths[above] if above >= 0 else ()), mark)
        paths.append(path)
        own[path] += value
        for end in range(len(path) + 1):
            total[path[:end]] += value
    return own, total


def paths_of(tree: Tree):
    return [tuple(int(tree.label[at]) for at in tree.path(node)) for node in range(len(tree))]


@given(stack_tables())
@settings(max_examples=300, deadline=None)
def test_tree_equals_the_twin_of_dicts(table):
    own, total = weights_by_path(*table)
    tree = tree_of(*table)
    paths = paths_of(tree)
    assert len(set(paths)) == len(paths)
    assert dict(zip(paths[1:], tree.total[1:].tolist(), strict=True)) == {
        p: w for p, w in total.items() if p and w
    }
    assert tree.total[0] == sum(table[2])
    assert all(own[path] == tree.self_weight[at] for at, path in enumerate(paths) if at)


@given(stack_tables())
@settings(max_examples=200, deadline=None)
def test_tree_columns_are_a_preorder_with_siblings_in_name_order(table):
    tree = tree_of(*table)
    paths = paths_of(tree)
    keys = [[(NAMES[label], label) for label in path] for path in paths]
    assert keys == sorted(keys)
    assert tree.depth.tolist() == [len(path) for path in paths]
    assert tree.size.tolist() == [sum(other[: len(path)] == path for other in paths) for path in paths]
    assert tree.parent[0] == -1
    assert all(paths[tree.parent[at]] == paths[at][:-1] for at in range(1, len(paths)))


def test_tree_of_nothing_is_its_root():
    tree = tree_of([], [], [])
    assert (len(tree), tree.total.tolist(), tree.labels.name[tree.label[0]]) == (1, [0], "all")


def test_tree_takes_a_stack_60000_deep_beside_its_duplicate():
    deep = 60_000
    parent = [-1, *range(deep - 1), -1, *range(deep, 2 * deep - 1)]
    tree = tree_of(parent, [0] * 2 * deep, [1] * 2 * deep)
    assert (len(tree), int(tree.depth.max()), int(tree.total[1])) == (deep + 1, deep, 2 * deep)


def test_tree_weights_up_to_int64_are_exact_and_beyond_raise():
    top = 2**63 - 1
    assert int(tree_of([-1, -1], [0, 1], [top - 1, 1]).total[0]) == top
    with pytest.raises(OverflowError, match="int64"):
        tree_of([-1, -1], [0, 1], [top, 1])


@pytest.mark.parametrize(
    ("parent", "label", "weight"),
    [([0], [0], [1]), ([-2], [0], [1]), ([-1], [9], [1]), ([-1], [0], [-1]), ([-1], [0, 0], [1])],
)
def test_tree_refuses_what_is_no_stack_table(parent, label, weight):
    with pytest.raises(ValueError, match=r"parent|label|weight"):
        tree_of(parent, label, weight)


def test_labels_of_different_length_are_refused():
    with pytest.raises(ValueError, match="equally long"):
        Labels(["a"], [], [""])
