"""What the pages show is real: every command in the documentation is run, and prints what stands below it.

A block that holds a line ``$ scalinglaws ...`` is a ``console`` block. What follows is what a terminal shows, standard error included;
``...`` stands for whatever a command prints there, as in a doctest: times, or lines that would only fill the page. A block that takes
more than 20 seconds has a line ``<!-- slow -->`` above it and is not part of a default run. Files are written to an empty folder.
"""

import contextlib
import doctest
import importlib.util
import io
import re
import shlex
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from scalinglaws.cli import run

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^(<!-- slow -->\n+)?```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pages():
    """List the pages that people wrote."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands():
    """Return every block that shows a command, with its place."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in BLOCK.finditer(text):
            slow, kind, shown = found.groups()
            if kind == "console" or re.search(r"^\$ ", shown, re.MULTILINE):
                line = text.count("\n", 0, found.start(3))
                yield pytest.param(
                    kind,
                    shown,
                    id=f"{page.relative_to(ROOT)}:{line}",
                    marks=[pytest.mark.slow] if slow else [],
                )


@pytest.mark.parametrize(("kind", "shown"), list(commands()))
def test_commands_print_what_the_page_shows(kind, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert kind == "console"
    before, *blocks = re.split(r"^\$ ", shown, flags=re.MULTILINE)
    assert before == ""
    for block in blocks:
        command, _, expected = block.partition("\n")
        program, *arguments = shlex.split(command)
        assert program == "scalinglaws"
        terminal = io.StringIO()
        with contextlib.redirect_stdout(terminal), contextlib.redirect_stderr(terminal):
            code = run(arguments)
        printed = terminal.getvalue()
        if not doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS):
            assert printed == expected
        assert code == 0
        if "--output" in arguments or "--diagram" in arguments:
            assert (tmp_path / arguments[-1]).stat().st_size > 0
    plt.close("all")


def test_the_readme_shows_three_commands_and_no_page_that_should_is_without():
    """The blocks are found: an expression that finds nothing would pass every test."""
    ids = [found.id for found in commands()]
    assert sum(name.startswith("README.md:") for name in ids) == 3
    for page in pages():
        shows = re.search(r"^\$ ", page.read_text(encoding="utf-8"), re.MULTILINE) is not None
        assert shows == any(name.startswith(f"{page.relative_to(ROOT)}:") for name in ids)


def test_the_readmes_first_two_blocks_are_its_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (_, kind, main), (_, other, tests), *rest = BLOCK.findall(text)
    assert kind == other == "sh"
    assert len(main.splitlines()) == len(tests.splitlines()) == 1
    assert main.rstrip().endswith("scalinglaws verify")
    assert "pytest" in tests.split("&&")[-1]
    assert [kind for _, kind, _ in rest].count("sh") == 0


def test_the_readmes_picture_is_there():
    (path,) = re.findall(r"!\[.*?\]\((.*?)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert (ROOT / path).read_bytes()[:4] == b"\x89PNG"


def test_every_tutorial_has_a_picture_that_a_command_of_its_page_writes():
    """The pages are built with what the command draws then, so that no picture grows old."""
    path = ROOT / "docs" / "pictures.py"
    spec = importlib.util.spec_from_file_location("pictures", path)
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    tutorials = [page for page in pages() if page.parent == ROOT / "docs" / "tutorials"]
    assert len(tutorials) == 5
    for page in tutorials:
        found = pictures.commands(page)
        assert (len(found) > 0) == (page.name != "index.md")
        for name, words in found.items():
            assert words[-2:] in (["--output", name], ["--diagram", name])
