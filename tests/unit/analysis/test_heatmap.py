"""When the weight was, held against a sum of one sample after the other."""

import numpy as np
import pytest

from flamegraph.samples import time_facet
from kprof.analysis.heatmap import heatmap
from kprof.errors import UsageError
from kprof.model import ProfileBuilder

SECOND = 10**9


def profile_of(times, weights=None):
    builder = ProfileBuilder()
    for at, time in enumerate(times):
        builder.add(["main"], weights[at] if weights else 1, time_ns=time, count=2)
    return builder.build()


@pytest.mark.parametrize("rows", [1, 3, 7, 50, 1000])
def test_every_sample_is_in_its_second_and_part_of_it(rows):
    draw = np.random.default_rng(rows)
    times = sorted({7, 7 + 3 * SECOND, *(7 + draw.integers(0, 3 * SECOND, 200)).tolist()})
    found = heatmap(profile_of(times, list(range(len(times)))), rows)
    weight, samples = np.zeros((4, rows), int), np.zeros((4, rows), int)
    for at, time in enumerate(times):
        second, rest = divmod(time - 7, SECOND)
        weight[second, rest * rows // SECOND] += at
        samples[second, rest * rows // SECOND] += 2
    assert (found.first_second, found.seconds) == (0, 4)
    assert found.weight.tolist() == weight.tolist()
    assert found.samples.tolist() == samples.tolist()
    page = time_facet(np.array(times), rows, SECOND)
    assert np.bincount(page.value, np.arange(len(times)), 4 * rows).tolist() == weight.reshape(-1).tolist()
    assert page.heat == {"rows": rows, "columns": 4, "seconds": 1}


def test_seconds_count_from_the_begin_of_the_recording_and_empty_ones_are_left_out():
    times = [100 * SECOND + SECOND // 2, 102 * SECOND]
    found = heatmap(profile_of(times), 2, begin_ns=10 * SECOND)
    assert (found.first_second, found.samples.tolist()) == (90, [[0, 2], [0, 0], [2, 0]])
    facet = time_facet(np.array(times), 2, SECOND, 10 * SECOND)
    assert (facet.value.tolist(), facet.heat["before"], facet.heat["columns"]) == ([1, 4], 90, 3)


def test_samples_without_a_time_are_in_no_cell():
    assert heatmap(profile_of([-1, 5]), 4).samples.sum() == 2
    with pytest.raises(UsageError, match="no times"):
        heatmap(profile_of([-1]), 4)


def test_what_is_too_long_is_refused():
    with pytest.raises(UsageError, match="too many for a heat map"):
        heatmap(profile_of([0, 10**17]), 50)
