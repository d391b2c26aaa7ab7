"""The static figure: shapes for the boxes, one path a colour, and text on top."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from flamegraph import colors
from flamegraph.layout import Boxes, visible_boxes
from flamegraph.tree import Tree
from flamegraph.units import format_share, format_weight

ROW = 18
CHARACTER = 7.23  # pixels of one monospace character at FONT_SIZE
FONT_SIZE = 12
FONT = "DejaVu Sans Mono, Menlo, Consolas, monospace"
# By theme: the page, its text, what is too narrow to draw.
_GROUNDS = {"light": ("#ffffff", "#1b1e24", "#d9dbe0"), "dark": ("#16181d", "#e6e8ec", "#3d424c")}
_MIN_CHARACTERS = 3
_TOP, _BOTTOM, _SIDE = 64, 12, 10
_HOVER_EVERY = 40  # pixels between the points that carry the hover text of a wide box
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def figure(
    tree: Tree,
    *,
    title: str = "",
    icicle: bool = False,
    width: int = 1200,
    unit: str = "samples",
    color: str = "",
    theme: str = "light",
    min_width: float = 0.5,
) -> Any:
    """Draw the whole tree as a static figure: for `show()`, or for paper.

    Args:
        tree: what to draw.
        title: heading, taken as plain text.
        icicle: roots on top instead of at the bottom.
        width: of the figure, in pixels.
        unit: of the weights: "samples", "ns", "bytes", "events", or any noun.
        color: "kind", "module", "name", "heat", or "change" for a differential tree, whose default it is;
            that of others is "kind".
        theme: "light" or "dark".
        min_width: a frame narrower than that many pixels is not drawn by itself.

    Returns:
        A plotly.graph_objects.Figure.
    """
    import plotly.graph_objects as go  # noqa: PLC0415 - importing flamegraph must stay cheap

    color = color or ("change" if tree.other_weight is not None else "kind")
    ground, ink, _ = _GROUNDS[theme]
    boxes = visible_boxes(tree, width - 2 * _SIDE, min_width=min_width)
    scheme = colors.scheme(tree.labels, color, _importance(tree))
    rows = int(boxes.depth.max()) + 1
    drawn = go.Figure(
        data=[_labels(go, tree, boxes), _hover(go, tree, boxes, unit), *_legend(go, scheme, theme)]
    )
    drawn.update_layout(
        title={"text": plain_text(title), "x": 0.5, "y": 1, "yanchor": "top", "pad": {"t": 10}},
        shapes=_shapes(boxes, _fills(tree, boxes, scheme, color, theme)),
        width=width,
        height=rows * ROW + _TOP + _BOTTOM,
        margin={"l": _SIDE, "r": _SIDE, "t": _TOP, "b": _BOTTOM},
        xaxis={"range": [0, width - 2 * _SIDE], "visible": False, "fixedrange": True},
        yaxis={"range": [rows, 0] if icicle else [0, rows], "visible": False, "fixedrange": True},
        font={"color": ink},
        plot_bgcolor=ground,
        paper_bgcolor=ground,
        hovermode="closest",
        dragmode=False,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "itemclick": False},
    )
    drawn.update_legends(itemdoubleclick=False)
    return drawn


def plain_text(text: str) -> str:
    """Escape text for Plotly, which reads a kind of HTML and formulas between `$`."""
    clean = _CONTROL.sub(" ", _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")


def _importance(tree: Tree) -> list[int]:
    counts: list[int] = np.bincount(tree.label[1:], minlength=len(tree.labels.name)).tolist()
    return counts


def _each(boxes: Boxes) -> Iterator[tuple[int, int, float, float, int]]:
    return zip(
        boxes.node.tolist(),
        boxes.depth.tolist(),
        boxes.left.tolist(),
        boxes.width.tolist(),
        boxes.hidden.tolist(),
        strict=True,
    )


def _fills(tree: Tree, boxes: Boxes, scheme: colors.Scheme, color: str, theme: str) -> list[str]:
    """Return the colour of each box."""
    of_node = colors.classes(tree, scheme, color).tolist()
    fills, filler = scheme.dark if theme == "dark" else scheme.light, _GROUNDS[theme][2]
    return [filler if node < 0 else fills[of_node[node]] for node in boxes.node.tolist()]


def _shapes(boxes: Boxes, fills: list[str]) -> list[dict[str, Any]]:
    paths: dict[str, list[str]] = {}
    for (_, depth, left, width, _), fill in zip(_each(boxes), fills, strict=True):
        # A hair of background between boxes tells them apart without a border.
        right = left + width - min(1.0, width * 0.2)
        paths.setdefault(fill, []).append(
            f"M{left:.1f} {depth + 0.03:.2f}H{right:.1f}V{depth + 0.97:.2f}H{left:.1f}Z"
        )
    return [
        {"type": "path", "path": "".join(parts), "fillcolor": fill, "line": {"width": 0}, "layer": "below"}
        for fill, parts in paths.items()
    ]


def _labels(go: Any, tree: Tree, boxes: Boxes) -> Any:
    x, y, text = [], [], []
    for node, depth, left, width, _ in _each(boxes):
        room = int((width - 6) / CHARACTER)
        if node < 0 or room < _MIN_CHARACTERS:
            continue
        name = tree.labels.name[tree.label[node]]
        x.append(left + 3)
        y.append(depth + 0.5)
        text.append(plain_text(name if len(name) <= room else name[: room - 1] + "…"))
    return go.Scatter(
        x=x,
        y=y,
        text=text,
        mode="text",
        textposition="middle right",
        textfont={"family": FONT, "size": FONT_SIZE, "color": colors.TEXT_ON_BOX},
        hoverinfo="skip",
        showlegend=False,
    )


def _hover(go: Any, tree: Tree, boxes: Boxes, unit: str) -> Any:
    x, y, text = [], [], []
    for node, depth, left, width, hidden in _each(boxes):
        shown = f"{hidden:,} boxes too narrow to draw" if node < 0 else _description(tree, node, unit)
        points = max(1, round(width / _HOVER_EVERY))
        x += [left + width * (point + 0.5) / points for point in range(points)]
        y += [depth + 0.5] * points
        text += [shown] * points
    return go.Scatter(
        x=x,
        y=y,
        hovertext=text,
        mode="markers",
        marker={"opacity": 0, "size": ROW},
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def _description(tree: Tree, node: int, unit: str) -> str:
    label, total, own = int(tree.label[node]), int(tree.total[node]), int(tree.self_weight[node])
    everything = int(tree.total[0])
    place = [tree.labels.module[label], tree.labels.source[label] if tree.labels.source else ""]
    lines = [
        f"<b>{plain_text(tree.labels.name[label])}</b>",
        plain_text(" · ".join(part for part in place if part)),
        f"{plain_text(format_weight(total, unit))}, {format_share(total, everything)} of all",
        f"self {plain_text(format_weight(own, unit))}, {format_share(own, everything)}",
    ]
    return "<br>".join(line for line in lines if line)


def _legend(go: Any, scheme: colors.Scheme, theme: str) -> list[Any]:
    fills = scheme.dark if theme == "dark" else scheme.light
    return [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"symbol": "square", "size": 12, "color": fills[at]},
            name=plain_text(text),
            showlegend=True,
        )
        for text, at in scheme.legend[:12]
    ]
