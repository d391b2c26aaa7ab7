"""Theme, pictures, paper."""

import base64
import os
import re
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ET
import zlib


def test_theme_is_remembered(tab, look):
    before = tab.evaluate("document.documentElement.dataset.theme")
    tab.keyboard.press("t")
    look.until(tab, f"document.documentElement.dataset.theme !== {before!r}")
    tab.reload()
    tab.wait_for_selector("html[data-ready]")
    assert tab.evaluate("document.documentElement.dataset.theme") != before


def test_pictures_of_the_view(tab):
    svg = tab.evaluate("kflame.takePicture('svg')")
    text = urllib.parse.unquote(svg.partition(",")[2])
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own
    assert "worker" in text
    assert "views" in text
    png = base64.b64decode(tab.evaluate("kflame.takePicture('png')").partition(",")[2])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    with tab.expect_download() as download:
        tab.click("#kf-view summary")
        tab.click("[data-command=svg]")
    assert download.value.suggested_filename == "views.svg"


def test_paper_has_the_whole_graph(tab, look):
    pdf = tab.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages == 1
    text = b"".join(inflated(pdf))
    assert text.count(b" re") + text.count(b" l") > len(look.lines)


def inflated(pdf):
    for stream in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            yield zlib.decompressobj().decompress(stream[1])
        except zlib.error:
            continue


def test_the_command_line_says_how_a_page_looks_and_opens_it(visit, tmp_path):
    (tmp_path / "in.folded").write_text("main;wide 900\nmain;narrow 1\n")
    look = ["--title", "my <page>", "--color", "name", "--icicle", "--theme", "dark", "--min-width", "20"]
    command = [sys.executable, "-m", "kprof", "flame", "in.folded", "--unit", "ns", "--open", *look]
    environment = {**os.environ, "BROWSER": "echo %s"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (tmp_path / "in.html").as_uri()
    tab = visit((tmp_path / "in.html").read_text(encoding="utf-8"))
    assert tab.locator("h1").text_content() == "my <page>"
    assert tab.evaluate("[kflame.state.icicle, kflame.state.color]") == [True, "name"]
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    assert "901 ns" in tab.locator("#kf-path").text_content()
    assert tab.locator("#kf-plot .scatterlayer text").all_text_contents() == ["all", "main", "wide"]
    assert (
        tab.evaluate("kflame.boxOf([...kflame.tree.label].indexOf(kflame.tree.names.indexOf('narrow')))")
        is None
    )
