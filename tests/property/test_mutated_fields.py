"""Fields of recordings that are cut off or changed: columns of one length, or an error of ours."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from kprof.errors import KprofError
from kprof.readers import Source
from kprof.readers.perf_data import read_fields

SAMPLES = Path(__file__).parents[2] / "samples"
MUTANTS = 150


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("tracepoints", "sched:sched_switch"),
        ("tracepoints-strings", "sched:sched_process_exec"),
        ("tracepoints-strings", "sched:sched_process_fork"),
    ],
)
def test_recordings(name, event):
    data = np.frombuffer(gzip.decompress((SAMPLES / f"{name}.perf.data.gz").read_bytes()), np.uint8)
    draw = np.random.default_rng(len(event))
    start = bytes(data).find(b"tracing0.") - 8  # formats
    read = 0
    for number in range(MUTANTS):
        mutant = data.copy()
        low = start if number % 2 else 8
        places = draw.integers(low, len(mutant), draw.integers(1, 40))
        mutant[places] = draw.integers(0, 256, len(places))
        end = draw.integers(9, len(mutant)) if number % 8 == 0 else len(mutant)
        try:
            found = read_fields(Source(io.BytesIO(mutant[:end].tobytes()), "mutant"), event)
        except KprofError:
            continue
        read += 1
        assert len({len(column) for column in found.columns.values()}) == 1
    assert read
