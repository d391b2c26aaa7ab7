"""What a summary says of a profile."""

import numpy as np
import pytest

from kprof.analysis.quality import judge, unknown_share
from kprof.model import Event, Frame, Kind, ProfileBuilder, Quality
from kprof.model.tree import subtree_sum

NOWHERE = Frame("[unknown]", "", Kind.UNKNOWN)
HIDDEN = Frame("[unknown]", "", Kind.UNKNOWN, 0xFFFFFFFF81000000)
LIBC = Frame("[unknown]", "/lib/libc.so.6")


def build(*samples, **options):
    builder = ProfileBuilder()
    for stack, count in samples:
        builder.add(stack, count, count=count)
    return builder.build(**options)


def test_subtrees_are_summed_from_the_leaves():
    parent = np.array([-1, 0, 1, 0, -1], np.int32)
    assert subtree_sum(parent, np.array([1.0, 2, 4, 8, 16])).tolist() == [15, 6, 4, 8, 16]


def test_frames_count_as_often_as_they_were_seen():
    assert unknown_share(build((["main", LIBC], 3), (["main"], 4))) == pytest.approx(3 / 10)


@pytest.mark.parametrize(
    ("samples", "hint"),
    [
        ([(["main", NOWHERE], 90), (["main", LIBC], 10)], "they belong to no file"),
        ([(["main", NOWHERE], 10), (["main", LIBC], 90)], "most of them in /lib/libc.so.6"),
        ([(["main", HIDDEN], 90), (["main", LIBC], 10)], "the kernel's, whose names were hidden"),
        ([(["main", Frame("[unknown]", "[kernel.kallsyms]", Kind.KERNEL)], 90)], "--root"),
    ],
)
def test_the_hint_names_what_was_seen_most(samples, hint):
    (warning,) = judge(build(*samples)).warnings
    assert hint in warning


def test_the_hint_reads_modules_from_folded_text():
    profile = build(([Frame("[libc.so.6]", "", Kind.UNKNOWN)], 5), facts={"input": "folded stacks"})
    report = judge(profile)
    assert "most of them in libc.so.6" in report.warnings[0]
    assert not any("lost" in fact for fact in report.facts)


def test_one_is_no_plural():
    facts = judge(build((["a"], 1), quality=Quality(read=1, skipped_lines=1))).facts
    assert facts[0] == "1 sample read"
    assert facts[-1] == "1 line not understood"


@pytest.mark.parametrize(
    ("event", "advice"), [("cycles:u", "a lower -F"), ("sched:sched_switch", "fewer events")]
)
def test_the_advice_against_losses_fits_the_event(event, advice):
    builder = ProfileBuilder()
    builder.add(["a"], event=Event(event))
    assert advice in judge(builder.build(quality=Quality(read=1, lost={"recorder": 5}))).warnings[0]


def test_missing_stacks_are_a_share_of_what_was_kept():
    warnings = judge(build((["a"], 3), ([], 1), quality=Quality(read=100, without_stack=1))).warnings
    assert warnings == ["25.0% of the samples have no stack: was it recorded with -g?"]


def test_losses_are_warned_of():
    report = judge(build((["a"], 10), quality=Quality(read=10, lost={"recorder": 5})))
    assert "5 lost" in report.facts
    assert "33.3% of the samples were lost" in report.warnings[0]
