"""Large and deep trees: an overview first, then all of it; nothing is drawn that cannot be seen."""

from contextlib import contextmanager

import numpy as np
import pytest

from flamegraph import build_tree, from_folded, page
from flamegraph.tree import Labels

# Five times what the page is to take, in CPU time of its thread: only another order of work fails, not a busy machine.
ZOOM_MS, SEARCH_MS = 500, 750
NAMES = [f"function_{at}" for at in range(2000)]


def bushy(leaves):
    """A tree of `leaves` unique stacks, each level three times as wide as the one before."""
    chosen = np.random.default_rng(5)
    parents, labels, first, width = [], [], 0, 1
    parents.append(np.array([-1]))
    labels.append(np.array([0]))
    while width < leaves:
        wider = min(width * 3, leaves)
        parents.append(first + chosen.integers(0, width, wider))
        # A label a place, so that siblings differ.
        labels.append((np.arange(wider) * 7919 + len(labels)) % len(NAMES))
        first, width = first + width, wider
    parent, label = np.concatenate(parents), np.concatenate(labels)
    weight = np.zeros(len(parent), np.int64)
    weight[-width:] = chosen.integers(1, 100, width)
    return build_tree(
        parent.astype(np.int32), label.astype(np.int32), weight, Labels(NAMES, ["user"] * 2000, [""] * 2000)
    )


@pytest.mark.slow
def test_a_million_stacks(visit, look):
    tree = bushy(1_000_000)
    html = page(tree, title="a million")
    assert len(html) < 10e6
    tab = visit(html)
    assert tab.evaluate("document.documentElement.dataset.overview") == "true"
    assert tab.evaluate("[kflame.tree.n, kflame.tree.total[0]]") == [len(tree), int(tree.total[0])]
    boxes = "kflame.panes[0].graph.rows.reduce((sum, row) => sum + row.length / 3, 0)"
    assert tab.evaluate(boxes) < 30_000
    sums = "t => { let sum = 0; for (let i = 0; i < t.n; i++) sum = (sum * 31 + t.self[i] * 7 + t.depth[i]) % 1000003; return sum; }"
    assert tab.evaluate(f"() => ({sums})(kflame.tree)") == checksum(tree)
    matched = np.array([name.endswith("7") for name in tree.labels.name])[tree.label]
    weight, at = 0, 1
    while at < len(tree):
        weight += int(tree.total[at]) if matched[at] else 0
        at += int(tree.size[at]) if matched[at] else 1
    with cpu_time(tab) as searching:
        tab.fill("#kf-query", "7$")
        look.until(tab, f"kflame.found.weight === {weight}")
    assert searching["ms"] < SEARCH_MS
    tab.keyboard.press("Escape")
    tab.focus("#kf-stage")
    tab.keyboard.press("o")
    look.until(tab, "kflame.state.order === 'heavy' && !document.documentElement.dataset.busy")
    look.until(tab, "kflame.tree.total[0] > 0 && kflame.tree.n > 1")
    assert tab.evaluate("[kflame.tree.n, kflame.tree.total[0]]") == [len(tree), int(tree.total[0])]
    node = tab.evaluate("kflame.panes[0].graph.rows[4].find((field, at) => at % 3 === 0 && field > 0)")
    x, y = tab.evaluate(
        """node => {
  const { graph } = kflame.panes[0], box = kflame.boxOf(node);
  return [graph.canvas.getBoundingClientRect().left + box.left + box.width / 2, kflame.rowTop(node) + 9];
}""",
        node,
    )
    tab.mouse.move(x, y)
    look.until(tab, "document.getElementById('kf-tip').textContent.includes('everywhere')")
    with cpu_time(tab) as zooming:
        tab.mouse.click(x, y)
        look.until(tab, f"kflame.state.zoom === {node}")
    assert zooming["ms"] < ZOOM_MS


@contextmanager
def cpu_time(tab):
    """Give the CPU milliseconds that the page's thread took meanwhile, and until a moment after."""
    session = tab.context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def now():
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    spent = {"ms": -now()}
    yield spent
    tab.wait_for_timeout(300)
    spent["ms"] += now()
    session.detach()


def checksum(tree):
    total = 0
    for own, depth in zip(tree.self_weight.tolist(), tree.depth.tolist(), strict=True):
        total = (total * 31 + own * 7 + depth) % 1000003
    return total


def test_zoom_of_the_address_is_found_once_the_whole_tree_is_there(visit, look):
    tree = bushy(100_000)
    tab = visit(page(tree, title="large"))
    node = tab.evaluate("kflame.tree.n - 1")
    tab.evaluate("node => kflame.zoomTo(node)", node)
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    assert tab.evaluate("kflame.state.zoom") == node


def test_stack_of_two_thousand_frames_in_every_view(visit, look):
    deep = ";".join(f"f{at % 700}" for at in range(2000))
    tab = visit(page(from_folded([f"{deep} 3".encode(), b"f0;g 1"]), title="deep"))
    last = tab.evaluate("[...kflame.tree.depth].indexOf(2000)")
    tab.evaluate("node => kflame.zoomTo(node)", last)
    look.until(tab, f"kflame.state.zoom === {last}")
    tab.keyboard.press("s")
    look.until(tab, "kflame.state.view === 'sandwich'")
    look.until(tab, "document.querySelectorAll('#kf-callers-plot .scatterlayer text').length > 5")
    tab.keyboard.press("g")
    tab.keyboard.press("r")
    look.until(tab, "kflame.state.merge && Math.max(...kflame.tree.depth) === 600")
    assert sum(look.folded(tab).values()) == 4


def test_one_frame(visit, look):
    tab = visit(page(from_folded([b"only 7"]), title="one"))
    x, y, node, _ = look.centre(tab, "only")
    tab.mouse.click(x, y)
    look.until(tab, f"kflame.state.zoom === {node}")
    assert look.folded(tab) == {"only": 7}


def test_narrowest_frame_is_asked_for(visit):
    lines = [f"main;f{at:03} 1".encode() for at in range(100)]
    drawn = "kflame.panes[0].graph.rows[2].filter((_, at) => at % 3 === 0 && kflame.panes[0].graph.rows[2][at] > 0).length"
    assert visit(page(from_folded(lines), title="t")).evaluate(drawn) == 100
    assert visit(page(from_folded(lines), title="t", min_width=20)).evaluate(drawn) == 0
