"""Debug information built by hand, and how names are looked up in it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from kprof._native._dwarf import DwarfReader

_spec = importlib.util.spec_from_file_location("dwarf_entries", Path(__file__).with_name("dwarf_entries.py"))
_entries = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_entries)


@pytest.fixture(scope="session")
def d():
    """What debug information is built of."""
    return _entries


def _look_up(addresses, *, swap=False, alt=None, **given):
    """The names at each address, outermost first."""
    reader = DwarfReader(_entries.sections(**given), alt, swap=swap)
    places = reader.look_up(np.array(addresses, np.uint64))
    nodes, (names, _) = reader.nodes(), reader.names()

    def chain(node):
        return [] if node < 0 else [*chain(int(nodes["parent"][node])), names[nodes["name"][node]].decode()]

    return [chain(node) for node in places["node"].tolist()]


@pytest.fixture(scope="session")
def look_up():
    return _look_up
