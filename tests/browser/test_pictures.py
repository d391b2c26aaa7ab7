"""Static pictures, drawn by the browser that kaleido drives; a missing one fails, as with the page."""

import importlib.util
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import kaleido
import pytest
from choreographer.errors import ChromeNotFoundError

from flamegraph import PictureError, align, differential, figure, from_folded, picture

SAMPLE = Path(__file__).parents[2] / "samples" / "kernel-io.perf-script.txt.gz"
TREE = from_folded([b"main;<b>&x</b> 60", b"main;y_[k] 40"])
DEEP = from_folded([";".join(f"f{at}" for at in range(1000)).encode() + b" 1"])


def flame(*arguments):
    command = [sys.executable, "-m", "kprof", "flame", SAMPLE, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_svg_is_one_and_has_the_names_as_they_are():
    drawn = ET.fromstring(picture(figure(TREE, title="a <b> & $c$"), "svg"))  # noqa: S314 - our own
    texts = {"".join(element.itertext()) for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"all", "main", "<b>&x</b>", "y_[k]", "a <b> & $c$"} <= texts


@pytest.mark.parametrize(("form", "magic"), [("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF")])
def test_pictures_from_the_command_line(tmp_path, form, magic):
    output = tmp_path / f"out.{form}"
    done = flame("-o", output, "--icicle", "--color", "heat", "--theme", "dark")
    assert done.returncode == 0, done.stderr
    assert output.read_bytes().startswith(magic)


def test_json_is_a_figure_and_needs_no_browser(tmp_path):
    output = tmp_path / "out.json"
    assert flame("-o", output, "--title", "it").returncode == 0
    assert json.loads(output.read_text())["layout"]["title"]["text"] == "it"


def test_what_is_missing_or_too_high_is_said(tmp_path, monkeypatch):
    assert "end its name in .html, .svg" in flame("-o", tmp_path / "out.gif").stderr
    with pytest.raises(PictureError, match="18094 pixels are too high for png"):
        picture(figure(DEEP), "png")

    def missing(*_arguments, **_options):
        raise ChromeNotFoundError

    monkeypatch.setattr(kaleido, "calc_fig_sync", missing)
    with pytest.raises(PictureError) as no_browser:
        picture(figure(TREE), "svg")
    assert "apt-get install chromium" in no_browser.value.remedy
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(PictureError) as no_kaleido:
        picture(figure(TREE), "svg")
    assert "pip install kaleido" in no_kaleido.value.remedy


def test_a_difference_is_coloured_by_change():
    before, after = from_folded([b"a;b 50", b"a;c 50"]), from_folded([b"a;b 90", b"a;d 10"])
    drawn = figure(differential(*align(before, after)))
    fills = {shape.fillcolor for shape in drawn.layout.shapes}
    assert {"#e87d2b", "#f2f2f2"} <= fills  # new, the same
    assert [trace.name for trace in drawn.data[2:]] == ["less than before", "the same", "more"]
