"""Filters by thread, CPU, time and event: what is kept is what Python keeps."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flamegraph import Labels, build_tree_with_places, page
from flamegraph.folded import write
from flamegraph.samples import Facet, grouped, time_facet

SAMPLES = [  # stack, weight, thread, CPU, time in ms
    ("main;read", 10, 0, 0, 0),
    ("main;read", 20, 1, 0, 150),
    ("main;write", 30, 1, 1, 150),
    ("main;write", 40, 0, 1, 1200),
    ("idle", 50, 1, 1, 1900),
]


@pytest.fixture
def sampled(visit, look):
    lines = {}
    for stack, weight, *_ in SAMPLES:
        lines[stack] = lines.get(stack, 0) + weight
    tree = look.tree_of(lines)
    node_of = {line.rpartition(" ")[0]: node for node, line in zip(ends(tree), write(tree), strict=True)}
    node, weight, thread, cpu, time = (
        np.array([row[at] if at else node_of[row[0]] for row in SAMPLES], np.int64) for at in range(5)
    )
    facets = [
        Facet("thread", ["main", "</script>"], thread),
        Facet("CPU", ["0", "1"], cpu),
        time_facet(time * 10**6),
    ]
    return visit(page(tree, title="sampled", samples=grouped(node, weight, facets)))


def ends(tree):
    return np.flatnonzero(tree.self_weight).tolist()


def kept(condition):
    out = {}
    for stack, weight, *rest in SAMPLES:
        if condition(*rest):
            out[stack] = out.get(stack, 0) + weight
    return out


def test_filters_keep_what_python_keeps(sampled, look):
    sampled.click("#kf-filter summary")
    sampled.get_by_label("</script>").uncheck()
    look.until(sampled, "kflame.tree.total[0] === 50")
    assert look.folded(sampled) == kept(lambda thread, cpu, time: thread == 0)
    sampled.locator("fieldset[data-facet=CPU] .option").first.locator("input").uncheck()
    look.until(sampled, "kflame.state.keep.CPU?.length === 1")
    sampled.reload()
    sampled.wait_for_selector("html[data-ready]")
    assert len(look.folded(sampled)) == 1
    sampled.keyboard.press("u")
    look.until(sampled, "kflame.tree.total[0] === 150")


def test_time_selected_on_the_heat_map_is_what_is_drawn(sampled, look):
    sampled.click("#kf-heat summary")
    look.until(sampled, "document.querySelectorAll('#kf-heat-plot .shapelayer path').length > 1")
    box = sampled.locator("#kf-heat-field").bounding_box()
    columns = sampled.evaluate("kflame.panes[0].samples.facets[2].heat")
    wide = (box["width"] - 44) / columns["columns"]

    def at(milliseconds):
        cell = int(milliseconds / 1000 / columns["seconds"] * columns["rows"])
        column, row = divmod(cell, columns["rows"])
        return box["x"] + 44 + wide * (column + 0.5), box["y"] + box["height"] - 16 - 6 * row - 3

    sampled.mouse.move(*at(100))
    sampled.mouse.down()
    sampled.mouse.move(*at(1250), steps=3)
    sampled.mouse.up()
    look.until(sampled, "kflame.tree.total[0] === 90")
    assert look.folded(sampled) == kept(lambda thread, cpu, time: 100 <= time <= 1250)
    assert "s to" in sampled.locator("#kf-heat-text").text_content()
    assert "s to" in sampled.locator("#kf-edits").text_content()
    sampled.focus("#kf-heat-field")
    sampled.keyboard.press("Escape")
    look.until(sampled, "kflame.tree.total[0] === 150")


EVENTS = [  # stack, weight, event, thread
    ("main;read", 3_000_000, 0, 0),
    ("main;write", 1_000_000, 0, 1),
    ("main;read;fault", 7, 1, 1),
    ("other", 2, 1, 0),
]


@pytest.fixture
def eventful(visit):
    parent, label = np.array([-1, 0, 0, 1, -1], np.int32), np.arange(5, dtype=np.int32)
    labels = Labels(["main", "read", "write", "fault", "other"], ["user"] * 5, [""] * 5)
    weight, others = np.array([0, 3_000_000, 1_000_000, 0, 0]), np.array([0, 0, 0, 1, 1])
    tree, place = build_tree_with_places(parent, label, weight, labels, other=others)
    node = place[np.array([1, 2, 3, 4])]
    amounts, event, thread = (np.array([row[at] for row in EVENTS]) for at in (1, 2, 3))
    facets = [
        Facet("event", ["cpu-clock", "page-faults"], event, units=["ns", "faults"]),
        Facet("thread", ["one", "two"], thread),
    ]
    samples = grouped(node, amounts, facets)
    return visit(page(replace(tree, other_weight=None), title="events", unit="ns", samples=samples))


def of_event(event):
    return {stack: weight for stack, weight, which, _ in EVENTS if which == event}


def test_events_are_chosen_and_never_added_up(eventful, look):
    assert look.folded(eventful) == of_event(0)
    assert "4.00 ms" in eventful.locator("#kf-path").text_content()
    assert eventful.evaluate("kflame.tree.n") == 4  # what only other events have is not there
    eventful.select_option("#kf-event", label="page-faults (faults)")
    look.until(eventful, "kflame.tree.total[0] === 9")
    assert look.folded(eventful) == of_event(1)
    assert "9 faults" in eventful.locator("#kf-path").text_content()
    eventful.click("#kf-filter summary")
    assert (
        eventful.locator("fieldset[data-facet=thread] .option", has_text="two")
        .locator(".quiet")
        .text_content()
        == "77.78%"
    )
    assert eventful.locator("fieldset[data-facet=event]").count() == 0
    eventful.get_by_label("two").uncheck()
    look.until(eventful, "kflame.tree.total[0] === 2")
    eventful.reload()
    eventful.wait_for_selector("html[data-ready]")
    assert look.folded(eventful) == {"other": 2}
    eventful.keyboard.press("v")
    look.until(eventful, "kflame.tree.total[0] === 3000000")
    eventful.keyboard.press("u")
    look.until(eventful, "kflame.tree.total[0] === 4000000")


def test_a_recording_of_several_events_keeps_them_all(visit, look, tmp_path):
    sample = Path(__file__).parents[2] / "samples" / "multi-event.perf-script.txt.gz"
    kprof = [sys.executable, "-m", "kprof"]
    run = {"capture_output": True}
    subprocess.run([*kprof, "flame", sample, "-o", tmp_path / "all.html"], check=True, **run)
    tab = visit((tmp_path / "all.html").read_text(encoding="utf-8"))
    events = tab.locator("#kf-event option").all_text_contents()
    assert len(events) > 1
    for at, text in enumerate(events):
        name = text.rpartition(" (")[0]
        folded = subprocess.run([*kprof, "fold", "-e", name, sample], check=True, text=True, **run).stdout
        tab.select_option("#kf-event", index=at)
        look.until(
            tab, f"kflame.state.event === {name if at else ''!r} && !document.documentElement.dataset.busy"
        )
        expected = {
            stack: int(weight) for stack, _, weight in (line.rpartition(" ") for line in folded.splitlines())
        }
        assert look.folded(tab) == expected
