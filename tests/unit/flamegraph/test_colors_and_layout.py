"""Colours can be read and told apart; boxes stand where they should."""

import itertools

import numpy as np
import pytest

from flamegraph import Labels, from_folded
from flamegraph.colors import (
    COLORS,
    FAMILIES,
    MODULE_COLORS,
    TEXT_ON_BOX,
    contrast,
    darkened,
    family_of,
    scheme,
    shades,
)
from flamegraph.layout import visible_boxes

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
WIDELY_APART = 7.5  # CIE76; 2.3 is just noticeable


def lab(color, matrix):
    rgb = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.clip(
        np.array(matrix) @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1
    )
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("color", COLORS)
def test_text_is_legible_on_every_fill(color):
    colors = scheme(Labels(["a"], ["user"], [""]), color)
    assert min(contrast(fill, TEXT_ON_BOX) for fill in [*colors.light, *colors.dark]) >= 4.5


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("dark", [False, True])
def test_families_stay_apart_for_the_colour_blind(blindness, dark):
    bases = [darkened(base) if dark else base for base, _ in FAMILIES.values()]
    seen = [lab(base, BLINDNESS[blindness]) for base in bases]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > WIDELY_APART


def test_colour_of_a_name_does_not_depend_on_its_neighbours():
    alone = scheme(Labels(["f"], ["user"], ["/usr/lib/libc.so.6"]), "module")
    among = scheme(Labels(["x", "f"], ["kernel", "user"], ["", "/lib64/libc.so.7"]), "module")
    assert alone.of_label[0] == among.of_label[1]
    assert len(set(shades("#6bb8ea"))) == 5
    assert len(set(MODULE_COLORS)) == len(MODULE_COLORS)


def test_family_of_library_code_is_the_library():
    assert family_of("user", "/lib/libc.so.6") == "library"
    assert family_of("user", "/bin/sorter") == "application"
    assert family_of("martian", "") == "unknown"


def test_unknown_colour_scheme_is_refused():
    with pytest.raises(ValueError, match="kind"):
        scheme(Labels([], [], []), "rainbow")


def test_children_stand_side_by_side_and_self_to_their_right():
    tree = from_folded([b"a;b 30", b"a;c 20", b"a 10", b"d 40"])
    boxes = visible_boxes(tree, 1000)
    drawn = {
        tree.labels.name[tree.label[node]]: (depth, left, width)
        for node, depth, left, width in zip(boxes.node, boxes.depth, boxes.left, boxes.width, strict=True)
    }
    assert drawn["a"] == (1, 0, 600)
    assert drawn["b"] == (2, 0, 300)
    assert drawn["c"] == (2, 300, 200)
    assert drawn["d"] == (1, 600, 400)


def test_narrow_neighbours_become_one_filler_that_counts_them():
    tree = from_folded([b"a 1000000", *(b"n%d;x 1" % at for at in range(900))])
    boxes = visible_boxes(tree, 1000)
    filler = boxes.node < 0
    assert boxes.hidden[filler].tolist() == [1800]
    assert boxes.width[filler].sum() == pytest.approx(900 / 1000900 * 1000)


def test_zoom_keeps_ancestors_over_the_whole_width():
    tree = from_folded([b"a;b;c 1", b"a;d 9"])
    boxes = visible_boxes(tree, 100, zoom=3)
    assert boxes.width.tolist() == [100, 100, 100, 100]
    assert boxes.node.tolist() == [0, 1, 2, 3]
