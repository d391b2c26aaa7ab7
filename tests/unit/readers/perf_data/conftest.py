"""Recordings built by hand, and how they are read."""

import importlib.util
import io
from pathlib import Path

import pytest

from kprof.readers import ReadOptions, Source, find_format

_spec = importlib.util.spec_from_file_location("records", Path(__file__).with_name("records.py"))
_records = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_records)


@pytest.fixture(scope="session")
def r():
    """The records that a recording is built of."""
    return _records


@pytest.fixture
def base(r):
    """What a sample has at the least: where it is, whose it is, and its callers."""
    return r.IP | r.TID | r.CALLCHAIN


@pytest.fixture
def start(r, base):
    """The start of a recording: an event, and a process that maps a program."""

    def made(order="<", sample_type=base, **event):
        recording = r.Recording(order).event(sample_type, **event)
        return recording.comm(7, b"app").mmap(7, 0x1000, 0x1000, b"/bin/app", offset=0x500)

    return made


@pytest.fixture
def read():
    def profile_of(recording, **options):
        data = recording if isinstance(recording, bytes) else recording.bytes()
        source = Source(io.BytesIO(data), "made")
        return find_format(source).read(source, ReadOptions(**options)).check()

    return profile_of
