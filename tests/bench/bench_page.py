"""Flame graph pages in one browser: made of the same folded text by kprof and by whatever peers are here.

    python tests/bench/bench_page.py [--folded FILE]... [--stacks N]... [--flamegraph-pl FILE] [--node-modules FOLDER]

Makes a page with each tool, opens it in Chromium, clicks a frame and searches. Printed is a table in Markdown: how long
making took, the page's size, when the first frames were on the screen (wall time since navigation), the time of the
page's thread that a zoom and a search took (CPU, so that a busy machine does not matter much), and the memory of the
renderer. Nothing is asserted. `npm install d3 d3-flame-graph speedscope` makes the folder of peers.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from page_makers import Maker, d3_flame_graph, flamegraph_pl, ours, speedscope
from playwright.sync_api import Browser, Error, sync_playwright

PATTERN = "alloc"
QUIET_MS = 400
HEAD = "| tool | made in | size | first frames | zoom | search | memory |\n|---|---|---|---|---|---|---|"


def make_stacks(path: Path, count: int) -> None:
    """Write unique stacks, neighbours alike as in a sorted recording: 6,000 functions, 6 to 26 frames."""
    choose = random.Random(1)  # noqa: S311 - the same stacks every time
    kinds, deeds = (
        ("std::vector", "app::Server", "net::Conn", "core", "json::Parser"),
        ("read", "parse", "alloc", "poll"),
    )
    names = [f"{choose.choice(kinds)}::{choose.choice(deeds)}_{at}" for at in range(6000)]
    seen: set[int] = set()
    stack = ["worker-0"]
    with path.open("w") as out:
        while len(seen) < count:
            del stack[max(1, len(stack) - int(choose.expovariate(0.35)) - 1) :]
            if choose.random() < 0.002:
                stack = [f"worker-{choose.randrange(12)}"]
            for _ in range(choose.randint(6, 26) - len(stack)):
                caller = stack[-1]
                stack.append(names[(hash_of(caller) + int(choose.expovariate(0.4))) % len(names)])
            line = ";".join(stack)
            if hash(line) not in seen:
                seen.add(hash(line))
                out.write(f"{line} {1 + int(choose.expovariate(0.2))}\n")


def hash_of(name: str) -> int:
    return len(name) * 7919 + sum(map(ord, name[-6:])) * 31


def thread_ms(session: Any) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration") * 1000


def busy(tab: Any, session: Any, act: Any) -> float:
    """Return the CPU time of the page's thread from an act until it is quiet again."""
    before = last = thread_ms(session)
    act()
    while True:
        tab.wait_for_timeout(QUIET_MS)
        now = thread_ms(session)
        if now - last < QUIET_MS * 0.02:
            return now - before
        last = now


def renderer_mb(browser: Browser) -> float:
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for process in found:
        if process["type"] == "renderer":
            status = Path(f"/proc/{process['id']}/status").read_text()
            sizes.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)
    return max(sizes)


def measure(browser: Browser, maker: Maker, folded: Path, folder: Path, limit: float) -> str:
    start = time.perf_counter()
    try:
        address = maker.make(folded, folder, limit)
    except (subprocess.SubprocessError, RecursionError, MemoryError) as error:
        return f"| {maker.name} | {type(error).__name__} | | | | | |"
    made = time.perf_counter() - start
    files = [file for file in folder.iterdir() if file.is_file()]
    row = [maker.name, f"{made:.1f} s", f"{max(file.stat().st_size for file in files) / 1e6:.1f} MB"]
    try:
        row += use(browser, maker, address, limit)
    except Error as error:
        row.append(f"fails: {str(error).splitlines()[0][:60]}")
    return "| " + " | ".join(row + [""] * (7 - len(row))) + " |"


def use(browser: Browser, maker: Maker, address: str, limit: float) -> list[str]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    try:
        tab.set_default_timeout(limit * 1000)
        # Polled in the page, since a wait of the driver's is not let through by our policy.
        tab.add_init_script(
            f"(function poll() {{ if ({maker.drawn}) requestAnimationFrame(() => setTimeout(() => {{ window.drawnAt = performance.now(); }}));"
            " else requestAnimationFrame(poll); })()"
        )
        tab.goto(address, wait_until="commit")
        deadline = time.monotonic() + limit
        while not tab.evaluate("window.drawnAt"):
            if time.monotonic() > deadline:
                return [f"more than {limit:.0f} s"]
            tab.wait_for_timeout(50)
        first = tab.evaluate("window.drawnAt")
        session = context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        busy(tab, session, lambda: None)
        spot = maker.spot(tab)
        zoom = "-"
        if spot:
            # Moved there first, so that only the click is counted.
            tab.mouse.move(*spot)
            busy(tab, session, lambda: None)
            zoom = f"{busy(tab, session, lambda: tab.mouse.click(*spot, click_count=maker.clicks)):.0f} ms"
        search = busy(tab, session, lambda: maker.search(tab, PATTERN))
        return [f"{first / 1000:.2f} s", zoom, f"{search:.0f} ms", f"{renderer_mb(browser):.0f} MB"]
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folded", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument(
        "--stacks", type=int, action="append", default=[], metavar="N", help="made up, so many"
    )
    parser.add_argument("--flamegraph-pl", metavar="FILE")
    parser.add_argument("--node-modules", type=Path, metavar="FOLDER")
    parser.add_argument("--kprof", default=str(Path(sys.executable).with_name("kprof")), metavar="COMMAND")
    parser.add_argument("--limit", type=float, default=120, metavar="SECONDS", help="for each step of a peer")
    options = parser.parse_args()
    makers = [ours(options.kprof)]
    if options.flamegraph_pl:
        makers.append(flamegraph_pl(options.flamegraph_pl))
    if options.node_modules:
        makers += [d3_flame_graph(options.node_modules), speedscope(options.node_modules)]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        inputs = [*options.folded]
        for count in options.stacks or ([] if inputs else [50_000]):
            inputs.append(Path(name) / f"{count}.folded")
            make_stacks(inputs[-1], count)
        for folded in inputs:
            print(f"\n{folded.name}, {folded.stat().st_size / 1e6:.1f} MB of text\n\n{HEAD}")
            for maker in makers:
                with tempfile.TemporaryDirectory() as folder:
                    # A browser each: what one tool leaves behind must not burden the next.
                    browser = playwright.chromium.launch(
                        executable_path="/usr/bin/chromium", args=["--no-sandbox"]
                    )
                    print(measure(browser, maker, folded, Path(folder), options.limit), flush=True)
                    browser.close()


if __name__ == "__main__":
    main()
