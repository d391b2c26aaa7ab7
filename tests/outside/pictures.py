"""Pictures of one profile in other tools, for the documentation: `python tests/outside/pictures.py PROFILE FOLDER`.

Needs what the tests beside it need, chromium, and JupyterLab.
"""

import functools
import http.server
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
GO = {"GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": ""}
SIZE = {"width": 1000, "height": 620}
NODE_MODULES = Path(os.environ.get("KPROF_NODE_MODULES", "/tmp/kprof-validators/node_modules"))


def convert(profile: str, folder: Path, name: str) -> Path:
    """Write a profile for another tool."""
    command = [
        sys.executable,
        "-m",
        "kprof",
        "convert",
        "-q",
        "--names",
        "short",
        profile,
        str(folder / name),
    ]
    subprocess.run(command, check=True)
    return folder / name


def speedscope(browser: Browser, profile: str, folder: Path, picture: Path) -> None:
    """Drop the profile on the real app, and show its view of stacks."""
    file = convert(profile, folder, "out.speedscope.json")
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(NODE_MODULES / "speedscope/dist/release")
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tab = browser.new_context(viewport=SIZE).new_page()
    tab.goto(f"http://127.0.0.1:{server.server_port}/index.html")
    tab.set_input_files("input[type=file]", str(file))
    tab.wait_for_selector("text=Left Heavy", timeout=30000)
    tab.click("text=Left Heavy")
    time.sleep(2)
    tab.screenshot(path=str(picture))
    server.shutdown()


def pprof(browser: Browser, profile: str, folder: Path, picture: Path) -> None:
    """Show the flame graph of Go's pprof, as Debian has it."""
    file, program = convert(profile, folder, "out.pb.gz"), folder / "pprof"
    subprocess.run(
        ["go", "build", "-o", program, "github.com/google/pprof"], env={**os.environ, **GO}, check=True
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([program, f"-http=127.0.0.1:{port}", "-no_browser", file])
    try:
        tab = browser.new_context(viewport=SIZE).new_page()
        _patiently(lambda: tab.goto(f"http://127.0.0.1:{port}/ui/flamegraph"))
        tab.wait_for_selector("svg rect", timeout=30000)
        time.sleep(1)
        tab.screenshot(path=str(picture))
    finally:
        server.terminate()
        server.wait()


def jupyter(browser: Browser, profile: str, folder: Path, picture: Path) -> None:
    """Show the profile as the value of a cell."""
    spec = importlib.util.spec_from_file_location("test_notebook", ROOT / "tests/browser/test_notebook.py")
    notebooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notebooks)
    shutil.copy(profile, folder / "profile.kprof")
    cells = ("import kprof", 'kprof.read("profile.kprof").filter(root_at="^main").flame(height=600)')
    notebooks.write_notebook(folder / "busy.ipynb", cells)
    server, address = notebooks.serve(folder)
    try:
        tab: Page = browser.new_context(viewport={**SIZE, "height": 860}).new_page()
        tab.goto(f"{address}doc/tree/busy.ipynb?token={notebooks.TOKEN}")
        notebooks.wait_for_kernel(tab)
        notebooks.run_all(tab)
        notebooks.frame_of(tab, 1)
        time.sleep(2)
        tab.screenshot(path=str(picture))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def firefox(profile: str, folder: Path) -> str:
    """Return what the Firefox Profiler's own command line says of the heaviest functions."""
    file = convert(profile, folder, "out.firefox.json")
    program, node = (
        NODE_MODULES / "@firefox-devtools/profiler-cli/dist/profiler-cli.js",
        NODE_MODULES / "node/bin/node",
    )
    env = {**os.environ, "HOME": str(folder)}

    def run(*args: object) -> str:
        return subprocess.run(
            [node, program, *map(str, args)], env=env, capture_output=True, text=True, check=True
        ).stdout

    run("load", file)
    try:
        return run("profile", "info") + run("thread", "samples", "--limit", "12")
    finally:
        subprocess.run([node, program, "stop"], env=env, check=False, capture_output=True)


def _patiently(visit: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            visit()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        else:
            return


def main() -> None:
    profile, target = sys.argv[1], Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for show in (speedscope, pprof, jupyter):
            picture = target / f"in-{show.__name__}.png"
            with tempfile.TemporaryDirectory() as folder:
                show(browser, profile, Path(folder), picture)
            print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")
    with tempfile.TemporaryDirectory() as folder:
        print(re.sub(r"\n{2,}", "\n", firefox(profile, Path(folder))))


if __name__ == "__main__":
    main()
