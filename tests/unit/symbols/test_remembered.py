"""Symbols that were met before: they are what the table would say, now as then."""

import random

import numpy as np
import pytest

from kprof._native._symbols import SymbolTable
from kprof.symbols.kernel import lasting
from kprof.symbols.remembered import remembered
from kprof.symbols.spans import Spans

ID = "ab" * 20


def u64(values):
    return np.array(values, np.uint64)


def table_of(symbols):
    table = SymbolTable()
    starts, ends, names = zip(*symbols, strict=True)
    lengths = np.array([len(n) for n in names], np.uint32)
    at = np.cumsum(lengths, dtype=np.uint64) - lengths
    table.add(u64(starts), u64(ends), b"".join(names), at, lengths)
    table.finish()
    return table


def nested(seed, count=60):
    rng = random.Random(seed)  # noqa: S311
    return [(s, s + rng.choice([1, 2, 5, 40, 200]), b"f%d" % s) for s in rng.sample(range(10, 400), count)]


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KPROF_CACHE_DIR", str(tmp_path))


def answers(answer):
    return [answer.names[row] if row >= 0 else None for row in answer.rows.tolist()]


@pytest.mark.parametrize("seed", range(20))
def test_a_span_is_where_the_table_says_the_same(seed):
    table, every = table_of(nested(seed)), np.arange(0, 700, dtype=np.uint64)
    rows, starts, ends = table.find_spans(every)
    assert rows.tolist() == table.find(every).tolist()
    for address in every.tolist():
        around = np.arange(starts[address], min(int(ends[address]), 700), dtype=np.uint64)
        assert address in around.tolist()
        assert set(table.find(around).tolist()) == {int(rows[address])}


@pytest.mark.parametrize("seed", range(10))
def test_what_is_remembered_is_what_the_table_says(seed):
    table, rng = table_of(nested(seed)), random.Random(seed)  # noqa: S311
    reads = []

    def read():
        reads.append(1)
        return table

    for _ in range(6):
        addresses = u64([rng.randrange(700) for _ in range(80)])
        expected = [table.name(row) if row >= 0 else None for row in table.find(addresses).tolist()]
        assert answers(remembered((ID, "names"), addresses, read)) == expected
    before = len(reads)
    assert answers(remembered((ID, "names"), addresses, read)) == expected
    assert len(reads) == before
    assert answers(remembered((ID, "others"), addresses, read)) == expected
    assert len(reads) == before + 1


def test_the_end_of_a_gap_may_be_named_after_what_follows_it():
    table = table_of([(100, 110, b"f"), (200, 210, b"trampoline")])

    def rows_of(table, addresses):
        rows = table.find(addresses)
        return np.where((rows < 0) & (addresses == np.uint64(199)), 1, rows)

    for addresses, expected in (([150], [None]), ([199, 198], [b"trampoline", None])):
        assert answers(remembered((ID, "names"), u64(addresses), lambda: table, rows_of)) == expected


def test_without_a_table_only_what_was_met_is_known():
    assert remembered((ID, "names"), u64([1]), lambda: None) is None
    remembered((ID, "names"), u64([105]), lambda: table_of([(100, 110, b"f")]))
    assert answers(remembered((ID, "names"), u64([101, 109]), lambda: None)) == [b"f", b"f"]


def test_programs_of_bpf_are_not_remembered():
    table = SymbolTable()
    table.add_kallsyms(
        b"ffffffff81000000 T one\nffffffff81000100 T two\nffffffff81000200 T last\n"
        b"ffffffffc0201000 t in_module\t[fuse]\nffffffffc0201080 t more\t[fuse]\n"
        b"ffffffffc0300000 t bpf_prog_1\t[bpf]\nffffffffc0300100 t bpf_prog_2\t[bpf]\n"
    )
    table.finish(as_perf=True)
    rows = np.arange(len(table))
    kept = [table.name(row) for row in rows[lasting(table, rows)].tolist()]
    assert kept == [b"one", b"two", b"in_module"]


SPANS = Spans.of(u64([300, 100]), u64([310, 200]), [b"", b"f\xff"])


def test_spans_come_back():
    again = Spans.decode(SPANS.encode())
    assert again.find(u64([99, 100, 199, 200, 305])).tolist() == [-1, 0, 0, -1, 1]
    assert again.names(np.array([0, 1])) == [b"f\xff", b""]


def test_damaged_spans_are_refused():
    data = SPANS.encode()
    for cut in range(len(data)):
        with pytest.raises(ValueError, match=r"short|counts"):
            Spans.decode(data[:cut])
    for a, b in ((SPANS.start, SPANS.end[::-1]), (SPANS.end, SPANS.start)):
        with pytest.raises(ValueError, match="agree"):
            Spans.decode(Spans(a, b, SPANS.text_end, SPANS.text).encode())
