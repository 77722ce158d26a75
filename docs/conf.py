import re
import sys
from importlib import import_module
from pathlib import Path

from scalinglaws import __version__

sys.path.insert(0, str(Path(__file__).resolve().parent))

project = "scalinglaws"
author = "The scalinglaws developers"
copyright = "2026, the scalinglaws developers"
release = version = __version__

extensions = [
    "mathml_extension",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb"]
templates_path = []
html_theme = "furo"
html_title = f"scalinglaws {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_math_renderer = "mathml"

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


def list_theories(app, docname, source):
    """Put the theories of a room where a page says ``<!-- theories of scalinglaws.solvers -->``: each with all it offers, and its laws."""
    source[0] = re.sub(r"<!-- theories of ([\w.]+) -->", lambda found: entries(found[1]), source[0])


def entries(room):
    from scalinglaws.rooms import NO_THEORY, submodules
    from scalinglaws.verify.registry import theories

    import_module(room)
    found = []
    for name in submodules(room):
        module = import_module(f"{room}.{name}")
        folder = hasattr(module, "__path__") and name not in NO_THEORY
        if folder or name in theories():
            laws = (
                [f"{module.__name__}.laws"]
                if folder and "laws" in submodules(module.__name__)
                else []
            )
            found += [module.__name__, *laws]
    directives = (f".. automodule:: {name}\n   :members:\n" for name in found)
    return "```{eval-rst}\n" + "\n".join(directives) + "```"


def setup(app):
    app.connect("source-read", list_theories)
    app.connect("autodoc-process-docstring", number_references)
    app.connect("autodoc-process-docstring", join_attributes)
