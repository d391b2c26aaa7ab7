"""The static figure."""

import subprocess
import sys

import pytest

from flamegraph import figure, from_folded

TREE = from_folded([b"a;<b>bold</b> 60", b"a;c_[k] 39", b"a;\xff;\x01odd 1"])


@pytest.mark.parametrize("icicle", [False, True])
def test_figure_draws_one_path_a_colour_and_escaped_text(icicle):
    drawn = figure(TREE, title="<i>t</i>", icicle=icicle)
    assert drawn.layout.title.text == "&lt;i&gt;t&lt;/i&gt;"
    assert "&lt;b&gt;bold&lt;/b&gt;" in drawn.data[0].text
    fills = [shape.fillcolor for shape in drawn.layout.shapes]
    assert len(fills) == len(set(fills)) >= 3
    assert (drawn.layout.yaxis.range[0] > drawn.layout.yaxis.range[1]) is icicle


def test_figure_can_be_written_and_says_totals_on_hover():
    drawn = figure(TREE, unit="ns", color="module")
    assert any("60 ns, 60.00% of all" in text for text in drawn.data[1].hovertext)
    assert "<b>bold" not in drawn.to_json().replace("<b>&lt;", "")


def test_importing_the_library_imports_neither_plotly_nor_pandas():
    code = "import sys, flamegraph; sys.exit(any(m in sys.modules for m in ('plotly', 'pandas', 'kprof')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
