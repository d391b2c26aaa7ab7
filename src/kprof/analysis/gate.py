"""Rules that a change must keep, such as `self(parse_json) > +5%`: which of them are broken, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

import numpy as np

from kprof.analysis.runs import Float, alike
from kprof.analysis.significance import LEAST_RUNS, adjusted, welch
from kprof.analysis.top import check_sum, own_weights
from kprof.errors import UsageError
from kprof.model import Profile
from kprof.model.labels import frame_labels, module_name
from kprof.model.tree import path_any

RATE = 0.05
_RULE = re.compile(r"(self|total)\((.+)\)\s*>\s*(\+?)\s*(\d+(?:\.\d+)?)\s*(%|pp)")
_MODULE = "module:"
_SHAPES = "write it like self(parse_json) > +5%, total(module:libssl) > 10% or self(f*) > +2pp"


class Limit(StrEnum):
    """What a rule's number limits."""

    share = "share"
    growth = "growth"
    points = "points"


@dataclass(frozen=True, slots=True)
class Rule:
    """What must not be.

    Attributes:
        text: As it was given.
        own: Whether self weight is meant, and not total.
        module: Whether `pattern` is of modules, and not of functions.
        pattern: Name, or a pattern with `*`, `?` and `[…]`. A module's may leave out what is behind `.so`.
        limit: `share`: of the side after. `growth`: by how much more than before. `points`: of the share.
        number: The limit, 0.05 for 5 %.
    """

    text: str
    own: bool
    module: bool
    pattern: str
    limit: Limit
    number: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a rule.

    Attributes:
        rule: The rule.
        before: Mean share of the runs before, 0 to 1.
        after: Mean share of the runs after.
        over: Whether the limit is passed.
        q: Rate of false discovery, None where it was not tested: one run a side, or a rule of a share.
        fails: Whether the rule is broken: the limit is passed, and not by what may be chance.
        unmet: Whether no frame of either side is meant.
    """

    rule: Rule
    before: float
    after: float
    over: bool
    q: float | None
    fails: bool
    unmet: bool

    @property
    def reason(self) -> str:
        """What was found, in words."""
        text = f"{self.rule.text}: {self.before:.2%} before, {self.after:.2%} after"
        return text if self.q is None else f"{text}, q = {self.q:.2g}"


def parse_rule(text: str) -> Rule:
    """Read a rule: `self` or `total`, of a function or `module:NAME`, `>`, and a limit.

    `10%` is a share of the side after; `+5%` is growth relative to before; `+2pp` is growth of the share in
    percentage points.

    Raises:
        UsageError: It is none.
    """
    found = _RULE.fullmatch(text.strip())
    if not found or (found[5] == "pp" and not found[3]):
        raise UsageError(f"--fail-on {text!r} is no rule", _SHAPES)
    module = found[2].startswith(_MODULE)
    limit = Limit.points if found[5] == "pp" else Limit.growth if found[3] else Limit.share
    pattern = found[2].removeprefix(_MODULE).strip()
    return Rule(text.strip(), found[1] == "self", module, pattern, limit, float(found[4]) / 100)


def judge_rules(rules: Sequence[Rule], before: Sequence[Profile], after: Sequence[Profile]) -> list[Verdict]:
    """Hold rules against two sides.

    With two runs or more a side, growth counts only if it is significant: Welch's t on the runs, and
    Benjamini-Hochberg over the rules. With one run a side the limit alone decides.

    Args:
        rules: The rules.
        before: Recordings of one event each.
        after: Likewise.
    """
    profiles = alike([*before, *after])
    shares = np.array([[_share(profile, rule) for rule in rules] for profile in profiles])
    first, second = shares[: len(before)], shares[len(before) :]
    q = _rates(rules, first, second)
    verdicts = []
    for number, rule in enumerate(rules):
        was, now = float(first[:, number].mean()), float(second[:, number].mean())
        over = _is_over(rule, was, now)
        rate = q[number]
        fails = over and (rate is None or rate <= RATE)
        verdicts.append(Verdict(rule, was, now, over, rate, fails, not shares[:, number].any()))
    return verdicts


def _rates(rules: Sequence[Rule], first: Float, second: Float) -> list[float | None]:
    grow = np.array([rule.limit is not Limit.share for rule in rules], bool)
    rates: list[float | None] = [None] * len(rules)
    if min(len(first), len(second)) >= LEAST_RUNS and grow.any():
        found = adjusted(welch(first[:, grow], second[:, grow])).tolist()
        for number, rate in zip(np.flatnonzero(grow).tolist(), found, strict=True):
            rates[number] = rate
    return rates


def _is_over(rule: Rule, was: float, now: float) -> bool:
    if rule.limit is Limit.share:
        return now > rule.number
    if rule.limit is Limit.points:
        return now - was > rule.number
    return now > was * (1 + rule.number)


def _share(profile: Profile, rule: Rule) -> float:
    """Return the share of the samples that end with, or hold, a frame that the rule means."""
    check_sum(profile)
    if not profile.total:
        return 0.0
    frames = profile.frames
    if rule.module:
        modules = [_is_module(module_name(path), rule.pattern) for path in profile.mappings.path]
        meant = [*modules, False]
        marked = np.array([meant[i] for i in frames.mapping.tolist()], bool)
    else:
        names = frame_labels(frames, profile.mappings)
        marked = np.array([name == rule.pattern or fnmatchcase(name, rule.pattern) for name in names], bool)
    of_stack = marked[profile.stacks.frame]
    held = of_stack if rule.own else path_any(profile.stacks.parent, of_stack)
    return int(own_weights(profile)[0][held].sum()) / profile.total


def _is_module(name: str, pattern: str) -> bool:
    short = name.partition(".so")[0]
    return any(text == pattern or fnmatchcase(text, pattern) for text in (name, short))
