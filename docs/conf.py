import re
import sys
from pathlib import Path

from scalinglaws import __version__

sys.path.insert(0, str(Path(__file__).resolve().parent))

import reference_pages

project = "scalinglaws"
author = "The scalinglaws developers"
copyright = "2026, the scalinglaws developers"
release = version = __version__

extensions = [
    "mathml_extension",
    "notation_tables",
    "printed_lines",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "thumbnails",
    "cards",
    "pictures",
]
exclude_patterns = ["_build", "gallery/*.ipynb"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"scalinglaws {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_math_renderer = "mathml"
html_sidebars = {
    "api/**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/reference.html",
        "sidebar/scroll-end.html",
    ]
}

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "image_scrapers": ("thumbnails.scrape",),
    "subsection_order": [
        f"../examples/{group}"
        for group in (
            "linear",
            "feature_learning",
            "schedules",
            "kernels",
            "patterns",
            "percolation",
            "perceptron",
            "practice",
        )
    ],
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
}


def number_references(app, what, name, obj, options, lines):
    """Turn numbered references into lists: as footnotes, the numbers of two docstrings on a page would collide.

    The escaped space keeps an author's initial from being read as the letter of a list.
    """
    lines[:] = [re.sub(r"^(\s*)\.\. \[(\d+)\] ", r"\1\2. \\ ", line) for line in lines]


def join_attributes(app, what, name, obj, options, lines):
    """Keep attributes that are described together in one word: the words before the last would be read as its type."""
    lines[:] = [
        re.sub(r"^:(?:ivar|vartype) [^:]+:", lambda found: found[0].replace(", ", ","), line)
        for line in lines
    ]


def list_reference(app, docname, source):
    """Put the pages of the reference where its first page says ``<!-- contents of the reference -->``."""
    if docname == "api/index":
        source[0] = source[0].replace(
            "<!-- contents of the reference -->", reference_pages.toctrees()
        )


def write_reference(app, config):
    """Write the pages of the theories in the rooms, and tell the list at the side of them."""
    reference_pages.write()
    config.html_context["reference"] = reference_pages.contents()


def setup(app):
    app.connect("config-inited", write_reference)
    app.connect("source-read", list_reference)
    app.connect("autodoc-process-docstring", number_references)
    app.connect("autodoc-process-docstring", join_attributes)
