"""How tests read what is in some format, and hurt it."""

import io
import random
from contextlib import suppress

import pytest

from kprof.errors import KprofError
from kprof.exporters import folded
from kprof.readers import ReadOptions, Source, find_format


@pytest.fixture(scope="session")
def read():
    """Bytes of whatever format, as a valid profile."""

    def profile_of(data, **options):
        source = Source(io.BytesIO(data), "it")
        return find_format(source).read(source, ReadOptions(**options)).check()

    return profile_of


@pytest.fixture(scope="session")
def cut_and_damage(read):
    """Cut a text anywhere and damage it anywhere, by chance of a seed: it is read, or ends in one error."""

    def hurt(data, seed):
        chance = random.Random(seed)  # noqa: S311
        for end in range(0, len(data), max(len(data) // 100, 1)):
            with suppress(KprofError):
                folded.render(read(data[:end]))
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(chance.choice((1, 4, 16))):
                at = chance.randrange(len(damaged))
                damaged[at : at + 1] = chance.choice(
                    (b"", b"\n", b" ", b";", b"9" * 30, b"\xff", b"]: 1\n", b"@[")
                )
            with suppress(KprofError):
                folded.render(read(bytes(damaged)))

    return hurt
