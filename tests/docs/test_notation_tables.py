"""The notation page names every notation and every letter; what it translates, it translates back."""

import runpy

import pytest

from scalinglaws.notation import CONVENTIONS
from scalinglaws.theory.catalogue import CATALOGUE


@pytest.fixture(scope="module")
def tables(root):
    return runpy.run_path(str(root / "docs" / "notation_tables.py"))


def test_every_notation_has_a_row_there_and_back(tables):
    for write in (tables["conventions"], tables["back"]):
        rows = write().splitlines()[2:]
        assert [row.split("`")[1] for row in rows] == list(CONVENTIONS)


def test_every_letter_of_a_law_is_explained(tables):
    written = tables["letters"]()
    for name, entry in CATALOGUE.items():
        assert f"### `{name.partition('.')[0]}`" in written
        assert all(f"| `{letter}` |" in written for letter in entry.symbols)


def test_the_page_has_a_place_for_each_table(root, tables):
    text = (root / "docs" / "notation.md").read_text(encoding="utf-8")
    source = [text]
    tables["fill"](None, "notation", source)
    assert all(place in text and place not in source[0] for place in tables["PLACES"])
