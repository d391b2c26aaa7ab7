"""The rules of the house that a machine can check."""

import ast
import gzip
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted([*ROOT.glob("src/kprof/**/*.py"), *ROOT.glob("flamegraph/**/*.py")])
CORE = sorted(ROOT.glob("src/kprof/_native/core/*.[ch]"))
VAGUE = re.compile(r"^(utils?|common|helpers?|misc)$")


def test_layers_and_fences():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_are_small(path):
    assert not VAGUE.match(path.stem)
    source = path.read_text()
    assert source.count("\n") < 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines < 40, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", CORE, ids=lambda p: p.name)
def test_c_files_are_small(path):
    assert path.read_text().count("\n") < 400


def test_the_project_stands_alone():
    """Nothing that is checked in names a place outside of it."""
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    outside = re.compile(r"\.\./shared|/work/|FACTS\.md|DESIGN\.md")
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix == ".png" or not path.is_file() or path == Path(__file__):
            continue
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert not outside.search(content.decode(errors="replace")), name


def test_every_package_is_in_the_wheel():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    here = {
        ".".join(path.parent.relative_to(base).parts)
        for base, pattern in ((ROOT / "src", "kprof/**/__init__.py"), (ROOT, "flamegraph/**/__init__.py"))
        for path in base.glob(pattern)
    }
    assert listed == here
