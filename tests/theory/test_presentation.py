"""What laws say about themselves: blocks and their renderings, bibliographies, comparisons."""

import json
import re
import typing
from html.parser import HTMLParser

import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory import derivation, presentation, rendering
from scalinglaws.theory.references import DUFFIN_1967, bibtex_of
from scalinglaws.theory.steps import SIGNS, StepCheck


def _balanced(text):
    depth = 0
    for character in text.replace(r"\{", "").replace(r"\}", ""):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    return depth == 0


@pytest.mark.parametrize("name", theory.laws())
def test_every_law_explains_itself(name):
    law = theory.law(name)
    text = law.explain()
    assert text.startswith(f"# {name}\n")
    for entry in law.derivation.steps:
        assert entry.reason[1:] in text
    for source in law.reference:
        assert source.identifier in text
    for meaning in law.symbols.values():
        assert meaning in text
    assert text.count("$$") % 2 == 0
    assert _balanced(law.latex())
    assert law._repr_latex_() == f"${law.latex()}$"
    assert law.name in law._repr_markdown_()
    assert _balanced(law.derivation._repr_latex_())


class _Tags(HTMLParser):
    """Reads a document, and refuses one whose tags do not close."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("name", theory.laws())
def test_html_says_what_markdown_says(name):
    law = theory.law(name)
    reader = _Tags()
    reader.feed(law.explain("html"))
    assert reader.open == []
    assert reader.seen.count("ol") == len(law.derivation.steps)
    read = "".join(reader.words)
    plain = re.sub(r"\\[\[\]()]", "$", read).replace("$", "")
    marked = re.sub(r"^(#+ |\* |\d+\. )", "", law.explain().replace("$", ""), flags=re.MULTILINE)
    squeezed = [re.sub(r"[\s*`]", "", text) for text in (plain, marked)]
    assert squeezed[0] == squeezed[1]


def test_an_explanation_is_in_a_markup_that_is_known():
    with pytest.raises(DomainError, match="markup = 'latex' must be 'markdown' or 'html'"):
        theory.law("linear.time").explain("latex")


def test_every_rendering_shows_every_block_or_leaves_it_to_others():
    kinds = set(typing.get_args(presentation.Block))
    for table in (rendering._TEXT, rendering._PROSE, rendering._LATEX, rendering._DATA):
        assert table.keys() <= kinds
    assert kinds - rendering._TEXT.keys() == {presentation.Warned}
    assert kinds - rendering._DATA.keys() == {presentation.Warned}
    assert kinds - rendering._PROSE.keys() == {presentation.Value, presentation.Conclusion}


def test_every_checked_relation_has_a_sign():
    assert SIGNS.keys() == derivation._CHECKERS.keys()
    law = theory.law("linear.compute")
    (steps,) = (part for part in law.derivation_blocks() if isinstance(part, presentation.Steps))
    used = {entry.relation.kind for entry in steps.steps}
    text, formula = rendering.text([steps]), rendering.latex([steps])
    assert used > {"definition", "equal"}
    assert all(SIGNS[kind].text in text and SIGNS[kind].latex in formula for kind in used)


def test_blocks_hold_what_all_renderings_need():
    law = theory.law("linear.data")
    blocks = law.blocks({"alpha": sp.Rational(3, 2), "beta": 2})
    data = json.loads(json.dumps(rendering.data(blocks)))
    assert (data["name"], data["value"], data["regime"], data["log_power"]) == (
        "linear.data",
        "3",
        "boundary",
        1,
    )
    assert "at alpha = 3/2, beta = 2: g = 3 (boundary, times log P)" in rendering.text(blocks)
    assert "no other formula" in rendering.text(blocks)
    assert data["published"] is None
    assert "published" not in rendering.data(law.blocks(published=False))
    assert rendering.latex(blocks) == law.latex()


def test_what_the_machine_found_stands_below_each_step():
    law = theory.law("linear.time")
    checks = (StepCheck(True, "new"),) * (len(law.derivation.steps) - 1) + (StepCheck(False, "no"),)
    blocks = law.derivation_blocks(checks)
    assert rendering.text(blocks).count("     checked: new") == len(checks) - 1
    assert "     REFUSED: no" in rendering.text(blocks)
    assert [row["passed"] for row in rendering.data(blocks)["steps"]] == [
        entry.passed for entry in checks
    ]


def test_a_later_block_replaces_an_earlier_one_of_its_kind():
    one, two = presentation.Title("a", "b"), presentation.Title("c", "d")
    assert rendering.text([one, two]) == "c: d"


def test_latex_has_sign_and_constant():
    assert r"\Gamma\left(\beta\right)" in theory.law("linear.time").latex()
    assert "t^{-\\beta}" in theory.law("linear.time").latex()
    assert "C^{g}" in theory.law("linear.compute_model").latex()
    assert "c = " not in theory.law("linear.compute").latex()


def test_explanations_tell_what_differs_elsewhere_and_what_is_assumed():
    assert "Printed elsewhere" in theory.law("linear.model").explain()
    assert "Printed elsewhere" not in theory.law("linear.data").explain()
    assert "an ansatz: its form is assumed" in theory.law("empirical.kaplan").explain()
    assert "`isoflop`" in theory.law("empirical.chinchilla").explain()
    assert "is not known" in theory.law("linear.compute").explain()


def test_citations_are_exactly_what_was_used():
    text = theory.cite("linear.time")
    keys = re.findall(r"@\w+\{(\w+),", text)
    assert keys == ["bordelon2024dynamical", "flajolet1995mellin"]
    everything = re.findall(r"@\w+\{(\w+),", theory.cite())
    assert len(everything) == len(set(everything)) > 10
    assert "author = {B. Bordelon and A. Atanasov and C. Pehlevan}" in text
    assert "eprint = {2402.01092}" in text
    assert "and others}" in theory.cite("empirical.chinchilla")
    # a formula that is corrected is cited too
    assert "paquette2024phases" in theory.cite("linear.transient")
    assert bibtex_of(DUFFIN_1967).startswith("@book{duffin1967geometric,")
    assert "publisher = {Wiley}" in bibtex_of(DUFFIN_1967)
    with pytest.raises(DomainError, match="unknown law"):
        theory.cite("linear.tme")


def test_comparison_of_related_laws():
    found = theory.compare("linear.data", "linear.model", alpha=2, beta=3)
    assert (found.exponents, found.agree) == ((4, 2), False)
    one, two = found.steps()
    assert (str(one.quantity), str(two.quantity)) == ("df_2", "B")
    assert "the derivations part at step 5" in str(found)
    # the resource's name alone is no difference
    assert found.difference == 4
    assert (
        theory.compare("linear.data", "linear.model", alpha=2, beta=sp.Rational(1, 2)).agree is True
    )


def test_comparison_without_numbers_and_outside_a_law():
    same = theory.compare("linear.time", "linear.time")
    assert (same.agree, same.difference) == (True, None)
    assert same.steps() == (None, None)
    assert theory.compare("linear.time", "linear.data").agree is False
    outside = theory.compare("linear.time", "linear.data", alpha=0.5, beta=1)
    assert outside.inside == (True, False)
    assert outside.agree is None
    assert "outside its validity region" in str(outside)
    mixed = theory.compare("linear.compute", "manifold.spectral", alpha=2, beta=1, theta=1, d=3)
    assert mixed.exponents == (sp.Rational(2, 3), sp.Rational(1, 3))
    with pytest.raises(DomainError, match="gamma is a parameter of neither law"):
        theory.compare("linear.time", "linear.data", gamma=1)


def test_the_constant_has_a_letter_of_its_own():
    """Where c is a parameter the constant is called k, in text, LaTeX and MathML, unless it is that parameter."""
    law = theory.law("empirical.surface_power")
    text = rendering.text(law.blocks())
    assert "C = 6 N D ~ k C^-g" in text
    assert "\n  k         (6**" in text
    assert "\n  c         power of the sum" in text
    assert r"\sim k\," in law.latex()
    assert r"\qquad k = " in law.latex()
    assert "<mi>k</mi>" in law._repr_html_()
    assert r"\qquad c = c" in theory.law("empirical.hestness").latex()
