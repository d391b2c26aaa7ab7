"""Any sample, cut or changed anywhere, ends in a KprofError or in a valid profile."""

import gzip
import io

import numpy as np
import pytest

from kprof.errors import KprofError
from kprof.exporters import folded, html
from kprof.readers import ReadOptions, Source, find_format

ROUNDS = 40
ODD = np.frombuffer(b"\n\n\n \t()[];:/.-+0x9#\r\0\xff", np.uint8)
OPTIONS = (
    ReadOptions(),
    ReadOptions(every_sample=True, names="full"),
    ReadOptions("flamegraph", tid=True, kernel=True, jit=True),
    ReadOptions("inferno", pid=True, addresses=True),
)


def read(data, options):
    source = Source(io.BytesIO(data), "mutant")
    found = find_format(source)
    return None if found.read is None else found.read(source, options)


def survive(data, options):
    try:
        profile = read(data, options)
    except KprofError:
        return
    if profile is not None:
        profile.check()
        text, _ = folded.render(profile)
        assert text.endswith(b"\n") or not text
        assert len(html.tree(profile).total) >= 1


def mutants(data, seed):
    draw = np.random.default_rng(seed)
    base = np.frombuffer(data[:40_000], np.uint8)
    for _ in range(ROUNDS):
        mutant = base.copy()
        places = draw.integers(0, len(mutant), draw.integers(1, 30))
        mutant[places] = draw.choice(ODD, len(places))
        yield mutant[: draw.integers(1, len(mutant) + 1)].tobytes()


def test_text(sample, sample_text):
    for seed, options in enumerate(OPTIONS):
        for mutant in mutants(sample_text(sample), seed):
            survive(mutant, options)


def test_folded(sample, sample_text):
    profile = read(sample_text(sample), ReadOptions())
    for mutant in mutants(folded.render(profile)[0], 7):
        survive(mutant, ReadOptions())


@pytest.mark.parametrize("name", ["python", "compressed"])
def test_packed(name, sample_text):
    packed = gzip.compress(sample_text(name)[:20_000])
    for mutant in mutants(packed, 3):
        survive(mutant, ReadOptions())
