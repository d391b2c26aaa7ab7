"""Differences between profiles, and whether they are more than chance: calibrated on runs that are the same."""

from dataclasses import replace

import numpy as np
import pytest

from kprof.analysis.diff import Options, diff
from kprof.errors import UsageError
from kprof.model import Event, Frame, ProfileBuilder

RUN = 10_000  # samples of a run: 10 s at 997 Hz
RUNS = 5


def build(samples, event=None):
    builder = ProfileBuilder()
    for stack, weight in samples:
        builder.add(stack, weight, event=event)
    return builder.build()


def rows(found, key="function"):
    return {row[key]: row for row in found.table.rows()}


def test_shares_deltas_new_and_vanished():
    before = build([(["main", "a"], 60), (["main", "b"], 40)])
    after = build([(["main", "a"], 100), (["main", "a", "c"], 100)])
    found = diff([before], [after])
    by_name = rows(found)
    assert by_name["a"]["self_before"] == pytest.approx(0.6)
    assert by_name["a"]["self_after"] == pytest.approx(0.5)
    assert by_name["a"]["total_delta"] == pytest.approx(0.4)
    assert (by_name["b"]["change"], by_name["c"]["change"], by_name["a"]["change"]) == ("vanished", "new", "")
    assert found.whole == (100.0, 200.0)
    absolute = rows(diff([before], [after], Options(absolute=True)))
    assert (absolute["a"]["self_delta"], absolute["c"]["total_delta"]) == (40, 100)


def test_recursion_counts_once():
    before, after = build([(["a", "b", "a", "a"], 10)]), build([(["a"], 5), (["b"], 5)])
    row = rows(diff([before], [after]))["a"]
    assert (row["total_before"], row["total_after"]) == (1.0, 0.5)


def test_light_rows_are_left_out():
    before = build([(["a"], 9999), (["b"], 1)])
    found = diff([before], [before], Options(least=0.01))
    assert list(rows(found)) == ["a"]
    assert found.left_out == 1


def test_one_against_one_is_never_significant():
    before, after = build([(["a"], 10)]), build([(["b"], 10**6)])
    for found in (diff([before], [after]), diff([before], [after] * 3)):
        assert not found.tested
        assert not {"significant", "self_q"} & set(found.table.columns)


def test_a_function_is_the_same_by_name_where_one_side_knows_no_files():
    before = build([([Frame("main", "/bin/x"), Frame("[unknown]", "/lib/libc.so.6")], 1)])
    after = build([(["main", "[libc.so.6]"], 1)])
    assert {row["function"]: row["change"] for row in diff([before], [after]).table.rows()} == {
        "main": "", "[libc.so.6]": "",
    }  # fmt: skip


def test_units_do_not_mix():
    before, after = build([(["a"], 1)], Event("x", "ns")), build([(["a"], 1)], Event("y", "bytes"))
    with pytest.raises(UsageError, match="bytes and ns"):
        diff([before], [after])
    with pytest.raises(UsageError):
        diff([before], [])


class Program:
    """40 functions in four phases, of which each run takes multinomial samples."""

    def __init__(self, seed, varies):
        self.random, self.varies = np.random.default_rng(seed), varies
        weight = self.random.dirichlet(np.full(40, 0.6))
        self.phase = np.arange(40) % 4
        builder = ProfileBuilder()
        for number in range(40):
            builder.add(["main", f"phase{self.phase[number]}", f"f{number}"], 1)
        self.shape, self.weight = builder.build(), weight

    def run(self, grown=None, by=0.0):
        weight = self.weight.copy()
        if self.varies:
            weight *= np.exp(self.random.normal(0, 0.15, 4))[self.phase]
        weight /= weight.sum()
        if grown is not None:
            weight[grown] += by
        counts = self.random.multinomial(RUN, weight / weight.sum())
        return replace(self.shape, samples=replace(self.shape.samples, weight=counts, count=counts))

    def side(self, **change):
        return [self.run(**change) for _ in range(RUNS)]


def calibrate(varies, comparisons, seed):
    """Return the share of comparisons of a program with itself that flag anything."""
    flagged = 0
    for number in range(comparisons):
        program = Program(seed + number, varies)
        flagged += bool(diff(program.side(), program.side()).table.columns["significant"].any())
    return flagged / comparisons


@pytest.mark.parametrize("varies", [False, True], ids=["steady", "the mix varies by run"])
def test_what_is_the_same_is_seldom_flagged(varies):
    assert calibrate(varies, 300, seed=7) <= 0.05


@pytest.mark.parametrize("varies", [False, True], ids=["steady", "the mix varies by run"])
def test_a_function_that_slows_the_program_by_a_twentieth_is_found(varies):
    missed = 0
    for seed in range(20):
        program = Program(1000 + seed, varies)
        grown = int(np.argsort(program.weight)[20])
        found = rows(diff(program.side(), program.side(grown=grown, by=0.05)))
        missed += not found[f"f{grown}"]["significant"]
    assert missed == 0
