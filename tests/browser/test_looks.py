"""Theme, pictures, paper."""

import base64
import re
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
