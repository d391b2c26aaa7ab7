"""From a running program to what is on the screen: record, flame, look."""

import re
import subprocess
import sys
import time

import pytest

KPROF = [sys.executable, "-m", "kprof"]
BUSY = """
import json, zlib
data = json.dumps(list(range(3000)))
while True:
    zlib.compress(json.dumps(json.loads(data)).encode())
    open('/proc/self/stat').read()
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """out.folded and out.html of a running Python program, as a user makes them."""
    folder = tmp_path_factory.mktemp("recorded")
    with subprocess.Popen([sys.executable, "-c", BUSY]) as program:
        time.sleep(0.5)
        try:
            run = {"cwd": folder, "capture_output": True, "timeout": 60}
            subprocess.run([*KPROF, "record", "-p", str(program.pid), "-d", "3"], check=True, **run)
            subprocess.run([*KPROF, "flame", "out.folded"], check=True, **run)
        finally:
            program.kill()
    return folder


@pytest.fixture
def tab(recorded, visit):
    return visit((recorded / "out.html").read_text(encoding="utf-8"))


def texts(tab):
    return tab.locator("#kf-plot .scatterlayer text").all_text_contents()


def share(stacks, pattern):
    matched = sum(weight for stack, weight in stacks if any(re.search(pattern, f) for f in stack.split(";")))
    return 100 * matched / sum(weight for _, weight in stacks)


def test_c_functions_and_the_kernel_are_seen_zoomed_searched_and_reset(recorded, tab):
    lines = (recorded / "out.folded").read_text(errors="surrogateescape").splitlines()
    stacks = [(stack, int(weight)) for stack, _, weight in (line.rpartition(" ") for line in lines)]
    everything = ";".join(stack for stack, _ in stacks)
    assert "deflate" in everything or "zlib" in everything or "Py" in everything
    assert "do_syscall_64" in everything

    comm = stacks[0][0].split(";")[0]
    assert any(comm.startswith(text.rstrip("…")) for text in texts(tab))

    # Search: the percentage on the screen is that of the folded text.
    tab.keyboard.press("/")
    tab.keyboard.type("do_syscall_64")
    tab.wait_for_timeout(500)
    shown = re.search(r"([\d.]+)\s*%", tab.locator("#kf-matched").text_content())
    assert float(shown[1]) == pytest.approx(share(stacks, "do_syscall_64"), abs=0.06)

    # A click on a frame zooms: it fills the width, and siblings leave the screen.
    point = tab.evaluate(CENTRE, "do_syscall_64")
    tab.mouse.click(point[0], point[1])
    tab.wait_for_timeout(500)
    box = tab.evaluate("i => kflame.boxOf(i)", point[2])
    canvas = tab.evaluate("document.getElementById('kf-canvas').getBoundingClientRect().width")
    assert box["width"] > 0.95 * canvas
    assert any(text.startswith("do_syscall") for text in texts(tab))

    tab.locator("#kf-reset").click()
    tab.wait_for_timeout(500)
    assert tab.evaluate("i => kflame.boxOf(i)", point[2])["width"] == pytest.approx(point[3], abs=1)


CENTRE = """name => {
  const t = kflame.tree;
  let best = null;
  for (let i = 1; i < t.n; i++) if (t.names[t.label[i]] === name && kflame.boxOf(i)) {
    const box = kflame.boxOf(i), left = document.getElementById('kf-canvas').getBoundingClientRect().left;
    if (!best || box.width > best[3]) best = [left + box.left + box.width / 2, kflame.rowTop(i) + 9, i, box.width];
  }
  return best;
}"""
