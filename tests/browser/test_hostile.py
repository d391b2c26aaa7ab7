"""Names and profiles that would break a careless page, in every view."""

import io

import pytest

from flamegraph import from_folded, page


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
