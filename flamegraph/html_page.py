"""One HTML file that holds a flame graph and all that it takes to explore it offline."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flamegraph.bundle import asset, bundle, plotly
from flamegraph.colors import COLORS
from flamegraph.encode import Payload, encode, encode_samples
from flamegraph.hints import unknown_by_module
from flamegraph.overview import overview
from flamegraph.samples import Samples
from flamegraph.tree import Tree

THEMES = ("auto", "light", "dark")
# Below that, the whole tree is there before an overview could be drawn.
_LARGE = 60_000
_WIDEST_MINIMUM = 100
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
    color: str = "",
    samples: Samples | None = None,
    beside: Tree | None = None,
    names: tuple[str, str] = ("", ""),
    min_width: float = 0.5,
    times_first: bool = False,
    counts: tuple[int, int] | None = None,
) -> str:
    """Return the HTML of an interactive flame graph. It asks nothing of any network.

    Args:
        tree: what to draw, all of it is in the page. One with `other_weight` is a differential flame graph.
        title: heading and title of the page.
        unit: of the weights: "samples", "ns", "bytes", "events", or any noun.
        facts: how the stacks came about, by name; shown on demand.
        quality: short statements on how far the stacks can be trusted; always shown.
        warnings: like quality, highlighted.
        icicle: begin with the roots on top.
        theme: "light", "dark", or "auto" to follow the reader's system.
        color: "kind", "module", "name", "heat" or "change" (differential only), to begin with; by default
            "change" where there is one, else "kind".
        samples: what the reader may filter by, and when it was.
        beside: a second tree, drawn beside the first and linked with it; of the same labels.
        names: headings of the two.
        min_width: a frame narrower than that many pixels is not drawn by itself.
        times_first: begin with the heat map over time open.
        counts: how many samples a differential flame graph was made of, before and after: a change that
            chance explains is not coloured.
    """
    if not 0 < min_width <= _WIDEST_MINIMUM:
        raise ValueError(f"min_width is more than 0 and at most {_WIDEST_MINIMUM} pixels, not {min_width}")
    color = color or ("change" if tree.other_weight is not None else "kind")
    colors = [name for name in COLORS if name != "change" or tree.other_weight is not None]
    _check_choice("theme", theme, THEMES)
    _check_choice("color", color, colors)
    options = {"unit": unit, "icicle": icicle, "theme": theme, "color": color, "narrow": min_width}
    options |= {"timesFirst": True} if times_first else {}
    options |= {"counts": counts} if counts else {}
    data = _data(tree, beside, samples, options)
    first = _overview(tree, options) if beside is None else ""
    holes = {
        "title": _text(title),
        "quality": _items(quality, "chip"),
        "warnings": _items(warnings, "chip warning"),
        "facts": _facts(facts or {}, unknown_by_module(tree)),
        "colors": "".join(
            f'<option value="{name}">{text}</option>' for name, text in COLORS.items() if name in colors
        ),
        "swap": "" if tree.other_weight is not None else "hidden",
        "pair": "two" if beside is not None else "",
        "first": _heading(names[0], beside),
        "second": _heading(names[1], beside),
        "options": _script_json(options),
        "overview": first,
        "data": data,
    }
    return _fill(asset("page.html"), {**holes, **_constant()})


def _data(tree: Tree, beside: Tree | None, samples: Samples | None, options: dict[str, Any]) -> str:
    """Return the elements that hold the trees; what the page must know of them goes into the options."""
    payloads = encode(tree) if beside is None else encode(tree, beside)
    options["tree"] = payloads[0].meta
    data = _scripts("", payloads[0])
    if beside is not None:
        options["second"] = {"tree": payloads[1].meta}
        data += _script("second-columns", payloads[1].columns)
    if samples is not None and len(samples.node):
        options["samples"], packed = encode_samples(samples)
        data += _script("samples", packed)
    return data


def _heading(name: str, beside: Tree | None) -> str:
    return "" if beside is None else f"<h2>{_text(name)}</h2>"


def _constant() -> dict[str, str]:
    return {"style": asset("page.css"), "plotly": plotly(), "script": bundle()}


def _overview(tree: Tree, options: dict[str, Any]) -> str:
    if len(tree) < _LARGE or tree.other_weight is not None:
        return ""
    (payload,) = encode(overview(tree))
    options["overview"] = {"tree": payload.meta}
    return _scripts("overview", payload)


def _scripts(prefix: str, payload: Payload) -> str:
    return _script(f"{prefix}columns", payload.columns) + _script(f"{prefix}labels", payload.labels)


def _script(name: str, packed: str) -> str:
    return f'<script type="text/plain" id="kf-{name}">{packed}</script>\n'


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")


def _fill(template: str, holes: Mapping[str, str]) -> str:
    # One pass: a hole's filling may itself look like a hole.
    return _HOLE.sub(lambda hole: holes[hole[1]], template)


def _text(text: str) -> str:
    return html.escape(_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))


def _items(texts: Sequence[str], style: str) -> str:
    return "".join(f'<li class="{style}">{_text(text)}</li>' for text in texts)


def _facts(facts: Mapping[str, str], hints: Sequence[str]) -> str:
    if not facts and not hints:
        return ""
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts.items())
    rows += "".join(f"<dt>hint</dt><dd>{_text(hint)}</dd>" for hint in hints)
    return f'<details class="details"><summary>Details</summary><dl>{rows}</dl></details>'


def _script_json(value: Any) -> str:
    # Inside a script element only `<` can do harm: as </script> or as <!--.
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
