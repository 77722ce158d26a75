"""Every example script runs."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from scalinglaws.verify import registry

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").rglob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, capsys, monkeypatch):
    monkeypatch.setattr(
        registry, "_CHECKS", dict(registry.registered())
    )  # what an example registers stays its own
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    assert plt.get_fignums()
    plt.close("all")


def test_there_are_examples():
    assert EXAMPLES


def test_every_group_of_examples_has_words_and_a_place_in_the_gallery():
    folder = EXAMPLES[0].parent.parent
    conf = (folder.parent / "docs" / "conf.py").read_text(encoding="utf-8")
    for group in {path.parent for path in EXAMPLES}:
        assert group.parent == folder
        assert (group / "README.rst").exists()
        assert f'"{group.name}",' in conf
