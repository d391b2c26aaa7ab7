"""The page in a real browser. A missing browser fails, as nothing else would notice a broken page."""

import random
import re
import time
from collections import Counter

import pytest

from flamegraph import format_stack, from_dataframe, from_folded, page

HOSTILE = [
    "</script><img src=x onerror=window.hacked=1>",
    "<b>bold</b>",
    "a&amp;b",
    "<a href='x'>",
    "$x^2$",
    "x\ty",
]
BIG = 2**53 + 1
REFOLD = """() => {
  const t = kflame.tree, out = [];
  for (let i = 1; i < t.n; i++) if (t.self[i]) {
    const path = [];
    for (let at = i; at > 0; at = t.parent[at]) path.unshift(t.names[t.label[at]]);
    out.push([path, t.self[i]]);
  }
  return out;
}"""
CENTRE = """name => {
  const t = kflame.tree;
  for (let i = 1; i < t.n; i++) if (t.names[t.label[i]] === name && kflame.boxOf(i)) {
    const box = kflame.boxOf(i), left = document.getElementById('kf-canvas').getBoundingClientRect().left;
    return [left + box.left + box.width / 2, kflame.rowTop(i) + 9, i];
  }
}"""


def stacks():
    """A thousand stacks with recursion, a deep one and hostile names; the same ones every time."""
    choose = random.Random(7)  # noqa: S311 - the same stacks every time
    counts = Counter()
    for _ in range(1000):
        depth = choose.randint(2, 14)
        frames = ["main"] + [f"{choose.choice('abcd')}_step{choose.randint(0, 2)}" for _ in range(depth)]
        counts[tuple(frames)] += choose.randint(1, 9)
    for name in HOSTILE:
        counts["main", name, "inner"] += 900
    counts[("main", *(f"deep{at}" for at in range(300)))] += 500
    return counts


STACKS = stacks()
TREE = from_dataframe({"stack": list(STACKS), "weight": list(STACKS.values())})


@pytest.fixture
def open_page(visit):
    opened = []

    def show(html, **options):
        opened.append(visit(html, **options))
        return opened[-1]

    yield show
    for tab in opened:
        assert tab.evaluate("window.hacked") is None


@pytest.fixture
def tab(open_page):
    return open_page(
        page(TREE, title="t <b>", quality=["1 <i>"], warnings=["half is gone"], facts={"host": "x"})
    )


def texts(tab):
    return tab.locator("#kf-plot .scatterlayer text").all_text_contents()


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)


