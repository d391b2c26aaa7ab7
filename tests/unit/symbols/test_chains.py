"""Chains as columns."""

import numpy as np
import pytest

from kprof.symbols.chains import NOTHING, Chains

F, G, H = (b"f", False, "a.c:1"), (b"_Z1gv", True, ""), (b"", False, "dir/\udcff.c:9")
KNOWN = {1: [F, G], 5: [], 7: [F, G], 9: [H]}


def made(known):
    return Chains.of(np.array(list(known), np.uint64), list(known.values()))


def test_equal_chains_are_one():
    chains = made(KNOWN)
    assert chains.chain.tolist() == [0, 1, 0, 2]
    assert len(chains.mangled) == 3
    assert chains.by_address() == KNOWN


def test_addresses_are_found():
    chains = made(KNOWN)
    assert chains.find(np.array([0, 1, 5, 6, 9, 10], np.uint64)).tolist() == [-1, 0, 1, -1, 2, -1]
    assert NOTHING.find(np.array([1], np.uint64)).tolist() == [-1]


def test_others_are_added_in_order():
    more = {3: [H, F], 11: [F, G]}
    both = made(KNOWN).with_others(np.array(list(more), np.uint64), list(more.values()))
    assert both.addresses.tolist() == [1, 3, 5, 7, 9, 11]
    assert both.by_address() == KNOWN | more


@pytest.mark.parametrize("known", [{}, {4: []}, KNOWN])
def test_bytes_and_back(known):
    assert Chains.decode(made(known).encode()).by_address() == known


def test_other_bytes_are_refused():
    whole = made(KNOWN).encode()
    for size in range(len(whole)):
        with pytest.raises(ValueError, match=r"."):
            Chains.decode(whole[:size])
    for at in range(len(whole)):
        for change in (1, 0x80):
            data = bytearray(whole)
            data[at] ^= change
            try:
                Chains.decode(bytes(data)).by_address()
            except ValueError:
                continue
