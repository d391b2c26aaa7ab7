"""The page in Firefox: the checks that tests/browser makes in Chromium, the ones a user would miss first.

    python tests/bench/firefox_page.py [--firefox COMMAND] [--screenshot FILE.png]

Firefox is driven by WebDriver BiDi, which it speaks itself: no driver is needed, only `pip install websockets`.
Printed is a line a check; it ends with 1 if one failed.
"""

import argparse
import base64
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from flamegraph import from_folded, page

NAMES = ["</script><b>x", "a&amp;b", "\u202eevil", "👩 emoji", "x" * 2000]
LINES = {
    "main;read;parse;alloc": 300,
    "main;read;copy": 200,
    "main;write;copy": 150,
    "main;walk;walk;leaf": 80,
    **{f"main;odd;{name}": 10 + at for at, name in enumerate(NAMES)},
    "worker;poll": 400,
}
FOLDED = """(() => {
  const t = kflame.tree, out = {};
  for (let i = 1; i < t.n; i++) if (t.self[i]) {
    const path = [];
    for (let at = i; at > 0; at = t.parent[at]) path.unshift(t.names[t.label[at]]);
    out[path.join(';')] = t.self[i];
  }
  return JSON.stringify(out);
})()"""
SPOT = """(() => {
  const { graph, tree } = kflame.panes[0], left = graph.canvas.getBoundingClientRect().left;
  const node = [...tree.label].indexOf(tree.names.indexOf('NAME')), box = kflame.boxOf(node);
  return JSON.stringify([left + box.left + box.width / 2, kflame.rowTop(node) + 9, node].map(Math.round));
})()"""