def until(tab, condition):
    """Wait for a condition: `wait_for_function` compiles it in the page, which the policy of the page forbids."""
    deadline = time.monotonic() + 10
    while not tab.evaluate(f"() => Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


def click_frame(tab, name):
    x, y, node = tab.evaluate(CENTRE, name)
    tab.mouse.click(x, y)
    until(tab, f"kflame.state.zoom === {node}")
    until(tab, f"document.querySelector('#kf-path b').textContent === {name!r}")
    return node


def test_tree_in_the_page_refolds_to_the_input(tab):
    assert {tuple(path): weight for path, weight in tab.evaluate(REFOLD)} == dict(STACKS)


def test_roots_are_in_sight_and_labels_are_drawn(tab):
    assert tab.evaluate(
        "kflame.rowTop(0) + 18 <= document.querySelector('#kf-stage').getBoundingClientRect().bottom + 1"
    )
    assert {"all", "main"} <= set(texts(tab))
    assert tab.locator("#kf-plot .shapelayer path").count() < 60
    assert tab.locator("#kf-legend li").first.text_content() == "application"
    assert tab.get_by_text("Share chart").count() == 0


def test_hostile_names_are_shown_as_they_are(tab):
    drawn = texts(tab)
    assert "<b>bold</b>" in drawn
    assert "a&amp;b" in drawn
    assert {"x y", "$x^2$"} <= set(drawn)
    x, y, _ = tab.evaluate(CENTRE, HOSTILE[0])
    tab.mouse.move(x, y)
    assert tab.locator("#kf-tip b").text_content() == HOSTILE[0]
    assert tab.locator("img").count() == 0
    assert tab.title() == "t <b>"


def test_real_click_zooms_and_reset_and_back_undo_it(tab):
    node = click_frame(tab, "<b>bold</b>")
    share = 100 * int(TREE.total[node]) / int(TREE.total[0])
    assert f"900 samples, {share:.2f}% of all" in tab.locator("#kf-path").text_content()
    until(tab, "document.querySelectorAll('#kf-plot .scatterlayer text').length === 4")
    assert set(texts(tab)) == {"all", "main", "<b>bold</b>", "inner"}
    assert "path=main" in tab.url
    assert str(node) not in tab.url.split("#")[1]
    tab.click("#kf-reset")
    until(tab, "kflame.state.zoom === 0")
    assert tab.locator("#kf-reset").is_disabled()
    tab.go_back()
    until(tab, f"kflame.state.zoom === {node}")
    tab.go_back()
    until(tab, "kflame.state.zoom === 0")


def test_address_with_a_path_opens_at_the_frame(tab):
    node = click_frame(tab, "a&amp;b")
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    assert tab.evaluate("kflame.state.zoom") == node


@pytest.mark.parametrize("pattern", ["^a_step", "step[01]", "deep1", "<b>"])
def test_matched_percent_equals_that_of_the_stacks(tab, pattern):
    weight = sum(count for frames, count in STACKS.items() if any(re.search(pattern, f) for f in frames))
    press(tab, "/")
    tab.keyboard.type(pattern)
    expected = f"{100 * weight / sum(STACKS.values()):.2f}% matched"
    until(tab, f"document.querySelector('#kf-matched').textContent.startsWith({expected!r})")
    assert tab.evaluate("kflame.found.weight") == weight
    assert "rgb(200, 107, 250)" in tab.locator("#kf-plot").inner_html()


def test_bad_pattern_is_searched_as_text_and_says_so(tab):
    tab.fill("#kf-query", "deep(")
    until(tab, "document.querySelector('#kf-literal').textContent.includes('as text')")
    tab.fill("#kf-query", "inner")
    until(tab, "kflame.found.nodes.length === 6")
    tab.press("#kf-query", "Enter")
    assert tab.locator("#kf-chosen").is_visible()
    tab.press("#kf-query", "Escape")
    until(tab, "kflame.found.nodes.length === 0")


def test_icicle_puts_the_roots_on_top(tab):
    tab.click("#kf-view summary")
    tab.check("#kf-icicle")
    until(tab, "kflame.state.icicle && kflame.state.drawn.first === 0")
    top = tab.evaluate("kflame.rowTop(0)")
    assert top < tab.evaluate("kflame.rowTop(1)")
    assert top >= tab.evaluate("document.querySelector('#kf-stage').getBoundingClientRect().top")
    click_frame(tab, "<b>bold</b>")


def test_deep_stack_is_drawn_where_one_scrolls(tab):
    assert "deep250" not in tab.evaluate("document.querySelector('#kf-plot').textContent")
    tab.evaluate(
        "kflame.zoomTo(kflame.tree.names.indexOf('deep0') && [...kflame.tree.label].indexOf(kflame.tree.names.indexOf('deep0')))"
    )
    tab.evaluate("document.querySelector('#kf-stage').scrollTop = 0")
    until(tab, "document.querySelector('#kf-plot').textContent.includes('deep299')")


def test_keyboard_moves_zooms_and_speaks(tab):
    tab.focus("#kf-stage")
    press(tab, "ArrowUp", "ArrowUp", "Enter")
    until(tab, "kflame.state.zoom > 0 && kflame.tree.depth[kflame.state.zoom] === 2")
    assert "of all, depth 2" in tab.locator("#kf-live").text_content()
    press(tab, "Backspace")
    until(tab, "kflame.tree.depth[kflame.state.zoom] === 1")
    press(tab, "Escape")
    until(tab, "kflame.state.zoom === 0")
    press(tab, "?")
    assert tab.locator("#kf-help").is_visible()
    press(tab, "Escape")
    assert not tab.locator("#kf-help").is_visible()
    press(tab, "m")
    until(tab, "kflame.state.color === 'module'")


def test_dark_follows_the_system_and_the_button(open_page):
    tab = open_page(page(TREE, title="t"), color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(ground) == "rgb(22, 24, 29)"
    tab.click("#kf-theme")
    until(tab, f"{ground} === 'rgb(255, 255, 255)'")


def test_resize_lays_out_anew(tab):
    tab.set_viewport_size({"width": 700, "height": 500})
    until(tab, "kflame.boxOf(0).width < 700")


def test_totals_past_2_to_53_are_exact_or_marked(open_page):
    tree = from_folded([format_stack(["a"], BIG).encode(), format_stack(["b"], BIG).encode()])
    tab = open_page(page(tree, title="t", unit="events"))
    assert f"{2 * BIG:,} events" in tab.locator("#kf-path").text_content()
    x, y, _ = tab.evaluate(CENTRE, "a")
    tab.mouse.move(x, y)
    assert "≈" in tab.locator("#kf-tip").text_content()


def test_page_works_inside_a_frame_without_an_address(open_page):
    inner = page(TREE, title="inner")
    tab = open_page(
        "<!doctype html><html data-ready><link rel=icon href='data:,'><iframe width=1000 height=600></iframe>"
    )
    tab.evaluate("html => { document.querySelector('iframe').srcdoc = html }", inner)
    frame = tab.wait_for_selector("iframe").content_frame()
    frame.wait_for_selector("html[data-ready]")
    frame.evaluate("kflame.zoomTo(2)")
    until(frame, "kflame.state.zoom === 2")


def test_nothing_to_draw_is_still_a_page(open_page):
    tab = open_page(page(from_folded([]), title="empty"))
    assert "0 samples" in tab.locator("#kf-path").text_content()
