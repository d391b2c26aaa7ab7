"""Table, sandwich, edits, filters, spans, pictures: with real clicks, keys and wheel, held against Python."""

import base64
import io
import re
import urllib.parse
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest

from flamegraph import from_folded, page
from flamegraph.folded import write
from flamegraph.samples import Facet, grouped, time_facet

LINES = {
    "main;read;parse;alloc": 300,
    "main;read;parse;alloc;grow": 100,
    "main;read;copy": 200,
    "main;write;copy": 150,
    "main;write;parse;alloc": 50,
    "main;walk;walk;walk;leaf": 80,
    "main;walk;visit;walk;leaf": 120,
    "worker;poll": 400,
}
TOTAL = sum(LINES.values())


def tree_of(lines):
    return from_folded([f"{stack} {weight}".encode() for stack, weight in lines.items()])


@pytest.fixture
def tab(visit):
    return visit(page(tree_of(LINES), title="views"))


def edited(change):
    """Fold the input anew, each stack's frames changed by a plain-Python twin; None leaves the stack out."""
    out = {}
    for stack, weight in LINES.items():
        frames = change(stack.split(";"))
        if frames is not None:
            out[";".join(frames)] = out.get(";".join(frames), 0) + weight
    return out


def right_click(tab, look, name, entry):
    x, y, *_ = look.centre(tab, name)
    tab.mouse.click(x, y, button="right")
    tab.get_by_role("menuitem", name=entry).click()


def merged(frames):
    out = []
    for frame in frames:
        if frame in out:
            del out[out.index(frame) + 1 :]
        else:
            out.append(frame)
    return out


def test_hide_focus_and_collapse_are_those_of_python_and_can_be_undone(tab, look):
    right_click(tab, look, "parse", "Hide its frames")
    look.until(tab, "kflame.state.hide.length === 1")
    hidden = edited(lambda frames: [f for f in frames if f != "parse"])
    assert look.folded(tab) == hidden
    tab.keyboard.press("u")
    look.until(tab, "kflame.state.hide.length === 0")
    assert look.folded(tab) == LINES
    right_click(tab, look, "parse", "Only stacks with it")
    look.until(tab, "kflame.state.focus === 'parse'")
    assert look.folded(tab) == edited(lambda f: f[f.index("parse") :] if "parse" in f else None)
    tab.get_by_text("only below parse").click()
    look.until(tab, "kflame.state.focus === ''")
    right_click(tab, look, "alloc", "Collapse what it calls")
    look.until(tab, "kflame.state.collapse.length === 1")
    assert look.folded(tab) == edited(lambda f: f[: f.index("alloc") + 1] if "alloc" in f else f)
    tab.go_back()
    look.until(tab, "kflame.state.collapse.length === 0")
    assert look.folded(tab) == LINES


def test_merged_recursion_and_heavy_order(tab, look):
    tab.keyboard.press("r")
    look.until(tab, "kflame.state.merge")
    assert look.folded(tab) == edited(merged)
    tab.keyboard.press("r")
    tab.keyboard.press("o")
    look.until(tab, "kflame.state.order === 'heavy'")
    assert look.folded(tab) == LINES
    below = """() => { const t = kflame.tree, out = [];
      for (let c = 1; c < t.n; c += t.size[c]) out.push(t.total[c]); return out; }"""
    assert tab.evaluate(below) == [1000, 400]


def rows(tab):
    return [line.locator("td").all_text_contents() for line in tab.locator("#kf-table-body tr").all()]


def test_table_has_pythons_weights_sorts_filters_and_finds(tab, look):
    tab.keyboard.press("b")
    look.until(tab, "kflame.state.view === 'table'")
    own, total = {}, {}
    for stack, weight in LINES.items():
        frames = stack.split(";")
        own[frames[-1]] = own.get(frames[-1], 0) + weight
        for name in set(frames):
            total[name] = total.get(name, 0) + weight
    shown = {name: (own_text, total_text) for own_text, total_text, name, _ in rows(tab)}
    assert shown.keys() == total.keys()
    for name, (own_text, total_text) in shown.items():
        assert f"{own.get(name, 0)} samples" in own_text
        assert f"{total[name]:,} samples" in total_text
        assert total_text.startswith(f"{100 * total[name] / TOTAL:.2f}%")
    assert rows(tab)[0][2] == "poll"
    tab.click("th[data-key=total] button")
    assert rows(tab)[0][2] == "main"
    assert tab.get_attribute("th[data-key=total]", "aria-sort") == "descending"
    tab.fill("#kf-table-filter", "^(copy|poll)$")
    look.until(tab, "document.querySelectorAll('#kf-table-body tr').length === 2")
    tab.click("#kf-table-body tr:has-text('copy')")
    look.until(tab, "kflame.found.weight === 350")
    assert "25.00% matched" in tab.locator("#kf-matched").text_content()


def test_table_is_used_with_the_keyboard(tab, look):
    tab.keyboard.press("b")
    look.until(tab, "kflame.state.view === 'table'")
    tab.focus("#kf-table-scroll")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    look.until(tab, "document.querySelector('[aria-selected=true] .name').textContent === 'alloc'")
    tab.keyboard.press("Enter")
    look.until(tab, "kflame.state.view === 'sandwich' && kflame.state.pick === 'alloc'")


