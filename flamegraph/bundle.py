"""The scripts of the page, joined into one: neither node nor a bundler is needed."""

import functools
import re
from importlib import resources

from flamegraph import vendor
from flamegraph.encode import pack

# A module stands behind those that it imports from: bundling is concatenating in this order.
SCRIPTS = (
    "decode.js",
    "format.js",
    "functions.js",
    "layout.js",
    "search.js",
    "colors.js",
    "draw.js",
    "view.js",
    "gestures.js",
    "graph.js",
    "route.js",
    "shape.js",
    "derive.js",
    "model.js",
    "tip.js",
    "chrome.js",
    "moments.js",
    "events.js",
    "heatmap.js",
    "state.js",
    "theme.js",
    "table.js",
    "menu.js",
    "filters.js",
    "minimap.js",
    "keys.js",
    "page.js",
    "picture.js",
    "commands.js",
    "app.js",
)
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)


@functools.cache
def bundle() -> str:
    """Join the modules of the page into one script; every name of theirs is private to it.

    The page also starts it as a worker, from its own text.
    """
    parts = [_EXPORT.sub("", _IMPORT.sub("", asset(name))) for name in SCRIPTS]
    script = "(() => {\n'use strict';\n" + "\n".join(parts) + "\n})();\n"
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a script of the page would end its own element")
    return script


@functools.cache
def plotly() -> str:
    """Return the vendored Plotly, packed."""
    return pack(asset(vendor.PLOTLY_FILE).encode())


@functools.cache
def asset(name: str) -> str:
    """Read one file of the page."""
    return (resources.files("flamegraph") / "assets" / name).read_text(encoding="utf-8")