class Firefox:
    """One tab of a Firefox, and what it logged and asked for."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.numbers = itertools.count(1)
        self.logged: list[str] = []
        self.requests: list[str] = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.tab = self.call("browsingContext.getTree")["contexts"][0]["context"]
        self.call("browsingContext.setViewport", context=self.tab, viewport={"width": 1250, "height": 760})

    def call(self, method: str, **parameters: Any) -> Any:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message.get("id") == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return message["result"]
            self.note(message)

    def note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "log.entryAdded":
            self.logged.append(str(message["params"].get("text")))
        if message.get("method") == "network.beforeRequestSent":
            self.requests.append(message["params"]["request"]["url"])

    def open(self, address: str) -> None:
        self.call("browsingContext.navigate", context=self.tab, url=address, wait="complete")
        self.until("document.documentElement.dataset.ready")

    def js(self, expression: str) -> Any:
        found = self.call(
            "script.evaluate", expression=expression, target={"context": self.tab}, awaitPromise=True
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        deadline = time.monotonic() + 30
        while not self.js(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"never: {condition}")
            time.sleep(0.05)

    def spot(self, name: str) -> list[int]:
        return list(json.loads(self.js(SPOT.replace("NAME", name))))

    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        source = {"type": kind, "id": kind, "actions": actions}
        self.call("input.performActions", context=self.tab, actions=[source])

    def move(self, x: int, y: int) -> None:
        self.act("pointer", [{"type": "pointerMove", "x": x, "y": y}])

    def click(self, x: int, y: int) -> None:
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self.act("pointer", [{"type": "pointerMove", "x": x, "y": y}, *press])

    def keys(self, text: str) -> None:
        self.act("key", [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")])


def refolds(firefox: Firefox) -> None:
    assert json.loads(firefox.js(FOLDED)) == LINES


def click_zooms_and_back_undoes_it(firefox: Firefox) -> None:
    x, y, node = firefox.spot("read")
    firefox.click(x, y)
    firefox.until(f"kflame.state.zoom === {node}")
    firefox.call("browsingContext.traverseHistory", context=firefox.tab, delta=-1)
    firefox.until("kflame.state.zoom === 0")


def wheel_zooms(firefox: Firefox) -> None:
    x, y, node = firefox.spot("copy")
    before = firefox.js(f"kflame.boxOf({node}).width")
    control = "\ue009"
    wheel = [{"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": -240}] * 2
    pause = [{"type": "pause"}] * 2
    keys = [{"type": "keyDown", "value": control}, *pause, {"type": "keyUp", "value": control}]
    sources = [
        {"type": "key", "id": "key", "actions": keys},
        {"type": "wheel", "id": "wheel", "actions": [{"type": "pause"}, *wheel]},
    ]
    firefox.call("input.performActions", context=firefox.tab, actions=sources)
    firefox.until(f"kflame.boxOf({node}).width > {before * 1.2}")
    firefox.keys("\ue00c")
    firefox.until("kflame.state.span[1] - kflame.state.span[0] === 1")


def search_says_pythons_share(firefox: Firefox) -> None:
    firefox.keys("/copy|poll")
    share = 100 * sum(weight for stack, weight in LINES.items() if re.search("copy|poll", stack))
    text = f"{share / sum(LINES.values()):.2f}% matched"
    firefox.until(f"document.getElementById('kf-matched').textContent.startsWith({text!r})")
    firefox.keys("\ue00c\ue00c")


def hover_tells_the_name(firefox: Firefox) -> None:
    x, y, _ = firefox.spot("walk")
    firefox.move(x, y)
    firefox.until("document.querySelector('#kf-tip b')?.textContent === 'walk'")


def views_open_by_keys(firefox: Firefox) -> None:
    firefox.js("document.activeElement.blur()")
    for key, view in (("b", "table"), ("s", "sandwich"), ("g", "graph")):
        firefox.keys(key)
        firefox.until(f"kflame.state.view === {view!r}")
    firefox.keys("i")
    firefox.until("kflame.state.icicle")
    firefox.keys("i")


def picture_is_taken(firefox: Firefox) -> None:
    picture = firefox.js("kflame.takePicture('png')")
    assert base64.b64decode(picture.partition(",")[2])[:4] == b"\x89PNG"


def nothing_was_asked_or_logged(firefox: Firefox) -> None:
    assert [url for url in firefox.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert firefox.logged == []


def large_tree_is_read_in_a_worker(firefox: Firefox) -> None:
    firefox.until("kflame.tree.n > 200000 && document.documentElement.dataset.overview")


CHECKS = [
    refolds,
    click_zooms_and_back_undoes_it,
    wheel_zooms,
    search_says_pythons_share,
    hover_tells_the_name,
    views_open_by_keys,
    picture_is_taken,
]


@contextmanager
def started(command: str) -> Iterator[Firefox]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        arguments = [command, "--headless", "--remote-debugging-port=0", "--no-remote", "--profile", profile]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as browser:
            try:
                lines = iter(browser.stderr or [])
                found = next(filter(None, (re.search(r"ws://[\d.:]+", line) for line in lines)))
                with connect(f"{found[0]}/session", max_size=None, ping_interval=None) as socket:
                    yield Firefox(socket)
            finally:
                browser.terminate()


def passes(check: Callable[[Firefox], None], firefox: Firefox) -> bool:
    try:
        check(firefox)
    except (AssertionError, RuntimeError) as error:
        print(f"FAILS  {check.__name__}: {error}")
        return False
    print(f"passes {check.__name__}")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firefox", default="firefox-esr", metavar="COMMAND")
    parser.add_argument("--screenshot", type=Path, metavar="FILE")
    options = parser.parse_args()
    print(
        subprocess.run(
            [options.firefox, "--version"], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    with tempfile.TemporaryDirectory() as name, started(options.firefox) as firefox:
        small, large = Path(name) / "small.html", Path(name) / "large.html"
        small.write_text(page(from_folded(f"{s} {w}".encode() for s, w in LINES.items()), title="Firefox"))
        many = (f"main;f{at % 97};g{at % 1009};h{at} 1".encode() for at in range(200_000))
        large.write_text(page(from_folded(many), title="large"))
        firefox.open(small.as_uri())
        done = [passes(check, firefox) for check in CHECKS]
        if options.screenshot:
            shot = firefox.call("browsingContext.captureScreenshot", context=firefox.tab)["data"]
            options.screenshot.write_bytes(base64.b64decode(shot))
        firefox.open(large.as_uri())
        done += [
            passes(check, firefox) for check in (large_tree_is_read_in_a_worker, nothing_was_asked_or_logged)
        ]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
