"""Runs the JavaScript tests; a missing node is a failure, as nothing else would tell."""

import shutil
import subprocess
from pathlib import Path

TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))


def test_javascript_modules():
    node = shutil.which("node")
    assert node, "node is needed to test the scripts of the page"
    done = subprocess.run([node, "--test", *TESTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
