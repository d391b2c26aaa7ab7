"""What a notebook shows: the page in a frame of its own, offline, which can be clicked."""

from pathlib import Path

import kprof

SAMPLE = Path(__file__).parents[2] / "samples" / "kernel-io.perf-script.txt.gz"


def test_a_frame_in_a_notebook_zooms(chromium, tmp_path, look):
    shown = kprof.read(SAMPLE).filter(comm="smallio")
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><h1>[1]:</h1><div>{shown._repr_html_()}</div>")
    context = chromium.new_context(viewport={"width": 1000, "height": 700}, offline=True)
    complaints = []
    tab = context.new_page()
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(file.as_uri())
    frame = tab.frames[1]
    frame.wait_for_selector("html[data-ready]", timeout=60000)
    assert frame.evaluate("kflame.tree.total[0]") == shown.total
    x, y, node, _ = look.centre(frame, "vfs_write")
    outside = tab.locator("iframe").bounding_box()
    tab.mouse.click(outside["x"] + x, outside["y"] + y)
    look.until(frame, f"kflame.state.zoom === {node}")
    assert complaints == []
    context.close()
