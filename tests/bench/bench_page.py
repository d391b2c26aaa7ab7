"""Flame graph pages in one browser: made of the same folded text by kprof and by whatever peers are here.

    python tests/bench/bench_page.py [--folded FILE]... [--stacks N]... [--flamegraph-pl FILE] [--node-modules FOLDER]

Makes a page with each tool, opens it in Chromium, clicks a frame and searches. Printed is a table in Markdown: CPU time
and peak memory of making it, its size, when the first frames were on the screen (wall time since navigation, or since
the file was chosen) and what CPU time of the page's thread they took, the CPU time of that thread that a zoom and a
search took, and the memory of the renderer. CPU time is what a busy machine disturbs least. Nothing is asserted.
`npm install d3 d3-flame-graph speedscope` makes the folder of peers.
"""

import argparse
import functools
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from page_makers import Maker, d3_flame_graph, flamegraph_pl, ours, speedscope
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

PATTERN = "alloc"
QUIET_MS = 400
HEAD = "| tool | made | with | size | first frames | their CPU | zoom | search | memory |\n|---|---|---|---|---|---|---|---|---|"


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


def measure(playwright: Playwright, maker: Maker, folded: Path, folder: Path, options: Any) -> str:
    try:
        address, cost = maker.make(folded, folder, options.limit)
    except (TimeoutError, SystemExit) as error:
        return f"| {maker.name} | {str(error)[:80]} | | | | | | | |"
    files = [file for file in folder.iterdir() if file.is_file()]
    size = max(file.stat().st_size for file in files) / 1e6
    made = [f"{cost.cpu:.1f} s", f"{cost.rss_mb:.0f} MB"] if cost.cpu else ["-", "-"]
    runs, says = [], ""
    for _ in range(options.runs):
        # A browser each: what one tool leaves behind must not burden the next.
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            runs.append(use(browser, maker, address, options.limit))
        except (Error, TimeoutError) as error:
            says = str(error).splitlines()[0][:80]
            break
        finally:
            browser.close()
    return (
        "| "
        + " | ".join(
            [maker.name, *made, f"{size:.1f} MB", *(table_cells(runs) if runs else [says, "", "", "", ""])]
        )
        + " |"
    )


def table_cells(runs: list[tuple[float, ...]]) -> list[str]:
    first, first_cpu, zoom, search, memory = (median(column) for column in zip(*runs, strict=True))
    return [
        f"{first:.2f} s",
        f"{first_cpu:.2f} s",
        "-" if zoom < 0 else f"{zoom:.0f} ms",
        f"{search:.0f} ms",
        f"{memory:.0f} MB",
    ]


def use(browser: Browser, maker: Maker, address: str, limit: float) -> tuple[float, ...]:
    """Return seconds to the first frames and of CPU till then, CPU milliseconds of a zoom (-1 for none) and a search, and MB."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.set_default_timeout(limit * 1000)
    # Polled in the page, since a wait of the driver's is not let through by our policy.
    tab.add_init_script(
        "window.begunAt = 0;"
        f"(function poll() {{ if ({maker.drawn}) requestAnimationFrame(() => setTimeout(() => {{ window.drawnAt = performance.now(); }}));"
        " else requestAnimationFrame(poll); })()"
    )
    session = context.new_cdp_session(tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.goto(address, wait_until="load" if maker.choose else "commit")
    if maker.choose:
        tab.evaluate("window.begunAt = performance.now()")
        maker.choose(tab)
    deadline = time.monotonic() + limit
    while not tab.evaluate("window.drawnAt"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not draw in {limit:.0f} s")
        tab.wait_for_timeout(20)
    first_cpu = thread_ms(session)
    first = tab.evaluate("window.drawnAt - window.begunAt")
    busy(tab, session, lambda: None)
    zoom = -1.0
    for spot in maker.spots(tab):
        # Moved there first, so that only the click is counted.
        tab.mouse.move(*spot)
        busy(tab, session, lambda: None)
        before = tab.screenshot()
        cost = busy(tab, session, functools.partial(tab.mouse.click, *spot, click_count=maker.clicks))
        if tab.screenshot() != before:
            zoom = cost
            break
    search = busy(tab, session, lambda: maker.search(tab, PATTERN))
    return first / 1000, first_cpu / 1000, zoom, search, renderer_mb(browser)


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
    parser.add_argument("--limit", type=float, default=120, metavar="SECONDS", help="for each step of a tool")
    parser.add_argument("--runs", type=int, default=5, help="of each page, of which the medians are printed")
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
                    print(measure(playwright, maker, folded, Path(folder), options), flush=True)


if __name__ == "__main__":
    main()
