"""Flame graphs from stacks with weights: a Plotly figure, or one HTML page that works offline.

>>> tree = flamegraph.from_folded(open("out.folded", "rb"))
>>> pathlib.Path("out.html").write_text(flamegraph.page(tree, title="my program"))
"""

from flamegraph.figure import figure
from flamegraph.folded import FoldedError, FoldedStacks, format_stack, parse_line, read, write
from flamegraph.page import page
from flamegraph.sources import from_dataframe, from_folded, guess_labels
from flamegraph.tree import Labels, Tree, build_tree

__all__ = [
    "FoldedError",
    "FoldedStacks",
    "Labels",
    "Tree",
    "build_tree",
    "figure",
    "format_stack",
    "from_dataframe",
    "from_folded",
    "guess_labels",
    "page",
    "parse_line",
    "read",
    "write",
]
