"""The cache: found again, bounded, and never in the way."""

import os

import numpy as np
import pytest

from kprof.symbols.cache import Cache, cache_folder
from kprof.symbols.chains import Chains

ID = "ab" * 20
KNOWN = {0x1000: [(b"f\xff", True, "a.c:1"), (b"g", False, "")], 0x2000: []}
CHAINS = Chains.of(np.array(list(KNOWN), np.uint64), list(KNOWN.values()))


def cache_in(folder, **more):
    return Cache(folder, "chains", Chains.decode, **more)


def test_what_was_kept_comes_back(tmp_path):
    cache_in(tmp_path).store(ID, CHAINS)
    assert cache_in(tmp_path).load(ID).by_address() == KNOWN
    assert cache_in(tmp_path).load("cd" * 20) is None


@pytest.mark.parametrize("at", [0, 15, 20, 30, 60, -1])
def test_damaged_entries_are_removed(tmp_path, at):
    cache = cache_in(tmp_path)
    cache.store(ID, CHAINS)
    (path,) = tmp_path.glob("*/*")
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert cache.load(ID) is None
    assert not path.exists()


def test_the_ones_not_used_for_long_go_first(tmp_path):
    cache = cache_in(tmp_path, most_bytes=600)
    for number in range(8):
        cache.store(f"{number:02x}" * 20, CHAINS)
        for age, path in enumerate(sorted(tmp_path.glob("*/*"), key=lambda p: p.stat().st_mtime)):
            os.utime(path, (1000 + age, 1000 + age))
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= 600
    assert cache.load("07" * 20).by_address() == KNOWN
    assert cache.load("00" * 20) is None


def test_what_is_no_build_id_is_no_path(tmp_path):
    cache = cache_in(tmp_path / "sub")
    for name in ("", "..", "../../x", "zz"):
        cache.store(name, CHAINS)
        assert cache.load(name) is None
    assert not (tmp_path / "sub").exists()


def test_a_folder_that_cannot_be_written_is_no_error():
    cache = cache_in(cache_folder({"KPROF_CACHE_DIR": "/proc/none"}))
    cache.store(ID, CHAINS)
    assert cache.load(ID) is None


def test_where_it_is():
    assert cache_folder({"KPROF_CACHE_DIR": ""}) is None
    assert str(cache_folder({"KPROF_CACHE_DIR": "/c"})) == "/c/symbols"
    assert str(cache_folder({"XDG_CACHE_HOME": "/x"})) == "/x/kprof/symbols"
