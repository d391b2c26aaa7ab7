"""perf.data cut off or changed: perf reads it, and whatever perf does, kprof ends in one line or a profile."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
MUTANTS = 4


def mutants(data, seed):
    draw = np.random.default_rng(seed)
    yield data[: draw.integers(9, len(data))]
    for _ in range(MUTANTS - 1):
        mutant = np.frombuffer(data, np.uint8).copy()
        places = draw.integers(8, len(mutant), draw.integers(1, 40))
        mutant[places] = draw.integers(0, 256, len(places))
        yield mutant.tobytes()


@pytest.mark.slow
def test_recordings(sample, tmp_path):
    data = gzip.decompress((SAMPLES / f"{sample}.perf.data.gz").read_bytes())
    for number, mutant in enumerate(mutants(data, len(data))):
        (tmp_path / "x.data").write_bytes(mutant)
        done = subprocess.run(
            [sys.executable, "-m", "kprof", "fold", "x.data", "-o", "out.folded"],
            cwd=tmp_path, capture_output=True, check=False, timeout=100,
        )  # fmt: skip
        assert done.returncode in {0, 1, 2, 3}, number
        assert b"Traceback" not in done.stderr, number
        assert (done.returncode == 0) == (tmp_path / "out.folded").exists(), number
        (tmp_path / "out.folded").unlink(missing_ok=True)
