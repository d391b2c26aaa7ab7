"""Two sides from Python give what the commands give."""

from pathlib import Path

import pytest

import kprof

SAMPLES = Path(__file__).parents[2] / "samples"
IO = SAMPLES / "kernel-io.perf-script.txt.gz"
THREADS = SAMPLES / "threads.perf-script.txt.gz"


def folded(folder, name, **weights):
    path = folder / name
    path.write_text("".join(f"app;main;{function} {weight}\n" for function, weight in weights.items()))
    return path


def test_diff_of_several_runs_a_side(tmp_path):
    before = [kprof.read(folded(tmp_path, f"b{i}", parse=100 + i, read=300 - i, gone=5)) for i in range(5)]
    after = [kprof.read(folded(tmp_path, f"a{i}", parse=150 + i, read=300 - i, fresh=5)) for i in range(5)]
    found = kprof.diff(before, after)
    table = found.to_pandas().set_index("function")
    assert table["significant"]["parse"]
    assert (table["change"]["gone"], table["change"]["fresh"]) == ("vanished", "new")
    fails = found.rules("self(parse) > +5%", "total(main) > +5%").set_index("rule")["fails"]
    assert fails.to_dict() == {"self(parse) > +5%": True, "total(main) > +5%": False}
    assert "kflame" in found.flame().page


def test_diff_of_folded_text_and_a_recording(tmp_path):
    path = tmp_path / "io.folded"
    kprof.read(IO).write(path)
    table = kprof.diff(kprof.read(IO), kprof.read(path)).to_pandas()
    assert table["self_delta"].abs().max() < 1e-9


def test_compare():
    found = kprof.compare(kprof.read(IO), kprof.read(IO))
    assert found.summary()[["stacks", "distance"]].tolist() == pytest.approx([1, 0])
    assert found.summary()["chance_same"] > 0
    assert list(found.sides().columns) == [f"{IO.name} (1)", f"{IO.name} (2)"]
    assert len(found.to_pandas()) == len(found.one_sided()) == 0
    assert repr(found).endswith("100.0% of stacks, 100.0% of functions>")
    assert "kf-second" in found._repr_html_()
    other = kprof.compare(kprof.read(IO), kprof.read(THREADS))
    assert other.causes().sum() == pytest.approx(1 - other.summary()["functions"])
    assert "thread dd" in other.one_sided()["what"].tolist()


def test_compare_tells_what_one_side_has_apart():
    multi = kprof.read(SAMPLES / "multi-event.perf-script.txt.gz")
    found = kprof.compare(multi, multi.event("cpu-clock"))
    assert found.summary()["distance"] == pytest.approx(0)
    assert found.one_sided()["what"].tolist() == ["event page-faults", "event context-switches"]