def texts(tab, which):
    return set(tab.locator(f"#kf-{which}-plot .scatterlayer text").all_text_contents())


def test_sandwich_shows_callers_above_and_callees_below(tab, look):
    right_click(tab, look, "parse", "Callers and callees")
    look.until(tab, "document.querySelectorAll('#kf-callees-plot .scatterlayer text').length > 1")
    assert texts(tab, "callers") == {"parse", "read", "write", "main"}
    assert texts(tab, "callees") == {"parse", "alloc", "grow"}
    bottom = tab.locator("#kf-callers-plot").bounding_box()
    top = tab.locator("#kf-callees-plot").bounding_box()
    assert bottom["y"] + bottom["height"] <= top["y"] + 1
    assert "pick=parse" in tab.url
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    look.until(tab, "document.querySelectorAll('#kf-callers-plot .scatterlayer text').length > 1")
    tab.locator("#kf-callees-plot .scatterlayer text", has_text="alloc").click(force=True)
    look.until(tab, "kflame.state.pick === 'alloc'")
    assert texts(tab, "callers") >= {"alloc", "parse", "read", "write"}


def test_recursive_function_is_counted_once_in_a_sandwich(tab, look):
    right_click(tab, look, "walk", "Callers and callees")
    look.until(tab, "kflame.state.pick === 'walk' && !document.querySelector('#kf-sandwich-graphs').hidden")
    box = tab.locator("#kf-callees-plot .scatterlayer text").first.bounding_box()
    tab.mouse.move(box["x"] + 3, box["y"] + 5)
    assert "total 200 samples" in tab.locator("#kf-tip").text_content()


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


def test_search_takes_commas_as_or_but_not_within_brackets(tab, look):
    tab.fill("#kf-query", "copy,poll")
    look.until(tab, "kflame.found.weight === 750")
    tab.fill("#kf-query", "p{1,2}arse|poll")
    look.until(tab, "kflame.found.weight === 850")
    tab.press("#kf-query", "Enter")
    first = tab.evaluate("document.getElementById('kf-live').textContent")
    tab.press("#kf-query", "Enter")
    assert tab.evaluate("document.getElementById('kf-live').textContent") != first
    tab.press("#kf-query", "Shift+Enter")
    assert tab.evaluate("document.getElementById('kf-live').textContent") == first


def test_frames_too_narrow_to_draw_are_coloured_when_they_match(visit, look):
    lines = {f"main;f{at:04}": 1 for at in range(3000)} | {"main;wide": 100_000, "main;f2999;needle": 1}
    tab = visit(page(tree_of(lines), title="narrow"))
    assert (
        tab.evaluate("kflame.boxOf([...kflame.tree.label].indexOf(kflame.tree.names.indexOf('needle')))")
        is None
    )
    tab.fill("#kf-query", "needle")
    look.until(tab, "kflame.found.weight === 1")
    look.until(tab, "document.getElementById('kf-plot').innerHTML.includes('rgb(200, 107, 250)')")


def test_view_comes_back_from_its_address(tab, look, visit):
    right_click(tab, look, "parse", "Hide its frames")
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


def test_theme_is_remembered(tab, look):
    before = tab.evaluate("document.documentElement.dataset.theme")
    tab.keyboard.press("t")
    look.until(tab, f"document.documentElement.dataset.theme !== {before!r}")
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    assert tab.evaluate("document.documentElement.dataset.theme") != before


def test_pictures_of_the_view(tab):
    svg = tab.evaluate("kflame.takePicture('svg')")
    text = urllib.parse.unquote(svg.partition(",")[2])
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own
    assert "worker" in text
    assert "views" in text
    png = base64.b64decode(tab.evaluate("kflame.takePicture('png')").partition(",")[2])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    with tab.expect_download() as download:
        tab.click("#kf-view summary")
        tab.click("[data-command=svg]")
    assert download.value.suggested_filename == "views.svg"


def test_paper_has_the_whole_graph(tab):
    pdf = tab.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages == 1
    text = b"".join(inflated(pdf))
    assert text.count(b" re") + text.count(b" l") > len(LINES)


def inflated(pdf):
    for stream in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            yield zlib.decompressobj().decompress(stream[1])
        except zlib.error:
            continue


def test_tip_goes_when_the_page_scrolls(visit, look):
    deep = {";".join(f"f{at}" for at in range(200)): 1}
    tab = visit(page(tree_of(deep), title="deep"))
    x, y, *_ = look.centre(tab, "f3")
    tab.mouse.move(x, y)
    assert tab.locator("#kf-tip").is_visible()
    tab.mouse.wheel(0, -300)
    look.until(tab, "document.getElementById('kf-tip').hidden")


