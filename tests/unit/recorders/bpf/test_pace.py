"""How often rows are moved."""

import pytest

from kprof.recorders.bpf.pace import Pace


def intervals(pace, rows):
    now = 0.0
    for count in rows:
        left = pace.left(now)
        yield left
        now += left
        pace.moved(count, now)


def test_a_low_rate_is_moved_seldom_but_soon_for_the_first_time():
    assert list(intervals(Pace(16384, 99, 0.0), [99, 198, 396, 495, 495])) == [1, 2, 4, 5, 5]


def test_a_rate_that_could_fill_the_room_is_moved_before_it_does():
    pace = Pace(16384, 8000, 0.0)
    assert all(left * 8000 < 16384 / 4 + 1 for left in intervals(pace, [4000] * 10))


def test_what_comes_unexpectedly_is_moved_as_fast_as_it_comes():
    # Half of the room in a quarter of a second: a quarter of it in half that time.
    assert list(intervals(Pace(16384, 0, 0.0), [8192, 1])) == [0.25, pytest.approx(0.125)]
    assert list(intervals(Pace(16384, 0, 0.0), [0, 0, 0, 0])) == [0.25, 0.5, 1, 1]
    assert min(intervals(Pace(64, 0, 0.0), [10_000] * 5)) == pytest.approx(0.1)
