import numpy as np
import pytest

from kprof.analysis.gate import Limit, judge_rules, parse_rule
from kprof.errors import UsageError
from kprof.model import Frame, ProfileBuilder


def build(**weights):
    builder = ProfileBuilder()
    for name, weight in weights.items():
        builder.add(["main", Frame("SSL_read", "/lib/libssl.so.3"), Frame(name, "/bin/app")], weight)
    return builder.build()


def verdict(text, before, after):
    return judge_rules([parse_rule(text)], before, after)[0]


@pytest.mark.parametrize(
    ("text", "own", "module", "pattern", "limit", "number"),
    [
        ("self(parse_json) > +5%", True, False, "parse_json", Limit.growth, 0.05),
        ("total(module:libssl) > 10%", False, True, "libssl", Limit.share, 0.10),
        ("total(operator()(int)) > +2.5pp", False, False, "operator()(int)", Limit.points, 0.025),
        (" self(a)>1% ", True, False, "a", Limit.share, 0.01),
    ],
)
def test_rules(text, own, module, pattern, limit, number):
    rule = parse_rule(text)
    assert (rule.own, rule.module, rule.pattern, rule.limit) == (own, module, pattern, limit)
    assert rule.number == pytest.approx(number)


@pytest.mark.parametrize(
    "text", ["", "parse_json > 5%", "self() > 5%", "self(a) > 5pp", "self(a) < 5%", "self(a) > 5"]
)
def test_what_is_no_rule(text):
    with pytest.raises(UsageError, match="is no rule"):
        parse_rule(text)


def test_one_run_a_side_is_judged_by_its_limit():
    before, after = [build(a=10, b=90)], [build(a=12, b=88)]
    assert verdict("self(a) > +5%", before, after).fails
    assert not verdict("self(a) > +25%", before, after).fails
    assert verdict("self(a) > +1.5pp", before, after).fails
    assert not verdict("self(a) > +3pp", before, after).fails
    assert verdict("self(a) > 11%", before, after).fails
    assert verdict("self(a) > +5%", before, after).reason == "self(a) > +5%: 10.00% before, 12.00% after"


def test_modules_patterns_and_what_is_not_there():
    before, after = [build(a=1)], [build(aa=1, ab=1, b=2)]
    assert verdict("total(module:libssl) > 10%", before, after).after == 1.0
    assert verdict("self(module:libssl) > 0%", before, after).after == 0.0
    assert verdict("self(a?) > +5%", before, after).after == 0.5
    assert verdict("self(a?) > +5%", before, after).fails
    assert verdict("self(nobody) > +5%", before, after).unmet


def test_growth_within_the_noise_of_runs_does_not_fail():
    draw = np.random.default_rng(3)
    noisy = [build(a=int(w), b=1000) for w in draw.normal(200, 50, 10)]
    found = verdict("self(a) > +0%", noisy[:5], noisy[5:])
    assert found.q is not None
    assert not found.fails
    grown = [build(a=int(w), b=1000) for w in draw.normal(500, 50, 5)]
    assert verdict("self(a) > +5%", noisy[:5], grown).fails
    # A limit on the share alone asks for no comparison.
    assert verdict("self(a) > 10%", noisy[:5], noisy[5:]).q is None
