"""Colours: a hue says what kind of code a box is, a shade tells neighbours apart.

The families stay apart under the three colour blindnesses, and dark text is legible on every fill.
"""

import colorsys
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flamegraph.tree import Int64, Labels, Tree, slice_sums

# How boxes may be coloured, and what the page calls it.
COLORS = {
    "kind": "by kind",
    "module": "by module",
    "name": "by name",
    "heat": "by self weight",
    "change": "by change",
}
SHADES = 5
TEXT_ON_BOX = "#14161a"
_LEAST_CONTRAST = 5.0
_SRGB_LINEAR_BELOW = 0.04045


@dataclass(frozen=True, slots=True)
class Scheme:
    """A colour class for each label, and what the classes look like.

    Attributes:
        of_label: class of each label, an index into light and dark; empty for a ramp.
        light: "#rrggbb" of each class on a white page.
        dark: "#rrggbb" of each class on a dark page.
        legend: (what it stands for, class that shows it), most important first.
    """

    of_label: list[int]
    light: list[str]
    dark: list[str]
    legend: list[tuple[str, int]]


# Family: (base colour, what the legend calls it). The order is that of the legend.
FAMILIES: dict[str, tuple[str, str]] = {
    "application": ("#6bb8ea", "application"),
    "inlined": ("#d79bc4", "inlined"),
    "library": ("#f0de5a", "native library"),
    "jit": ("#4dbe95", "JIT, Python"),
    "kernel": ("#e8a33d", "kernel"),
    "process": ("#d3dae3", "process"),
    "unknown": ("#bdbdbd", "unknown"),
}
_FAMILY_OF_KIND = {
    "user": "application",
    "kernel": "kernel",
    "module": "kernel",
    "vdso": "library",
    "jit": "jit",
    "python": "jit",
    "js": "jit",
    "java": "jit",
    "inlined": "inlined",
    "process": "process",
}
# What is no hue of its own keeps a narrow range of shades, so that it stays quiet.
_QUIET = {"process", "unknown"}
_LIBRARY = re.compile(r"\.(so|dylib|dll)([.\d-]|$|\])", re.IGNORECASE)

MODULE_COLORS = (
    "#6bb8ea", "#f0de5a", "#4dbe95", "#e8a33d", "#d79bc4", "#9fb4ff", "#c3dd7a", "#f3a58f",
    "#7fd3d6", "#d8b98a", "#c3a6ee", "#a7d8b0", "#f4c6dc", "#b7c6d6", "#e3cf9c", "#8fc4b7",
)  # fmt: skip
OTHER_MODULES = "#dcdcd4"
NO_MODULE = "#c4c4c4"
# The class of those for which no colour is left.
_OTHERS = len(MODULE_COLORS)


# From "less than before" to "more than before"; the three colour blindnesses tell the ends apart.
_CHANGE = ("#5b9bd5", "#82b4e0", "#a9cdea", "#d4e6f4", "#f2f2f2", "#fde3cc", "#fbc596", "#f5a35c", "#e87d2b")
# The same for a dark page, on which white glares.
_CHANGE_DARK = (
    "#4f86c0", "#709dcc", "#92b3d0", "#b0c0cf", "#bfc3c9", "#d6bda6", "#dba97b", "#d99251", "#d17428",
)  # fmt: skip
_HEAT = ("#e9e6de", "#f7e7c0", "#fbd994", "#fcc56c", "#fbac50", "#f5914a", "#ec7a4d", "#e56a5a")
# A change of less than this part of all is noise.
_NOISE = 0.0002
_HUES = 24


def scheme(labels: Labels, color: str, importance: Sequence[int] | None = None) -> Scheme:
    """Colour the labels by "kind", "module" or "name", or give the ramp of "heat" or "change".

    Args:
        labels: what to colour. A name has the same colour in every tree.
        color: one of these. A ramp has no class of its own for a label: see `classes`.
        importance: weight of each label, which orders the legend; None keeps the order of the families.
    """
    if color == "name":
        return _by_name(labels)
    if color == "heat":
        legend = [("no self weight", 0), ("some", 3), ("the most", len(_HEAT) - 1)]
        return Scheme([], list(_HEAT), list(_HEAT), legend)
    if color == "change":
        middle = len(_CHANGE) // 2
        legend = [("less than before", 0), ("the same", middle), ("more", 2 * middle)]
        return Scheme([], list(_CHANGE), list(_CHANGE_DARK), legend)
    if color == "kind":
        return _by_kind(labels, importance)
    if color == "module":
        return _by_module(labels, importance)
    raise ValueError(f"color is 'kind', 'module', 'name', 'heat' or 'change', not {color!r}")


