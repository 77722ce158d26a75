"""The notation page names every notation and every letter; what it translates, it translates back."""

import re
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


def test_no_table_prints_a_formula_in_plain_characters(tables):
    pytest.importorskip("latex2mathml")
    for write in tables["PLACES"].values():
        for row in write().splitlines():
            words = re.sub(r"\$[^$]*\$|`[^`]*`|arXiv:\S+", "", row)
            assert not re.search(r"\^|\\_|>=|\b(?:alpha|beta|kappa|lambda|sigma|theta)\b", words), (
                row
            )


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("falls as k^-(1 + alpha)", r"falls as $k^{-(1+\alpha)}$"),
        ("over n^(1/3)", "over $n^{1/3}$"),
        ("s_xi = A |p - p_c|^(-1/sigma)", r"$s_{\xi}=A \lvert p-p_{c}\rvert^{-1/\sigma}$"),
        ("sum_k s_k kappa/(lambda_k + kappa)^2: with", r"$\sum_{k}s_{k}\kappa/(\lambda_{k}+\kappa)^{2}$: with"),
        ("a patch has d^s inputs, and there are d^(1 - s)", "a patch has $d^{s}$ inputs, and there are $d^{1-s}$"),
        ("as k^-a, k^-(2q_y), k^-capacity", r"as $k^{-a}$, $k^{-(2q_{y})}$, $k^{-\mathrm{capacity}}$"),
        ("any real number (of a layer) above a half", "any real number (of a layer) above a half"),
        ("what is not learned, c/D, and/or more", "what is not learned, $c/D$, and/or more"),
    ],
)  # fmt: skip
def test_formulas_among_words_are_set(root, typed, written):
    formulas = runpy.run_path(str(root / "docs" / "typed_formulas.py"))
    assert formulas["set_formulas"](typed) == written


def test_what_is_set_is_drawn_by_browsers(root, tables):
    pytest.importorskip("latex2mathml")
    mathml = runpy.run_path(str(root / "docs" / "mathml_extension.py"))["mathml"]
    formulas = set(re.findall(r"\$([^$]*)\$", tables["letters"]() + tables["conventions"]()))
    assert len(formulas) > 50
    for formula in formulas:
        assert "\\" not in mathml(formula)
