"""Configuration of the documentation: ``python -m sphinx -W -b html docs docs/_build``."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generated_pages

import bea

project = "bea"
author = "The bea developers"
copyright = "2026, The bea developers"
version = release = bea.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx.ext.viewcode",
    "numpydoc",
]
exclude_patterns = [
    "_build",
    "jupyter_execute",
    "_templates",
    "conf.py",
    "generated_pages.py",
    "**/.ipynb_checkpoints",
]
templates_path = ["_templates"]

# Tutorials are scripts in jupytext's percent format; they are run when the pages are built.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "alabaster"
html_title = f"bea {release}"
html_theme_options = {
    "description": "Which differential equation does a discrete algorithm really follow?",
    "fixed_sidebar": True,
    "page_width": "1120px",
    "body_max_width": "none",
    "sidebar_width": "230px",
    "sidebar_collapse": True,
}
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_show_sourcelink = False


def bars_are_bars(app, what, name, obj, options, lines):
    """Make |x| in a docstring a size: reStructuredText would look for a substitution named x."""
    in_example = in_formula = False
    for i, line in enumerate(lines):
        in_formula = line.startswith(".. math::") or (in_formula and (not line or line.startswith(" ")))
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        if not (in_formula or in_example):
            lines[i] = re.sub(r"(``.*?``|`[^`]*`|\\\|)|\|", lambda match: match[1] or r"\|", line)


def setup(app):
    app.connect("config-inited", lambda app, config: generated_pages.write(Path(app.srcdir)))
    app.connect("autodoc-process-docstring", bars_are_bars)
