"""What the reader of perf.data owes: the manifest's facts, and the samples of perf's own text, one by one."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from kprof.model import Kind
from kprof.model.events import pick_event
from kprof.model.tree import depths
from kprof.readers import ReadOptions, Source, find_format

SAMPLES = Path(__file__).parents[2] / "samples"
# Unwound with what this machine has: depths are held elsewhere.
DUMPS = {"dwarf"}


def recording(name):
    return gzip.decompress((SAMPLES / f"{name}.perf.data.gz").read_bytes())


def read(data, path=None, **options):
    source = Source(io.BytesIO(data), "sample", path)
    return find_format(source).read(source, ReadOptions(**options)).check()


@pytest.fixture
def recorded(sample):
    return recording(sample)


@pytest.mark.parametrize("every_sample", [False, True])
def test_samples_periods_and_losses_are_those_of_the_manifest(sample, recorded, manifest, every_sample):
    facts = manifest[sample]
    profile = read(recorded, every_sample=every_sample)
    assert profile.meta.quality.read == facts["samples"]
    assert sum(profile.meta.quality.lost.values()) == facts["lost"]
    assert profile.meta.quality.skipped_lines == 0
    for event in facts["events"]:
        picked = pick_event(profile, event["name"])
        assert int(picked.samples.count.sum()) == event["samples"]
        assert picked.total == event["periods"]
    tasks = set(zip(profile.samples.pid, profile.samples.tid, strict=True))
    assert len(tasks) == facts["tasks"]


def test_samples_are_those_of_the_text_one_by_one(sample, recorded, sample_text):
    """Both sorted by time: the order of samples of the same instant is perf's own affair."""
    ours = read(recorded, every_sample=True, compat="perf")
    text = sample_text(sample)
    theirs = read(text, every_sample=True)
    columns = [np.sort(_rows(p), order=["time", "tid", "weight"]) for p in (ours, theirs)]
    if sample != "threads-hostile":  # a name with a fake header in it
        assert np.array_equal(columns[0]["tid"], columns[1]["tid"])
        assert sample in DUMPS or np.array_equal(columns[0]["depth"], columns[1]["depth"])
    assert np.array_equal(columns[0]["weight"], columns[1]["weight"])


def _rows(profile):
    samples = profile.samples
    rows = np.zeros(len(samples), [("time", "i8"), ("tid", "i4"), ("weight", "i8"), ("depth", "i4")])
    rows["time"] = samples.time_ns // 1000  # the text has microseconds
    rows["tid"] = samples.tid
    rows["weight"] = samples.weight
    depth = np.append(depths(profile.stacks.parent), 0)
    rows["depth"] = depth[samples.stack]
    return rows


def test_a_file_a_stream_and_pieces_are_read_alike(sample, recorded, tmp_path):
    path = tmp_path / "x.data"
    path.write_bytes(recorded)
    mapped, streamed = read(recorded, str(path)), read(recorded)
    assert mapped.samples.weight.tolist() == streamed.samples.weight.tolist()
    assert mapped.frames.address.tolist() == streamed.frames.address.tolist()


def test_threads_are_named_as_recorded(manifest):
    for sample in ("threads", "threads-hostile"):
        profile = read(recording(sample))
        assert set(manifest[sample]["comms"]) <= set(profile.comms)


def test_kinds_and_mappings():
    profile = read(recording("system-wide"))
    kinds = set(profile.frames.kind.tolist())
    assert {Kind.KERNEL, Kind.USER} <= kinds
    assert "[kernel.kallsyms]" in profile.mappings.path
    known = [
        b for p, b in zip(profile.mappings.path, profile.mappings.build_id, strict=True) if "libc.so" in p
    ]
    assert known
    assert all(len(b) == 40 for b in known)
    assert profile.meta.facts["arch"] == "x86_64"
    assert "perf record" in profile.meta.facts["command"]


def test_return_addresses_lie_in_the_call():
    right, as_perf = read(recording("cpp-inlines")), read(recording("cpp-inlines"), compat="perf")
    assert not np.array_equal(right.frames.address, as_perf.frames.address)


@pytest.mark.parametrize("name", ["kernel-io", "multi-event", "system-wide"])
def test_a_cut_file_gives_what_is_whole(name):
    data = recording(name)
    whole = read(data)
    cut = read(data[: len(data) * 2 // 3])
    assert 0 < cut.meta.quality.read < whole.meta.quality.read
    assert cut.meta.quality.skipped_lines == 1


def test_damage_in_the_middle_gives_what_is_before():
    data = bytearray(recording("kernel-io"))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    profile = read(bytes(data))
    assert profile.meta.quality.read > 100
    assert profile.meta.quality.skipped_lines >= 1