@pytest.mark.parametrize("width", [375, 1280])
def test_finger_zooms_and_long_press_opens_the_menu(visit, look, width):
    tab = visit(page(tree_of(LINES), title="touch"), has_touch=True, viewport={"width": width, "height": 700})
    x, y, node, _ = look.centre(tab, "read")
    tab.touchscreen.tap(x, y)
    look.until(tab, f"kflame.state.zoom === {node}")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    session = tab.context.new_cdp_session(tab)
    x, y, *_ = look.centre(tab, "parse")
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    look.until(tab, "!document.getElementById('kf-menu').hidden")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


SAMPLES = [  # stack, weight, thread, CPU, time in ms
    ("main;read", 10, 0, 0, 0),
    ("main;read", 20, 1, 0, 150),
    ("main;write", 30, 1, 1, 150),
    ("main;write", 40, 0, 1, 1200),
    ("idle", 50, 1, 1, 1900),
]


@pytest.fixture
def sampled(visit):
    lines = {}
    for stack, weight, *_ in SAMPLES:
        lines[stack] = lines.get(stack, 0) + weight
    tree = tree_of(lines)
    node_of = {line.rpartition(" ")[0]: node for node, line in zip(ends(tree), write(tree), strict=True)}
    node, weight, thread, cpu, time = (
        np.array([row[at] if at else node_of[row[0]] for row in SAMPLES], np.int64) for at in range(5)
    )
    facets = [
        Facet("thread", ["main", "</script>"], thread),
        Facet("CPU", ["0", "1"], cpu),
        time_facet(time * 10**6),
    ]
    return visit(page(tree, title="sampled", samples=grouped(node, weight, facets)))


def ends(tree):
    return np.flatnonzero(tree.self_weight).tolist()


def kept(condition):
    out = {}
    for stack, weight, *rest in SAMPLES:
        if condition(*rest):
            out[stack] = out.get(stack, 0) + weight
    return out


def test_filters_keep_what_python_keeps(sampled, look):
    sampled.click("#kf-filter summary")
    sampled.get_by_label("</script>").uncheck()
    look.until(sampled, "kflame.tree.total[0] === 50")
    assert look.folded(sampled) == kept(lambda thread, cpu, time: thread == 0)
    sampled.locator("fieldset[data-facet=CPU] .option").first.locator("input").uncheck()
    look.until(sampled, "kflame.state.keep.CPU?.length === 1")
    sampled.reload()
    sampled.wait_for_selector("html[data-ready]")
    assert len(look.folded(sampled)) == 1
    sampled.keyboard.press("u")
    look.until(sampled, "kflame.tree.total[0] === 150")


def test_time_selected_on_the_heat_map_is_what_is_drawn(sampled, look):
    sampled.click("#kf-heat summary")
    look.until(sampled, "document.querySelectorAll('#kf-heat-plot .shapelayer path').length > 1")
    box = sampled.locator("#kf-heat-field").bounding_box()
    columns = sampled.evaluate("kflame.panes[0].samples.facets[2].heat")
    wide = (box["width"] - 44) / columns["columns"]

    def at(milliseconds):
        cell = int(milliseconds / 1000 / columns["seconds"] * columns["rows"])
        column, row = divmod(cell, columns["rows"])
        return box["x"] + 44 + wide * (column + 0.5), box["y"] + box["height"] - 16 - 6 * row - 3

    sampled.mouse.move(*at(100))
    sampled.mouse.down()
    sampled.mouse.move(*at(1250), steps=3)
    sampled.mouse.up()
    look.until(sampled, "kflame.tree.total[0] === 90")
    assert look.folded(sampled) == kept(lambda thread, cpu, time: 100 <= time <= 1250)
    assert "s to" in sampled.locator("#kf-heat-text").text_content()
    assert "s to" in sampled.locator("#kf-edits").text_content()
    sampled.focus("#kf-heat-field")
    sampled.keyboard.press("Escape")
    look.until(sampled, "kflame.tree.total[0] === 150")


def test_empty_profile_survives_every_view_and_key(visit, look):
    tab = visit(page(from_folded([]), title="empty"))
    for key in "bgsoriumt+-fkhec.nN":
        tab.keyboard.press(key)
        tab.wait_for_timeout(30)
    assert tab.evaluate("kflame.tree.n") == 1


@pytest.mark.parametrize(
    "name",
    [
        "x" * 100_000,
        "\u202eevil\u202c",
        "👩‍👩‍👧 emoji",
        "a'\"&<b>",
        "</SCRIPT>",
        "\x00\x01",
        "~",
        "%41",
    ],
)
def test_hostile_name_survives_every_view(visit, look, name):
    tree = from_folded(io.BytesIO(f"main;{name};leaf 3\nmain;other 2\n".encode()))
    tab = visit(page(tree, title=name[:50]))
    node = tab.evaluate("name => [...kflame.tree.label].indexOf(kflame.tree.names.indexOf(name))", name)
    assert node > 0
    tab.evaluate("node => kflame.zoomTo(node)", node)
    for key in ("s", "g", "e", "b", "h"):
        tab.keyboard.press(key)
        tab.wait_for_timeout(60)
    tab.keyboard.press("u")
    look.until(tab, "kflame.tree.total[0] === 5")
    assert look.folded(tab) == {f"main;{name};leaf": 3, "main;other": 2}
