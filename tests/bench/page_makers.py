"""What draws folded text in a browser: ours and the peers', each to a page, with how to use the page."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Cost, run

WIDEST = """selector => {
  const all = document.body?.clientWidth || innerWidth;
  let best = null;
  for (const one of document.querySelectorAll(selector)) {
    const box = one.getBoundingClientRect();
    if (box.width < all * 0.6 && box.bottom < innerHeight && box.top > 0 && (!best || box.width > best.width)) best = box;
  }
  return best && [best.left + best.width / 2, best.top + best.height / 2];
}"""
OURS = """() => {
  const t = kflame.tree, left = document.getElementById('kf-canvas').getBoundingClientRect().left;
  let best = null;
  for (const row of kflame.panes[0].graph.rows) for (let k = 0; row && k < row.length; k += 3) {
    if (row[k] > 0 && row[k + 2] < innerWidth * 0.6 && (!best || row[k + 2] > best[1])) best = [row[k], row[k + 2], row[k + 1]];
  }
  return [left + best[2] + best[1] / 2, kflame.rowTop(best[0]) + 9];
}"""


@dataclass(frozen=True)
class Maker:
    """A tool: how its page is made, when it has drawn, and how one zooms and searches in it.

    `spots` are places of frames that a click zooms to; the first whose click changes the picture counts. A tool
    that takes its input from the reader has `choose`, and its time begins there.
    """

    name: str
    make: Callable[[Path, Path, float], tuple[str, Cost]]
    drawn: str
    spots: Callable[[Any], list[list[float]]]
    search: Callable[[Any, str], None]
    clicks: int = 1
    choose: Callable[[Any], None] | None = None


def ours(kprof: str) -> Maker:
    def make(folded: Path, folder: Path, limit: float) -> tuple[str, Cost]:
        out = folder / "ours.html"
        cost = run([kprof, "flame", "--quiet", str(folded), "-o", str(out)], folder, limit=limit)
        return out.as_uri(), cost

    drawn = "document.documentElement?.dataset.overview || document.documentElement?.dataset.ready"
    return Maker(
        "kprof", make, drawn, lambda tab: [tab.evaluate(OURS)], lambda tab, text: tab.fill("#kf-query", text)
    )


def flamegraph_pl(script: str) -> Maker:
    def make(folded: Path, folder: Path, limit: float) -> tuple[str, Cost]:
        out = folder / "pl.svg"
        return out.as_uri(), run(["perl", script, str(folded)], folder, limit=limit, output=out)

    return Maker(
        "flamegraph.pl",
        make,
        "document.readyState === 'complete' && document.querySelector('#frames')",
        lambda tab: _if_any(tab.evaluate(WIDEST, "#frames > g > rect, #frames > rect")),
        lambda tab, text: tab.evaluate("text => { search(text); }", text),
    )


def d3_flame_graph(modules: Path) -> Maker:
    def make(folded: Path, folder: Path, limit: float) -> tuple[str, Cost]:
        out = folder / "d3.html"
        command = [sys.executable, __file__, str(modules), str(folded), str(out)]
        return out.as_uri(), run(command, folder, limit=limit)

    return Maker(
        "d3-flame-graph",
        make,
        "document.querySelector('.d3-flame-graph rect')",
        lambda tab: _if_any(tab.evaluate(WIDEST, ".d3-flame-graph g > rect")),
        lambda tab, text: tab.evaluate("text => { chart.search(text); }", text),
    )


def speedscope(modules: Path) -> Maker:
    """What its page does with a file that one opens in it; the size is that of the text."""
    release = modules / "speedscope/dist/release"
    chosen: list[Path] = []

    def make(folded: Path, folder: Path, _limit: float) -> tuple[str, Cost]:
        chosen[:] = [folder / "input.txt"]
        chosen[0].symlink_to(folded)
        return (release / "index.html").as_uri(), Cost(0, 0, 0)

    def search(tab: Any, text: str) -> None:
        tab.keyboard.press("Control+f")
        tab.keyboard.insert_text(text)

    return Maker(
        "speedscope",
        make,
        "document.querySelectorAll('canvas').length > 1",
        lambda _tab: [[x, y] for y in (150, 190, 230, 290) for x in (320, 640, 200)],
        search,
        2,
        lambda tab: tab.set_input_files("input[type=file]", chosen[0]),
    )


def _if_any(spot: list[float] | None) -> list[list[float]]:
    return [spot] if spot else []


def _write_d3(modules: Path, folded: Path, out: Path) -> None:
    """Write a page of d3-flame-graph as its manual says."""
    root: dict[str, Any] = {"name": "all", "value": 0, "children": {}}
    with folded.open(errors="replace") as lines:
        for line in lines:
            stack, _, weight = line.rpartition(" ")
            node = root
            node["value"] += int(weight)
            for name in stack.split(";"):
                node = node["children"].setdefault(name, {"name": name, "value": 0, "children": {}})
                node["value"] += int(weight)
    scripts = [
        (modules / path).read_text()
        for path in ("d3/dist/d3.min.js", "d3-flame-graph/dist/d3-flamegraph.umd.min.js")
    ]
    style = (modules / "d3-flame-graph/dist/d3-flamegraph.css").read_text()
    data = json.dumps(_listed(root), separators=(",", ":")).replace("<", "\\u003c")
    out.write_text(
        f"<!doctype html><meta charset=utf-8><style>{style}</style><body><div id=chart></div>"
        + "".join(f"<script>{script}</script>" for script in scripts)
        + f"<script>const data = {data};\nconst chart = (flamegraph.default ?? flamegraph)().width(innerWidth - 20);"
        "d3.select('#chart').datum(data).call(chart);</script>"
    )


def _listed(node: dict[str, Any]) -> dict[str, Any]:
    children = [_listed(child) for child in node["children"].values()]
    return {"name": node["name"], "value": node["value"], "children": children}


if __name__ == "__main__":
    _write_d3(*map(Path, sys.argv[1:]))
