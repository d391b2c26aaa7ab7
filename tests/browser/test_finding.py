"""Search beyond a plain pattern."""

from flamegraph import page


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
    tab = visit(page(look.tree_of(lines), title="narrow"))
    assert (
        tab.evaluate("kflame.boxOf([...kflame.tree.label].indexOf(kflame.tree.names.indexOf('needle')))")
        is None
    )
    tab.fill("#kf-query", "needle")
    look.until(tab, "kflame.found.weight === 1")
    look.until(tab, "document.getElementById('kf-plot').innerHTML.includes('rgb(200, 107, 250)')")
