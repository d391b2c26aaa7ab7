"""Two profiles in one page: beside each other, and as a difference."""

import pytest

from flamegraph import align, differential, from_folded, page

BEFORE = {"main;read;parse": 300, "main;read;copy": 300, "main;gone;old": 200, "main;same": 200}
AFTER = {"main;read;parse": 600, "main;read;copy": 150, "main;fresh;new": 250, "main;same": 1000}


def tree_of(lines):
    return from_folded([f"{stack} {weight}".encode() for stack, weight in lines.items()])


@pytest.fixture
def pair(visit):
    first, second = align(tree_of(BEFORE), tree_of(AFTER))
    return visit(page(first, beside=second, title="pair", names=("before <b>", "after")))


@pytest.fixture
def diff(visit):
    return visit(page(differential(tree_of(BEFORE), tree_of(AFTER)), title="diff"))


def test_both_panes_refold_to_their_inputs(pair, look):
    assert look.folded(pair, 0) == BEFORE
    assert look.folded(pair, 1) == AFTER
    heads = pair.locator("#kf-pair h2").all_text_contents()
    assert heads == ["before <b> — 1,000 samples", "after — 2,000 samples"]


def test_zoom_in_either_pane_zooms_both(pair, look):
    x, y, node, _ = look.centre(pair, "read", 1)
    pair.mouse.click(x, y)
    look.until(pair, f"kflame.panes[1].zoom === {node} && kflame.panes[0].zoom > 0")
    names = "[0, 1].map((at) => { const p = kflame.panes[at]; return p.tree.names[p.tree.label[p.zoom]]; })"
    assert pair.evaluate(names) == ["read", "read"]
    assert "600 samples (60.00% of all)" in pair.locator("#kf-graph h2").text_content()
    pair.go_back()
    look.until(pair, "kflame.panes[0].zoom === 0 && kflame.panes[1].zoom === 0")


def test_zoom_to_what_the_other_lacks_shows_its_caller_there(pair, look):
    x, y, *_ = look.centre(pair, "fresh", 1)
    pair.mouse.click(x, y)
    names = "[0, 1].map((at) => { const p = kflame.panes[at]; return p.tree.names[p.tree.label[p.zoom]]; })"
    look.until(pair, f"{names}[1] === 'fresh'")
    assert pair.evaluate(names) == ["main", "fresh"]


def test_hover_marks_the_frame_in_both_and_compares(pair, look):
    x, y, *_ = look.centre(pair, "parse", 0)
    pair.mouse.move(x, y)
    assert pair.locator("#kf-second-hovered").is_visible()
    assert "other side 600 samples — 30.00%, ±0.00 points" in pair.locator("#kf-tip").text_content()
    x, y, *_ = look.centre(pair, "old", 0)
    pair.mouse.move(x, y)
    assert "the other side does not have it" in pair.locator("#kf-tip").text_content()
    assert not pair.locator("#kf-second-hovered").is_visible()


def test_search_and_edits_are_those_of_both(pair, look):
    pair.fill("#kf-query", "parse")
    look.until(pair, "kflame.found.weight === 300")
    look.until(pair, "document.querySelector('#kf-second h2').textContent.includes('30.00% matched')")
    assert "30.00% matched" in pair.locator("#kf-graph h2").text_content()
    pair.press("#kf-query", "Escape")
    x, y, *_ = look.centre(pair, "read", 0)
    pair.mouse.click(x, y, button="right")
    pair.get_by_role("menuitem", name="Hide its frames").click()
    look.until(pair, "kflame.state.hide.length === 1")
    assert "main;parse" in look.folded(pair, 0)
    assert "main;parse" in look.folded(pair, 1)


def test_difference_holds_both_and_its_widths_can_be_swapped(diff, look):
    assert look.folded(diff) == AFTER
    assert look.centre(diff, "old") is None
    diff.keyboard.press("w")
    look.until(diff, "kflame.state.swap")
    assert look.folded(diff) == BEFORE
    assert look.centre(diff, "old")
    assert look.centre(diff, "new") is None
    assert fill_of(diff, *look.centre(diff, "old")[:2]) == "rgb(91, 155, 213)"
    x, y, *_ = look.centre(diff, "copy")
    diff.mouse.move(x, y)
    assert "after 150 samples — 7.50%, \u221222.50 points" in diff.locator("#kf-tip").text_content()


def fill_of(tab, x, y):
    """Colour on the screen, in the page's own words: the path that the point is in."""
    return tab.evaluate(
        """([x, y]) => {
      const paths = [...document.querySelectorAll('#kf-plot .shapelayer path')].reverse();
      for (const path of paths) {
        const point = new DOMPoint(x, y).matrixTransform(path.getScreenCTM().inverse());
        if (path.isPointInFill(point)) return path.style.fill;
      }
    }""",
        [x, y],
    )


def test_what_chance_explains_is_not_coloured(visit, look):
    few = visit(page(differential(tree_of(BEFORE), tree_of(AFTER)), title="diff", counts=(10, 20)))
    assert fill_of(few, *look.centre(few, "new")[:2]) == "rgb(242, 242, 242)"
    assert fill_of(few, *look.centre(few, "same")[:2]) == "rgb(242, 242, 242)"
    many = visit(page(differential(tree_of(BEFORE), tree_of(AFTER)), title="diff", counts=(1000, 2000)))
    assert fill_of(many, *look.centre(many, "new")[:2]) == "rgb(232, 125, 43)"


def test_difference_is_coloured_by_how_the_share_changed(diff, look):
    colour = {name: fill_of(diff, *look.centre(diff, name)[:2]) for name in ("new", "copy", "parse", "same")}
    assert colour["new"] == "rgb(232, 125, 43)"  # was not there
    assert colour["parse"] == "rgb(242, 242, 242)"  # 30 % of both
    assert colour["copy"] in {"rgb(91, 155, 213)", "rgb(130, 180, 224)"}  # 30 % -> 7.5 %
    assert colour["same"] in {"rgb(251, 197, 150)", "rgb(245, 163, 92)"}  # 20 % -> 50 %
    x, y, *_ = look.centre(diff, "copy")
    diff.mouse.move(x, y)
    assert "before 300 samples — 30.00%, \u221222.50 points" in diff.locator("#kf-tip").text_content()
    assert diff.locator("#kf-color").input_value() == "change"
