"""What all tests share: where things are, and how to ask for new golden files."""

import gzip
import tomllib
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import sync_playwright

# How long an example may take says more of what else the machine does than of the code.
settings.register_profile("kprof", deadline=None)
settings.load_profile("kprof")

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write golden files anew instead of comparing"
    )


def sample_names():
    return sorted(tomllib.loads((SAMPLES / "manifest.toml").read_text()))


@pytest.fixture(scope="session")
def manifest():
    return tomllib.loads((SAMPLES / "manifest.toml").read_text())


@pytest.fixture(scope="session")
def sample_text():
    """Text of a sample, unpacked."""
    return lambda name: gzip.decompress((SAMPLES / f"{name}.perf-script.txt.gz").read_bytes())


@pytest.fixture
def golden(request):
    """Compare bytes with a file under tests/golden, or write it with --update-golden."""

    def compare(name, data):
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.read_bytes() == data

    return compare


@pytest.fixture(scope="session")
def chromium():
    """One browser for all, as two cannot be driven at once; a missing one fails, as nothing else would notice a broken page."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield launched
        launched.close()


def pytest_generate_tests(metafunc):
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", sample_names())
