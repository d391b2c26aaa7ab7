"""`kprof heatmap`: what is chosen on the heat map is what the flame graph shows."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    """The heat map of a recorded program that works 100 ms of every second, as a user makes it."""
    output = tmp_path_factory.mktemp("pulse") / "heat.html"
    sample = Path(__file__).parents[2] / "samples" / "pulse.perf-script.txt.gz"
    command = [sys.executable, "-m", "kprof", "heatmap", sample, "-o", output]
    subprocess.run(command, check=True, capture_output=True)
    return output.read_text(encoding="utf-8")


def test_a_stripe_of_the_heat_map_is_the_function_that_runs_then(pulse, visit, look):
    tab = visit(pulse)
    look.until(tab, "document.querySelectorAll('#kf-heat-plot .shapelayer path').length > 1")
    heat = tab.evaluate("kflame.panes[0].samples.facets.find((facet) => facet.heat).heat")
    assert (heat["rows"], heat["seconds"]) == (50, 1)
    box = tab.locator("#kf-heat-field").bounding_box()
    wide, high = (box["width"] - 44) / heat["columns"], (box["height"] - 16) / heat["rows"]

    def drag(*ends):
        box = tab.locator("#kf-heat-field").bounding_box()
        (x, y), (to_x, to_y) = (
            (box["x"] + 44 + wide * (second + 0.5), box["y"] + high * (heat["rows"] - milliseconds / 20))
            for second, milliseconds in ends
        )
        tab.mouse.move(x, y)
        tab.mouse.down()
        tab.mouse.move(to_x, to_y, steps=3)
        tab.mouse.up()

    def leaves():
        sums = {}
        for stack, weight in look.folded(tab).items():
            for name in ("burst", "murmur"):
                if name in stack:
                    sums[name] = sums.get(name, 0) + weight
        return sums

    everything = leaves()
    assert 0.1 < everything["murmur"] / everything["burst"] < 10
    tab.keyboard.down("Shift")
    drag((0, 310), (heat["columns"] - 1, 370))
    tab.keyboard.up("Shift")
    look.until(tab, "location.hash.includes('keep=time:')")
    look.until(tab, f"kflame.tree.total[0] < {sum(everything.values())}")
    stripe = leaves()
    assert stripe["burst"] > 0.7 * everything["burst"]
    assert stripe.get("murmur", 0) < 0.05 * stripe["burst"]
    assert "0.30 s to 0.38 s of each second" in tab.locator("#kf-heat-text").text_content()
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    assert leaves() == stripe
    # What lies between two stripes, by time: from the one of second 2 to that of second 3.
    drag((2, 450), (3, 250))
    look.until(tab, "document.querySelector('#kf-heat-text').textContent.startsWith('2.')")
    look.until(tab, f"kflame.tree.total[0] < {stripe['burst']}")
    assert leaves().get("burst", 0) < 0.05 * leaves()["murmur"]


def test_keys_move_what_is_chosen_on_the_heat_map(pulse, visit, look):
    tab = visit(pulse)
    chosen = "kflame.state.keep.time?.[0]"
    tab.focus("#kf-heat-field")
    for key, becomes in [
        ("ArrowRight", "0-49"), ("ArrowRight", "50-99"), ("ArrowUp", "51-100"), ("Shift+ArrowRight", "51-150"),
        ("ArrowLeft", "0-99"), ("ArrowDown", "0-99"),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        look.until(tab, f"{chosen} === '{becomes}'")
    tab.keyboard.press("Escape")
    look.until(tab, f"{chosen} === undefined")
