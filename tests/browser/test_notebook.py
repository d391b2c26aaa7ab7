"""A real JupyterLab in a real browser: flame graphs in cells are drawn offline, and can be clicked and zoomed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jupyterlab
import pytest

import kprof

SAMPLE = Path(__file__).parents[2] / "samples" / "kernel-io.perf-script.txt.gz"
# Beside the package, also where an environment borrows the packages of another.
ASSETS = Path(jupyterlab.__file__).parents[4] / "share" / "jupyter" / "lab"
TOKEN = "secret"  # noqa: S105
CELLS = (
    "%load_ext kprof\nimport kprof",
    f'kprof.read("{SAMPLE}").filter(comm="smallio")',
    """%%kprof -o recorded
import time
def burn(seconds):
    end = time.time() + seconds
    while time.time() < end: sum(range(1000))
    return 'burnt'
burn(2)""",
    'print("samples:", int(recorded.profile.samples.count.sum()))',
)
ENDLESS = """import kprof, os, threading
threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(int, 1)], daemon=True).start()
profile = kprof.record(pid=os.getpid())
print("kept:", len(profile.to_pandas()) > 0, profile.quality.facts[0])"""


def write_notebook(path, cells):
    rows = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for i, source in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path.write_text(json.dumps({"cells": rows, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def serve(folder):
    """Start a JupyterLab that serves a folder; return it and its address."""
    env = {
        **os.environ,
        "JUPYTERLAB_DIR": str(ASSETS),
        "HOME": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder / "run"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    settings = folder / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false"}')
    log = folder / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", "--ip=127.0.0.1",
                f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}",
                "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env=env, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    return server, found[0]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """Address of a JupyterLab that serves a folder of ours; and that folder."""
    folder = tmp_path_factory.mktemp("notebooks")
    server, address = serve(folder)
    yield address, folder
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(30)


def wait_for_kernel(tab):
    ready = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    tab.wait_for_function(f"() => {ready}", timeout=120000)


@pytest.fixture
def notebook(chromium, jupyter):
    """Opens a notebook of these cells, with its kernel ready."""
    address, folder = jupyter
    contexts, requests = [], []

    def show(name, cells):
        write_notebook(folder / name, cells)
        context = chromium.new_context(viewport={"width": 1250, "height": 1000})
        contexts.append(context)
        tab = context.new_page()
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(f"{address}doc/tree/{name}?token={TOKEN}")
        wait_for_kernel(tab)
        return tab

    yield show
    for context in contexts:
        context.close()
    local = ("file:", "data:", "blob:", address, address.replace("http", "ws"))
    assert [url for url in requests if not url.startswith(local)] == []


def run_all(tab):
    # Not waited for: it ends with the last cell.
    tab.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def frame_of(tab, cell):
    """The page within a cell's output."""
    inside = f"document.querySelectorAll('.jp-Notebook-cell')[{cell}]?.querySelector('.jp-OutputArea-output iframe')"
    element = tab.wait_for_function(f"() => {inside}", timeout=120000).as_element()
    element.scroll_into_view_if_needed()
    frame = element.content_frame()
    frame.wait_for_selector("html[data-ready]", timeout=60000)
    return element, frame


def click(tab, element, frame, look, name):
    x, y, node, _ = look.centre(frame, name)
    outside = element.bounding_box()
    tab.mouse.click(outside["x"] + x, outside["y"] + y)
    look.until(frame, f"kflame.state.zoom === {node}")


@pytest.mark.slow
def test_a_profile_and_the_magic_in_jupyterlab(notebook, look):
    tab = notebook("both.ipynb", CELLS)
    run_all(tab)
    element, frame = frame_of(tab, 1)
    assert frame.evaluate("kflame.tree.total[0]") == kprof.read(SAMPLE).filter(comm="smallio").total
    click(tab, element, frame, look, "vfs_write")
    element, frame = frame_of(tab, 2)
    # Python 3.12 and later tell profilers their functions.
    told = hasattr(sys, "activate_stack_trampoline")
    click(tab, element, frame, look, "burn (In[3])" if told else "_PyEval_EvalFrameDefault")
    tab.wait_for_selector("text=samples:", timeout=60000)
    text = tab.inner_text(".jp-Notebook")
    assert int(re.search(r"samples: (\d+)", text)[1]) > 50
    assert "'burnt'" in text
    assert frame.evaluate("document.querySelector('h1').textContent") == "cell 3"
    assert ("does not tell profilers" in text) == (not told)


@pytest.mark.slow
def test_an_interrupt_keeps_what_was_recorded(notebook):
    tab = notebook("interrupt.ipynb", [ENDLESS])
    run_all(tab)
    tab.wait_for_function(
        "() => document.querySelector('.jp-InputPrompt')?.textContent.includes('[*]')", timeout=60000
    )
    time.sleep(5)
    tab.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    tab.wait_for_selector("text=kept: True", timeout=60000)
