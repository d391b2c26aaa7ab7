"""The HTML of the page, before a browser sees it."""

import hashlib
import re
from importlib import resources

import pytest

from flamegraph import from_folded, page
from flamegraph.bundle import SCRIPTS, bundle
from flamegraph.vendor import PLOTLY_FILE, PLOTLY_SHA256, PLOTLY_VERSION

ASSETS = resources.files("flamegraph") / "assets"
EVIL = "</script><img src=x onerror=alert(1)>{{script}}"


def test_hostile_texts_are_inert_wherever_they_come_in():
    tree = from_folded([f"{EVIL};<!--x 1".encode()], root_name=EVIL)
    html = page(tree, title=EVIL, unit=EVIL, facts={EVIL: EVIL}, quality=[EVIL], warnings=[EVIL + "\udcff"])
    assert "<img" not in html
    assert "<!--" not in html
    assert html.count("</script>") == 5
    html.encode()


def test_page_asks_nothing_of_a_network():
    html = page(from_folded([b"a 1"]), title="t")
    assert not re.findall(
        r"(?:src|href)=[\"']?(?!data:)[^\"' >]+", html.split('<script type="application/json"')[0]
    )
    assert "default-src 'none'" in html


@pytest.mark.parametrize("option", [{"theme": "pink"}, {"color": "change"}])
def test_unknown_option_is_refused(option):
    with pytest.raises(ValueError, match="is"):
        page(from_folded([b"a 1"]), title="t", **option)


def test_bundle_has_every_module_once_and_no_name_twice():
    assert sorted(SCRIPTS) == sorted(f.name for f in ASSETS.iterdir() if f.name.endswith(".js"))
    script = bundle()
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    names = re.findall(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", script, re.MULTILINE)
    assert len(names) == len(set(names))


def test_modules_import_only_from_those_before_them():
    for at, name in enumerate(SCRIPTS):
        imported = re.findall(r"^import .* from '\./(\S+)';", (ASSETS / name).read_text(), re.MULTILINE)
        assert set(imported) <= set(SCRIPTS[:at]), name
        assert len((ASSETS / name).read_text().splitlines()) < 300, name


def test_vendored_plotly_is_the_pinned_one_and_has_its_licence():
    content = (ASSETS / PLOTLY_FILE).read_bytes()
    assert hashlib.sha256(content).hexdigest() == PLOTLY_SHA256
    assert f"v{PLOTLY_VERSION}".encode() in content[:200]
    assert "MIT" in (ASSETS / "vendor" / "plotly.LICENSE").read_text()
