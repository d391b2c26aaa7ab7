"""Wheel, keys, strip, address, fingers: where the view is, and how one gets there."""

import pytest

from flamegraph import page


def test_wheel_and_keys_change_the_span_and_dragging_moves_it(tab, look):
    x, y, node, wide = look.centre(tab, "copy")
    tab.mouse.move(x, y)
    tab.keyboard.down("Control")
    for _ in range(4):
        tab.mouse.wheel(0, -120)
    tab.keyboard.up("Control")
    look.until(tab, f"kflame.boxOf({node})?.width > {2 * wide}")
    box = tab.evaluate(f"kflame.boxOf({node})")
    left = tab.evaluate("document.getElementById('kf-canvas').getBoundingClientRect().left")
    assert left + box["left"] <= x <= left + box["left"] + box["width"]
    assert tab.locator("#kf-minimap").is_visible()
    before = tab.evaluate("kflame.state.span")
    tab.mouse.down()
    tab.mouse.move(x - 200, y, steps=4)
    tab.mouse.up()
    look.until(tab, f"kflame.state.span[0] > {before[0]}")
    assert tab.evaluate("kflame.state.zoom") == 0
    look.until(tab, "location.hash.includes('span=')")
    tab.keyboard.press("Escape")
    look.until(tab, "kflame.state.span[0] === 0 && kflame.state.span[1] === 1")


def test_minimap_moves_the_view(tab, look):
    x, y, *_ = look.centre(tab, "copy")
    tab.mouse.click(x, y)
    look.until(tab, "kflame.state.zoom > 0")
    box = tab.locator("#kf-minimap").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 3)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 2, box["y"] + 3, steps=3)
    tab.mouse.up()
    look.until(tab, "kflame.state.zoom === 0 && Math.abs(kflame.state.span[0] - 0.75) < 0.01")


def test_view_comes_back_from_its_address(tab, look, visit):
    look.right_click(tab, "parse", "Hide its frames")
    tab.keyboard.press("o")
    tab.keyboard.press("i")
    x, y, *_ = look.centre(tab, "read")
    look.until(tab, "kflame.state.icicle && kflame.state.order === 'heavy' && kflame.state.hide.length")
    x, y, *_ = look.centre(tab, "read")
    tab.mouse.click(x, y)
    look.until(tab, "kflame.state.zoom > 0")
    state, shown = tab.evaluate("kflame.state"), look.folded(tab)
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    assert tab.evaluate("kflame.state") == state
    assert look.folded(tab) == shown


def test_tip_goes_when_the_page_scrolls(visit, look):
    deep = {";".join(f"f{at}" for at in range(200)): 1}
    tab = visit(page(look.tree_of(deep), title="deep"))
    x, y, *_ = look.centre(tab, "f3")
    tab.mouse.move(x, y)
    assert tab.locator("#kf-tip").is_visible()
    tab.mouse.wheel(0, -300)
    look.until(tab, "document.getElementById('kf-tip').hidden")


@pytest.mark.parametrize("width", [375, 1280])
def test_finger_zooms_and_long_press_opens_the_menu(visit, look, width):
    tab = visit(
        page(look.tree_of(look.lines), title="touch"),
        has_touch=True,
        viewport={"width": width, "height": 700},
    )
    x, y, node, _ = look.centre(tab, "read")
    tab.touchscreen.tap(x, y)
    look.until(tab, f"kflame.state.zoom === {node}")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    session = tab.context.new_cdp_session(tab)
    x, y, *_ = look.centre(tab, "parse")
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    look.until(tab, "!document.getElementById('kf-menu').hidden")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
