"""Encoding for the page, undone in Python."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamegraph import from_dataframe, from_folded
from flamegraph.encode import encode, read_varints, unpack, varints


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_varints_read_back(values):
    assert read_varints(varints(np.array(values, np.int64)).tobytes()) == values


def test_payload_holds_the_tree():
    tree = from_folded([b"a;b;c 3", b"a;b 9007199254740993", b"a;d_[k] 2", b"\xff 1"])
    (payload,) = encode(tree)
    labels = json.loads(unpack(payload.labels))
    numbers = read_varints(unpack(payload.columns))
    fall, label, own = (numbers[at * len(tree) : (at + 1) * len(tree)] for at in range(3))
    depth = [0]
    for step in fall[1:]:
        depth.append(depth[-1] + 1 - step)
    assert depth == tree.depth.tolist()
    assert own == tree.self_weight.tolist()
    assert [labels["name"][at] for at in label] == [tree.labels.name[at] for at in tree.label]
    assert payload.meta["total"] == str(9007199254740993 + 6)
    assert {text for text, _ in labels["schemes"]["kind"]["legend"]} >= {"application", "kernel"}


def test_dataframe_columns_become_a_tree():
    frame = {"stack": ["p;f;g", ["p", "f"]], "weight": [2, 3], "kind": ["process;user;kernel", "user"]}
    tree = from_dataframe({**frame, "module": ["libx.so", ";libx.so"]})
    assert tree.total.tolist()[0] == 5
    named = {tree.labels.name[at]: tree.labels.kind[at] for at in tree.label.tolist()}
    assert named["g"] == "kernel"
    with pytest.raises(ValueError, match="whole"):
        from_dataframe({"stack": ["a"], "weight": [1.5]})
