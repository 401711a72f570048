"""Sphinx's settings for the site; `make docs` builds it."""

import sys
from pathlib import Path

import importlib_metadata

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "lossreg"
author = "The lossreg maintainers"
copyright = author
release = version = importlib_metadata.version("lossreg")

extensions = ["myst_parser", "formula_role"]
myst_heading_anchors = 3
# What a code block prints is a picture of a terminal, not a language.
highlight_language = "none"
exclude_patterns = ["_build", "_extra"]

html_theme = "furo"
html_static_path = ["_static"]
# Copied as it is. Sphinx looks for the folder before the page is generated.
html_extra_path = ["_extra"]
(HERE / "_extra").mkdir(exist_ok=True)
html_css_files = ["tables.css"]
html_title = "lossreg"
html_theme_options = {"source_directory": "docs/"}
# Generated pages have no source that anyone could edit.
html_show_sourcelink = False


def setup(app):
    app.connect("builder-inited", generate)
    app.connect("source-read", link_losses)


def generate(app):
    """Write what the registry knows, so that no page repeats it by hand."""
    del app
    import generate

    generate.write_site()


def link_losses(app, name, source):
    """Lead from the list of all losses to their pages, which a code host doesn't have."""
    del app
    if name == "all-losses":
        import generate

        source[0] = generate.index(generate.installed().entries(), linked=True)
