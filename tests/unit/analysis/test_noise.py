"""What is noise: recordings of one kind beside recordings of two."""

import math

import numpy as np
import pytest

from kprof.analysis.noise import measure_noise
from kprof.analysis.slowdown import slowdown
from kprof.model import ProfileBuilder

NAMES = [f"f{i}" for i in range(30)]


def drawn(random, weight, samples=2000):
    builder = ProfileBuilder()
    for name, count in zip(NAMES, random.multinomial(samples, weight / weight.sum()), strict=True):
        if count:
            builder.add(["main", name], int(count), count=int(count))
    return builder.build()


def rounds(seed, bias=0.0, count=5):
    """Rounds of a program whose mix varies, seen by two recorders of which one may be biased."""
    random = np.random.default_rng(seed)
    weight = random.dirichlet(np.ones(len(NAMES)))
    taken = []
    for _ in range(count):
        mix = weight * np.exp(random.normal(0, 0.2, len(NAMES)))
        other = mix.copy()
        other[0] += bias * mix.sum()
        taken.append([drawn(random, mix), drawn(random, other)])
    return taken


def test_pairs_are_told_by_kind_and_time():
    found = measure_noise(rounds(1, count=3))
    assert [(one.first, one.second, one.at_once, one.pairs) for one in found.apart] == [
        (0, 0, False, 3), (0, 1, True, 3), (0, 1, False, 6), (1, 1, False, 3),
    ]  # fmt: skip
    for one in found.apart:
        assert one.least <= one.mean <= one.most
        assert one.low <= one.mean <= one.high
    # A round's own mix is in both recordings of it.
    at_once, apart = found.apart[1:3]
    assert at_once.mean < apart.mean


def test_one_round_has_no_intervals():
    found = measure_noise(rounds(1, count=1))
    assert [one.at_once for one in found.apart] == [True]
    assert math.isnan(found.apart[0].low)
    assert found.excess == []


def test_a_recorder_that_sees_something_else_is_told_from_noise():
    same = [measure_noise(rounds(seed)).excess[0].low > 0 for seed in range(20)]
    other = [measure_noise(rounds(seed, bias=0.15)).excess[0].low > 0 for seed in range(20)]
    assert sum(same) <= 3
    assert sum(other) >= 18


def test_slowdown_is_a_median_with_an_interval_of_the_order():
    found = slowdown([1.0] * 5, [1.1, 1.0, 1.3, 1.2, 0.9])
    assert (found.median, found.low, found.high) == pytest.approx((0.1, -0.1, 0.3))
    assert found.level == pytest.approx(1 - 2 / 2**5)
    assert not found.is_seen
    # With more rounds the outermost are left out.
    many = slowdown([1.0] * 20, [1 + i / 100 for i in range(20)])
    assert (many.low, many.high) == pytest.approx((0.05, 0.14))
    assert many.level >= 0.9
    assert many.is_seen
    with pytest.raises(ValueError, match="both"):
        slowdown([1.0], [])
