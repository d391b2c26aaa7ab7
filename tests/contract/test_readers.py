"""What every reader owes: the same facts as the manifest, valid profiles, and folded text that comes back."""

import pytest

from kprof.exporters import folded
from kprof.model import ProfileBuilder
from kprof.model.events import pick_event


@pytest.mark.parametrize("every_sample", [False, True])
def test_samples_periods_and_losses_are_those_of_the_manifest(
    read, sample, sample_text, manifest, every_sample
):
    facts = manifest[sample]
    profile = read(sample_text(sample), every_sample=every_sample)
    assert profile.meta.quality.read == facts["samples"]
    assert sum(profile.meta.quality.lost.values()) == facts["lost"]
    assert profile.meta.quality.skipped_lines == 0
    for event in facts["events"]:
        picked = pick_event(profile, event["name"])
        assert int(picked.samples.count.sum()) == event["samples"]
        assert picked.total == event["periods"]


def test_threads_and_frames_of_the_manifest_are_there(read, sample, sample_text, manifest):
    profile = read(sample_text(sample))
    # perf pads names with spaces, so that spaces at the ends cannot be told from padding.
    assert {comm.strip(" ") for comm in manifest[sample].get("comms", ())} <= set(profile.comms)
    assert set(manifest[sample].get("frames", ())) <= set(profile.frames.name)
    assert len(set(zip(profile.samples.pid, profile.samples.tid, strict=True))) == manifest[sample]["tasks"]


def test_crlf_makes_no_difference(read, sample, sample_text):
    text = sample_text(sample)
    if b"\r" in text:
        text = text.replace(b"\r", b"")
    plain, crlf = read(text), read(text.replace(b"\n", b"\r\n"))
    assert folded.render(plain) == folded.render(crlf)


def test_folded_text_comes_back(read, sample, sample_text):
    text, lines = folded.render(read(sample_text(sample)))
    assert folded.render(read(text)) == (text, lines)


def test_rows_kept_apart_fold_to_the_same(read, sample, sample_text):
    text = sample_text(sample)
    assert folded.render(read(text)) == folded.render(read(text, every_sample=True))
    assert folded.render(read(text)) == folded.render(read(text, ids=False))


def test_golden(read, sample, sample_text, golden):
    text, _ = folded.render(pick_event(read(sample_text(sample))))
    golden(f"{sample}.folded", text)


def test_built_profiles_fold_too():
    builder = ProfileBuilder()
    builder.add(["a", "b"], 3, comm="x", pid=1)
    builder.add(["a"], 4, comm="y", pid=2)
    assert folded.render(builder.build())[0] == b"x;a;b 3\ny;a 4\n"
