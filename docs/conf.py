# Sphinx configuration. Build from the repository's root:
#
#     sphinx-build -W -b html docs docs/_build/html
#     sphinx-build -W -b doctest docs docs/_build/doctest
#
# kprof must be installed: the command reference and the API pages are made from the code itself.
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

project = "kprof"
author = "The kprof authors"
copyright = author

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "commands",
]
default_role = "literal"
smartquotes = False  # it would spoil --options
exclude_patterns = ["_build", "_ext"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

html_theme = "furo"
html_title = "kprof"
html_static_path = ["_static"]
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Examples on the pages run, from the repository's root; those in docstrings belong to the tests.
doctest_test_doctest_blocks = ""
doctest_global_setup = f"import os; os.chdir({str(HERE.parent)!r})"
