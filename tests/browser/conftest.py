"""What every test of the page needs: a tab of a real browser, which must stay quiet and offline."""

import time
from types import SimpleNamespace

import pytest

from flamegraph import from_folded, page

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


@pytest.fixture
def visit(chromium, tmp_path):
    """Opens HTML from a file; at the end, nothing was asked of the network and nothing was complained about."""
    contexts, complaints, requests = [], [], []

    def show(html, **options):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        context = chromium.new_context(**{"viewport": {"width": 1250, "height": 760}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(file.as_uri())
        tab.wait_for_selector("html[data-ready]", timeout=60000)
        return tab

    yield show
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def _until(tab, condition):
    deadline = time.monotonic() + 10
    while not tab.evaluate(f"() => Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


def _centre(tab, name, pane=0):
    """Middle of the widest drawn frame of a name, and its node."""
    return tab.evaluate(
        """([name, pane]) => {
  const { graph, tree } = kflame.panes[pane];
  const left = graph.canvas.getBoundingClientRect().left;
  let best = null;
  for (let i = 1; i < tree.n; i++) if (tree.names[tree.label[i]] === name) {
    const box = kflame.boxOf(i, pane);
    if (box && (!best || box.width > best[3])) best = [left + box.left + box.width / 2, kflame.rowTop(i, pane) + 9, i, box.width];
  }
  return best;
}""",
        [name, pane],
    )


def _folded(tab, pane=0):
    """The tree as it is shown, as {stack: weight}."""
    rows = tab.evaluate(
        """pane => {
  const t = kflame.panes[pane].tree, out = [];
  for (let i = 0; i < t.n; i++) if (t.self[i]) {
    const path = [];
    for (let at = i; at > 0; at = t.parent[at]) path.unshift(t.names[t.label[at]]);
    out.push([path.join(';'), t.self[i]]);
  }
  return out;
}""",
        pane,
    )
    summed = {}
    for stack, weight in rows:
        summed[stack] = summed.get(stack, 0) + weight
    return summed


def _tree_of(lines):
    return from_folded([f"{stack} {weight}".encode() for stack, weight in lines.items()])


def _right_click(tab, name, entry):
    x, y, *_ = _centre(tab, name)
    tab.mouse.click(x, y, button="right")
    tab.get_by_role("menuitem", name=entry).click()


@pytest.fixture
def look():
    """How a test makes a tree of {stack: weight}, and looks at a tab."""
    return SimpleNamespace(
        lines=LINES,
        tree_of=_tree_of,
        until=_until,
        centre=_centre,
        folded=_folded,
        right_click=_right_click,
    )


@pytest.fixture
def tab(visit):
    """The page of LINES."""
    return visit(page(_tree_of(LINES), title="views"))