def classes(tree: Tree, scheme: Scheme, color: str) -> Int64:
    """Return the colour class of each node of a tree in a scheme for its labels, shape (n,)."""
    if color == "heat":
        return _heat_classes(tree, len(scheme.light) - 1)
    if color == "change":
        return _change_classes(tree, len(scheme.light) // 2)
    return np.array(scheme.of_label, np.int64)[tree.label]


def _heat_classes(tree: Tree, steps: int) -> Int64:
    """How much of the weight a function is the leaf of, wherever it is."""
    numbers: dict[tuple[str, str], int] = {}
    keys = zip(tree.labels.name, tree.labels.module, strict=True)
    function = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    own = np.zeros(len(numbers), np.float64)
    np.add.at(own, function[tree.label], tree.self_weight)
    step = np.rint(np.sqrt(own / max(own.max(), 1)) * steps).astype(np.int64)
    step = np.where(own > 0, np.maximum(step, 1), 0)
    of_node: Int64 = step[function[tree.label]]
    return of_node


def _change_classes(tree: Tree, middle: int) -> Int64:
    """How the node's share of all changed: 0 if it is gone, the last class if it is new."""
    if tree.other_weight is None:
        raise ValueError("only a differential tree has changes to colour")
    others = slice_sums(tree.other_weight, np.arange(len(tree)) + tree.size)
    now = tree.total / max(int(tree.total[0]), 1)
    before = others / max(int(others[0]), 1)
    change = (now - before) / np.maximum(np.maximum(now, before), np.finfo(float).tiny)
    change[np.abs(now - before) < _NOISE] = 0
    return middle + np.rint(middle * change).astype(np.int64)


def _by_name(labels: Labels) -> Scheme:
    of_label = [stable_hash(name) % _HUES for name in labels.name]
    light, dark = (
        [_legible(at / _HUES, least + 0.03 * (at % 3)) for at in range(_HUES)] for least in (0.74, 0.62)
    )
    return Scheme(of_label, light, dark, [("a colour a name", 14)])


def stable_hash(text: str) -> int:
    """Hash a name the same way in every run."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def family_of(kind: str, module: str) -> str:
    """Return the colour family of a kind; user code in a shared library is the library's."""
    family = _FAMILY_OF_KIND.get(kind, "unknown")
    return "library" if family == "application" and _LIBRARY.search(module) else family


def shades(base: str, spread: float = 1.0) -> list[str]:
    """Return SHADES colours around `base`, their hue and lightness a little off to both sides."""
    red, green, blue = (int(base[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    steps = [(step / (SHADES - 1) - 0.5) * spread for step in range(SHADES)]
    return [_hex(hue + 0.014 * step, min(light + 0.1 * step, 0.93), saturation) for step in steps]


def darkened(color: str) -> str:
    """Return the colour for a dark page: less light, as a full one glares there."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    return _hex(hue, light * 0.87, saturation * 0.8)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two "#rrggbb" colours after WCAG, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= _SRGB_LINEAR_BELOW else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(hue: float, light: float, saturation: float) -> str:
    return "#" + "".join(f"{round(c * 255):02x}" for c in colorsys.hls_to_rgb(hue % 1, light, saturation))


def _legible(hue: float, light: float) -> str:
    """Return the colour of a hue, lighter where dark text could not be read on it."""
    while contrast(color := _hex(hue, light, 0.62), TEXT_ON_BOX) < _LEAST_CONTRAST:
        light += 0.02
    return color


def _by_kind(labels: Labels, importance: Sequence[int] | None) -> Scheme:
    order = list(FAMILIES)
    light = [
        shade
        for family, (base, _) in FAMILIES.items()
        for shade in shades(base, 0.4 if family in _QUIET else 1.0)
    ]
    families = [order.index(family_of(*pair)) for pair in zip(labels.kind, labels.module, strict=True)]
    of_label = [
        family * SHADES + stable_hash(name) % SHADES
        for family, name in zip(families, labels.name, strict=True)
    ]
    present = (
        set(families) if importance is None else {f for f, w in zip(families, importance, strict=True) if w}
    )
    legend = [
        (text, at * SHADES + SHADES // 2) for at, (_, text) in enumerate(FAMILIES.values()) if at in present
    ]
    return Scheme(of_label, light, [darkened(color) for color in light], legend)


def _by_module(labels: Labels, importance: Sequence[int] | None) -> Scheme:
    weight: dict[str, int] = dict.fromkeys(labels.module, 0)
    for at, module in enumerate(labels.module):
        weight[module] += 1 if importance is None else importance[at]
    heaviest = sorted(weight, key=lambda module: (-weight[module], module))
    class_of = _module_classes(heaviest)
    light = [*MODULE_COLORS, OTHER_MODULES, NO_MODULE]
    legend = [
        (module or "no module", class_of[module])
        for module in heaviest
        if weight[module] and class_of[module] != _OTHERS
    ]
    if any(at == _OTHERS and weight[module] for module, at in class_of.items()):
        legend.append(("other modules", _OTHERS))
    of_label = [class_of[module] for module in labels.module]
    return Scheme(of_label, light, [darkened(color) for color in light], legend)


def _module_classes(heaviest: Sequence[str]) -> dict[str, int]:
    """Give each of the heaviest modules a colour of its own, its favourite if that is free."""
    class_of: dict[str, int] = {}
    taken: dict[int, str] = {}
    for module in heaviest:
        if not module:
            class_of[module] = len(MODULE_COLORS) + 1
            continue
        name = _plain_module(module)
        wish = stable_hash(name) % len(MODULE_COLORS)
        tries = [(wish + step) % len(MODULE_COLORS) for step in range(len(MODULE_COLORS))]
        free = next((at for at in tries if taken.get(at, name) == name), _OTHERS)
        class_of[module] = free
        if free != _OTHERS:
            taken[free] = name
    return class_of


def _plain_module(module: str) -> str:
    # Versions and folders differ between hosts; the colour of a library should not.
    return re.sub(r"\.so\b.*", ".so", module.rstrip("/").rpartition("/")[2])
