"""One HTML file that holds a flame graph and all that it takes to explore it offline."""

import functools
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from flamegraph import vendor
from flamegraph.encode import encode, pack
from flamegraph.tree import Tree

# A module stands behind those that it imports from: bundling is concatenating in this order.
SCRIPTS = (
    "decode.js",
    "format.js",
    "layout.js",
    "search.js",
    "colors.js",
    "draw.js",
    "view.js",
    "route.js",
    "tip.js",
    "chrome.js",
    "keys.js",
    "app.js",
)
_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
_HOLE = re.compile(r"\{\{(\w+)\}\}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def page(
    tree: Tree,
    *,
    title: str,
    unit: str = "samples",
    facts: Mapping[str, str] | None = None,
    quality: Sequence[str] = (),
    warnings: Sequence[str] = (),
    icicle: bool = False,
    theme: str = "auto",
    color: str = "kind",
) -> str:
    """Return the HTML of an interactive flame graph. It asks nothing of any network.

    Args:
        tree: what to draw, all of it is in the page.
        title: heading and title of the page.
        unit: of the weights: "samples", "ns", "bytes", "events", or any noun.
        facts: how the stacks came about, by name; shown on demand.
        quality: short statements on how far the stacks can be trusted; always shown.
        warnings: like quality, highlighted.
        icicle: begin with the roots on top.
        theme: "light", "dark", or "auto" to follow the reader's system.
        color: "kind" or "module", to begin with.
    """
    if theme not in {"auto", "light", "dark"}:
        raise ValueError(f"theme is 'auto', 'light' or 'dark', not {theme!r}")
    if color not in {"kind", "module"}:
        raise ValueError(f"color is 'kind' or 'module', not {color!r}")
    payload = encode(tree)
    options = {"unit": unit, "icicle": icicle, "theme": theme, "color": color, "tree": payload.meta}
    return _fill(
        _asset("page.html"),
        {
            "title": _text(title),
            "style": _asset("page.css"),
            "quality": _items(quality, "chip"),
            "warnings": _items(warnings, "chip warning"),
            "facts": _facts(facts or {}),
            "options": _script_json(options),
            "columns": payload.columns,
            "labels": payload.labels,
            "plotly": _plotly(),
            "script": bundle(),
        },
    )


@functools.cache
def bundle() -> str:
    """Join the modules of the page into one script; every name of theirs is private to it."""
    parts = [_EXPORT.sub("", _IMPORT.sub("", _asset(name))) for name in SCRIPTS]
    script = "(() => {\n'use strict';\n" + "\n".join(parts) + "\n})();\n"
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a script of the page would end its own element")
    return script


@functools.cache
def _plotly() -> str:
    return pack(_asset(vendor.PLOTLY_FILE).encode())


@functools.cache
def _asset(name: str) -> str:
    return (resources.files("flamegraph") / "assets" / name).read_text(encoding="utf-8")


def _fill(template: str, holes: Mapping[str, str]) -> str:
    # One pass: a hole's filling may itself look like a hole.
    return _HOLE.sub(lambda hole: holes[hole[1]], template)


def _text(text: str) -> str:
    return html.escape(_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))


def _items(texts: Sequence[str], style: str) -> str:
    return "".join(f'<li class="{style}">{_text(text)}</li>' for text in texts)


def _facts(facts: Mapping[str, str]) -> str:
    if not facts:
        return ""
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts.items())
    return f"<details><summary>Details</summary><dl>{rows}</dl></details>"


def _script_json(value: Any) -> str:
    # Inside a script element only `<` can do harm: as </script> or as <!--.
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
