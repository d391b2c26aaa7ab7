"""Flame graphs from stacks with weights: a Plotly figure, or one HTML page that works offline.

>>> tree = flamegraph.from_folded(open("out.folded", "rb"))
>>> pathlib.Path("out.html").write_text(flamegraph.page(tree, title="my program"))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamegraph.folded import FoldedError, FoldedStacks, format_stack, parse_line, read, write
    from flamegraph.html_page import page
    from flamegraph.pairs import align, differential
    from flamegraph.pictures import PictureError, picture
    from flamegraph.plotly_figure import figure
    from flamegraph.samples import Facet, Samples, grouped, time_facet
    from flamegraph.sources import from_dataframe, from_folded, guess_labels
    from flamegraph.tree import Labels, Tree, build_tree, build_tree_with_places

__all__ = [
    "Facet",
    "FoldedError",
    "FoldedStacks",
    "Labels",
    "PictureError",
    "Samples",
    "Tree",
    "align",
    "build_tree",
    "build_tree_with_places",
    "differential",
    "figure",
    "format_stack",
    "from_dataframe",
    "from_folded",
    "grouped",
    "guess_labels",
    "page",
    "parse_line",
    "picture",
    "read",
    "time_facet",
    "write",
]

# Where each name lives. They are imported when first used: a program that only folds does not wait
# for what draws. No module may be called like a name, or it would take the name's place.
_HOMES = {
    "folded": ("FoldedError", "FoldedStacks", "format_stack", "parse_line", "read", "write"),
    "html_page": ("page",),
    "pairs": ("align", "differential"),
    "pictures": ("PictureError", "picture"),
    "plotly_figure": ("figure",),
    "samples": ("Facet", "Samples", "grouped", "time_facet"),
    "sources": ("from_dataframe", "from_folded", "guess_labels"),
    "tree": ("Labels", "Tree", "build_tree", "build_tree_with_places"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - see above

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"flamegraph.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
