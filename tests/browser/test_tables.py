"""Table and sandwich: with real clicks and keys, held against Python."""


def rows(tab):
    return [line.locator("td").all_text_contents() for line in tab.locator("#kf-table-body tr").all()]


def test_table_has_pythons_weights_sorts_filters_and_finds(tab, look):
    tab.keyboard.press("b")
    look.until(tab, "kflame.state.view === 'table'")
    own, total, everything = {}, {}, sum(look.lines.values())
    for stack, weight in look.lines.items():
        frames = stack.split(";")
        own[frames[-1]] = own.get(frames[-1], 0) + weight
        for name in set(frames):
            total[name] = total.get(name, 0) + weight
    shown = {name: (own_text, total_text) for own_text, total_text, name, _ in rows(tab)}
    assert shown.keys() == total.keys()
    for name, (own_text, total_text) in shown.items():
        assert f"{own.get(name, 0)} samples" in own_text
        assert f"{total[name]:,} samples" in total_text
        assert total_text.startswith(f"{100 * total[name] / everything:.2f}%")
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
    look.right_click(tab, "parse", "Callers and callees")
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
    look.right_click(tab, "walk", "Callers and callees")
    look.until(tab, "kflame.state.pick === 'walk' && !document.querySelector('#kf-sandwich-graphs').hidden")
    box = tab.locator("#kf-callees-plot .scatterlayer text").first.bounding_box()
    tab.mouse.move(box["x"] + 3, box["y"] + 5)
    assert "total 200 samples" in tab.locator("#kf-tip").text_content()
