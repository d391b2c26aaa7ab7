"""Differences between profiles, and whether they are more than chance: calibrated on runs that are the same."""

import importlib.util
from pathlib import Path

import pytest

from kprof.analysis.diff import Options, diff
from kprof.errors import UsageError
from kprof.model import Event, Frame, ProfileBuilder


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


def calibration():
    """The generated program, and how often comparisons of it are wrong: of tests/bench/calibrate_diff.py."""
    path = Path(__file__).parents[2] / "bench/calibrate_diff.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CALIBRATION = calibration()
MIXES = pytest.mark.parametrize("mix", ["steady", "by run"])


@MIXES
def test_what_is_the_same_is_seldom_flagged(mix):
    assert CALIBRATION.false_alarms(mix, 300, seed=7) <= 0.05


@MIXES
def test_a_function_that_slows_the_program_by_a_twentieth_is_found(mix):
    assert CALIBRATION.planted(mix, 20, 20, lambda _share: 0.05) == 20


def test_blocks_of_one_run_are_no_runs():
    """Why there is no option for them."""
    assert CALIBRATION.false_alarms("by run", 20, seed=7, make="blocks") > 0.5
