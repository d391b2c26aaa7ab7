"""Agreement of two recordings of one thing, and why they differ."""

import numpy as np
import pytest

from kprof.analysis.agreement import agree, match
from kprof.analysis.disagreement import Cause, explain, mean_depth
from kprof.model import Frame, Kind, ProfileBuilder


def build(samples, **options):
    builder = ProfileBuilder()
    for stack, count in samples:
        builder.add(stack, count, count=count)
    return builder.build(**options)


def causes(first, second):
    return {row["function"]: row["cause"] for row in explain(match(first, second)).table.rows()}


def test_the_same_agrees_wholly():
    one = build([(["main", "a"], 60), (["main", "b"], 30), (["main", "b", "c"], 10)])
    found = agree(match(one, one))
    assert (found.stacks, found.functions, found.distance) == pytest.approx((1, 1, 0))
    assert found.rank == pytest.approx(1)
    assert found.chance.low == 0


def test_overlap_is_the_sum_of_the_smaller_shares():
    one = build([(["main", "a"], 60), (["main", "b"], 40)])
    other = build([(["main", "a"], 5), (["b"], 5)])
    found = agree(match(one, other))
    assert found.stacks == pytest.approx(0.5)
    assert found.functions == pytest.approx(0.9)
    assert found.distance == pytest.approx(0.5)


def test_the_interval_holds_the_distance_and_chance_is_known():
    """Of pairs that are drawn from two distributions with a known distance, and from one."""
    random = np.random.default_rng(2)
    names = [f"f{i}" for i in range(60)]
    weight = random.dirichlet(np.ones(60))
    other = weight.copy()
    other[:2] += [0.1, 0.0]
    other /= other.sum()
    distance = np.abs(weight - other).sum() / 2
    held = kept = 0
    for _ in range(40):
        draw = [
            build(
                [(["main", n], int(c)) for n, c in zip(names, random.multinomial(2000, p), strict=True) if c]
            )
            for p in (weight, other, weight)
        ]
        chance = agree(match(draw[0], draw[1])).chance
        held += chance.low <= distance <= chance.high
        same = agree(match(draw[0], draw[2]))
        kept += same.distance <= same.chance.same_most
    assert held >= 34
    assert kept >= 36


def test_folded_text_does_not_tell_chance():
    one = build([(["a"], 5)], facts={"input": "folded stacks"})
    assert agree(match(one, one)).chance is None


def test_causes():
    kernel = Frame("sys_read", "[kernel.kallsyms]", Kind.KERNEL)
    one = build([(["main", "work"], 8000), (["main", "read", kernel], 2000)])
    other = build([(["main", "work"], 8000), (["main", "read"], 2000)])
    assert causes(one, other)["sys_read"] == causes(one, other)["read"] == Cause.kernel
    named = build([([Frame("main", "/x"), Frame("inner", "/x")], 1000), ([Frame("main", "/x")], 500)])
    bare = build([([Frame("main", "/x"), Frame("[unknown]", "/x")], 1000), ([Frame("main", "/x")], 500)])
    found = causes(named, bare)
    assert found["inner"] == found["[x]"] == Cause.symbols
    gone = build([(["[unknown]"], 1000), ([Frame("main", "/x")], 500)])
    assert causes(named, gone)["[unknown]"] == causes(named, gone)["inner"] == Cause.ended
    whole, cut = build([(["main", "outer", "leaf"], 1000)]), build([(["leaf"], 1000)])
    assert causes(whole, cut)["outer"] == Cause.depth
    assert mean_depth(whole) == 3
    assert mean_depth(cut) == 1
    near = (
        build([(["main", "a"], 510), (["main", "b"], 490)]),
        build([(["main", "a"], 490), (["main", "b"], 510)]),
    )
    assert set(causes(*near).values()) == {Cause.chance}
    assert causes(build([(["a"], 1000)]), build([(["b"], 1000)]))["a"] == Cause.absent


def test_causes_add_up_to_the_distance_of_functions():
    one = build([(["main", "a"], 600), (["main", "b"], 400)])
    other = build([(["main", "a"], 300), (["main", "c"], 700)])
    matched = match(one, other)
    assert sum(explain(matched).causes.values()) == pytest.approx(1 - agree(matched).functions)
