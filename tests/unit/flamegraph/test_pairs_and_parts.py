"""What pages of several profiles and of samples are made of."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamegraph import (
    align,
    build_tree_with_places,
    differential,
    from_dataframe,
    from_folded,
    grouped,
    time_facet,
)
from flamegraph.colors import MODULE_COLORS, scheme
from flamegraph.encode import encode, encode_samples, read_varints, unpack
from flamegraph.folded import write
from flamegraph.hints import unknown_by_module
from flamegraph.overview import GAP, overview
from flamegraph.samples import Facet
from flamegraph.tree import Labels

stacks = st.dictionaries(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map(";".join), st.integers(1, 99)
)


def tree_of(lines):
    return from_folded([f"{stack} {weight}".encode() for stack, weight in lines.items()])


def folded(tree):
    return dict(line.rsplit(" ", 1) for line in write(tree))


def as_text(lines):
    return {stack: str(weight) for stack, weight in lines.items()}


@given(stacks, stacks)
def test_differential_tree_holds_both(before, after):
    tree = differential(tree_of(before), tree_of(after))
    assert folded(tree) == as_text(after)
    swapped = {}
    for node in np.flatnonzero(tree.other_weight).tolist():
        swapped[";".join(tree.labels.name[tree.label[at]] for at in tree.path(node))] = int(
            tree.other_weight[node]
        )
    assert swapped == before


def test_a_data_frame_with_deltas_is_a_differential_tree():
    tree = from_dataframe({"stack": ["a;b", "a;gone", "new"], "weight": [5, 0, 2], "delta": [3, -4, 2]})
    names = [tree.labels.name[label] for label in tree.label]
    assert dict(zip(names, tree.self_weight.tolist(), strict=True)) == {
        "all": 0,
        "a": 0,
        "b": 5,
        "gone": 0,
        "new": 2,
    }
    assert dict(zip(names, tree.other_weight.tolist(), strict=True)) == {
        "all": 0,
        "a": 0,
        "b": 2,
        "gone": 4,
        "new": 0,
    }
    with pytest.raises(ValueError, match="negative"):
        from_dataframe({"stack": ["a"], "weight": [1], "delta": [2]})


@given(stacks, stacks)
def test_aligned_trees_have_the_same_labels_and_stay_what_they_were(one, other):
    first, second = align(tree_of(one), tree_of(other))
    assert first.labels == second.labels
    assert folded(first) == as_text(one)
    assert folded(second) == as_text(other)
    left, right = encode(first, second)
    assert left.labels == right.labels


def test_trees_of_different_labels_are_refused_side_by_side():
    with pytest.raises(ValueError, match="same labels"):
        encode(tree_of({"a": 1}), tree_of({"b": 1}))


@given(
    st.dictionaries(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(";".join),
        st.integers(1, 1000),
        min_size=1,
    )
)
def test_overview_keeps_totals_and_places(lines):
    tree = tree_of(lines)
    small = overview(tree, parts=8)
    kept = [at for at in range(len(small)) if small.labels.kind[small.label[at]] != GAP]
    assert int(small.self_weight.sum()) == int(tree.total[0])
    whole = {tuple(tree.label[tree.path(at)].tolist()): int(tree.total[at]) for at in range(len(tree))}
    for at in kept:
        assert whole[tuple(small.label[small.path(at)].tolist())] == int(small.total[at])
        below = small.self_weight[at : at + small.size[at]].sum()
        assert int(below) == int(small.total[at])
    heavy = [at for at in range(len(tree)) if int(tree.total[at]) * 8 >= int(tree.total[0])]
    assert len(kept) == len(heavy)


def test_places_say_where_the_nodes_of_the_table_went():
    parent, label = np.array([-1, 0, -1, 2, 2], np.int32), np.array([0, 1, 0, 1, 2], np.int32)
    labels = Labels(["a", "b", "c"], [""] * 3, [""] * 3)
    tree, place = build_tree_with_places(parent, label, np.array([0, 2, 0, 3, 0]), labels)
    assert place.tolist() == [1, 2, 1, 2, -1]
    assert tree.self_weight.tolist() == [0, 0, 5]


def test_samples_are_summed_and_read_back():
    facet = Facet("CPU", ["0", "1"], np.array([1, 1, 0, 1]))
    samples = grouped(np.array([2, 2, 1, -1]), np.array([3, 4, 5, 6]), [facet])
    assert samples.node.tolist() == [1, 2]
    assert samples.weight.tolist() == [5, 7]
    meta, packed = encode_samples(samples)
    assert read_varints(unpack(packed)) == [1, 1, 5, 7, 0, 1]
    assert meta["facets"] == [{"name": "CPU", "values": ["0", "1"]}]
    json.dumps(meta)


@pytest.mark.parametrize("seconds", [0.001, 2, 29, 1000, 10**6])
def test_time_is_cut_into_cells_that_hold_it(seconds):
    times = np.array([7 * 10**9, 7 * 10**9 + int(seconds * 10**9)])
    facet = time_facet(times)
    cells = facet.heat["rows"] * facet.heat["columns"]
    assert facet.value.tolist()[0] == 0
    assert 0 <= facet.value.tolist()[1] < cells
    assert facet.heat["columns"] <= 240
    cell = facet.heat["seconds"] / facet.heat["rows"]
    assert facet.value.tolist()[1] == pytest.approx(seconds / cell, abs=1)


def test_heaviest_modules_never_share_a_colour():
    modules = [f"lib{at}.so" for at in range(40)]
    labels = Labels(modules, ["user"] * 40, modules)
    made = scheme(labels, "module", list(range(40, 0, -1)))
    of = made.of_label[: len(MODULE_COLORS)]
    assert len(set(of)) == len(MODULE_COLORS)
    assert made.legend[-1] == ("other modules", len(MODULE_COLORS))
    assert (
        scheme(Labels(["f"], ["user"], ["/a/libx.so.1"]), "module").of_label
        == scheme(Labels(["g"], ["user"], ["/b/libx.so.2"]), "module").of_label
    )


def test_modules_without_names_are_hinted_at():
    tree = from_folded([b"main;[libx.so] 30", b"main;f 70", b"main;[liby.so] 0"])
    (hint,) = unknown_by_module(tree)
    assert hint.startswith("libx.so: 30.0% without names")
    assert unknown_by_module(from_folded([])) == []
