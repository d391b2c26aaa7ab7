"""The API gives what the commands give."""

import subprocess
import sys
from pathlib import Path

import pytest

import kprof
from kprof.errors import KprofError

SAMPLES = Path(__file__).parents[2] / "samples"
MULTI = SAMPLES / "multi-event.perf-script.txt.gz"
IO = SAMPLES / "kernel-io.perf-script.txt.gz"


@pytest.fixture(scope="module")
def io():
    return kprof.read(IO, every_sample=True)


def test_read_keeps_all_events_and_sums_are_of_one():
    profile = kprof.read(MULTI)
    assert profile.events == ["page-faults", "context-switches", "cpu-clock"]
    assert profile.total == profile.event("page-faults").total
    assert kprof.read(str(MULTI), event="cpu-clock").events == ["cpu-clock"]
    assert repr(profile).startswith(
        "<ProfileView multi-event.perf-script.txt.gz: page-faults, context-switches"
    )


def test_questions(io):
    table = io.top(number=2)
    assert table["function"].tolist() == ["do_syscall_64", "mark_buffer_dirty"]
    assert table["self"].tolist() == [108324972, 101303909]
    assert io.top("comm").set_index("comm")["total"]["dd"] == 79237711
    assert len(io.top("time", bucket=0.5)) == 3
    assert io.callers("vfs_write")["total"].sum() == 424272807
    assert "ext4_buffered_write_iter" in io.callees("vfs_write")["function"].tolist()
    assert io.tree(0.5)["depth"].tolist()[0] == 0
    assert len(io.to_pandas()) == 882
    assert io.quality.facts[0] == "882 samples read"


def test_filters_take_one_or_many(io):
    dd = io.filter(comm="dd")
    assert dd.total == 79237711
    assert io.filter(comm=["dd", "rm"]).total == 79237711 + 10030090
    pid = int(dd.profile.samples.pid[0])
    assert io.filter(pid=pid).total == io.filter(pid=[pid]).total == dd.total
    assert 0 < io.filter(start=0.2, end=0.4).total < io.total
    with pytest.raises(KprofError, match="not a regular expression"):
        io.filter(focus="(")


def test_write_chooses_by_suffix(io, tmp_path):
    for name in ("x.pb.gz", "x.folded", "x.html", "x.speedscope.json"):
        io.write(tmp_path / name)
    assert kprof.read(tmp_path / "x.pb.gz").total == io.total
    kprof.read(MULTI).write(tmp_path / "multi", to="pprof")
    assert kprof.read(tmp_path / "multi").events == ["page-faults", "context-switches", "cpu-clock"]
    kprof.read(MULTI).write(tmp_path / "one.folded")
    assert kprof.read(tmp_path / "one.folded").total == 12371


def test_a_notebook_shows_the_page_in_a_frame(io, tmp_path):
    flame = io.flame("mine & yours", height=300, color="module")
    shown = flame._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert shown.count('"') == 10
    assert 'height="300"' in shown
    flame.save(tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text() == flame.page


def test_the_package_costs_nothing_until_it_is_asked():
    code = (
        "import kprof, sys; assert 'numpy' not in sys.modules; kprof.read; assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="nothing"):
        kprof.nothing  # noqa: B018
