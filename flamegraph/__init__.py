"""Flame graphs from stacks with weights: a Plotly figure, or one HTML page that works offline.

>>> tree = flamegraph.from_folded(open("out.folded", "rb"))
>>> pathlib.Path("out.html").write_text(flamegraph.page(tree, title="my program"))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamegraph.folded import FoldedError, FoldedStacks, format_stack, parse_line, read, write
    from flamegraph.html_page import page
    from flamegraph.plotly_figure import figure
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

# Where each name lives. They are imported when first used: a program that only folds does not wait
# for what draws. No module may be called like a name, or it would take the name's place.
_HOMES = {
    "folded": ("FoldedError", "FoldedStacks", "format_stack", "parse_line", "read", "write"),
    "html_page": ("page",),
    "plotly_figure": ("figure",),
    "sources": ("from_dataframe", "from_folded", "guess_labels"),
    "tree": ("Labels", "Tree", "build_tree"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - see above

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"flamegraph.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
