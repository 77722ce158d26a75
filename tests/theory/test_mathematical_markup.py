"""Formulas as MathML: well-formed, complete, and understood by a browser without scripts."""

import re
from xml.dom import minidom

import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.theory.mathematical_markup import mathml

X, Y = sp.symbols("x y", positive=True)
ELEMENTS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msup", "msub", "msubsup", "msqrt", "mroot", "munderover",
    "mtable", "mtr", "mtd", "mmultiscripts", "mprescripts", "none", "mspace", "mover", "munder", "mfenced",
}  # fmt: skip


def _read(markup):
    """Parse markup; the entities that SymPy writes are known to HTML only."""
    known = re.sub(r"&(?!lt;|gt;|amp;|#)\w+;", "x", markup)
    return minidom.parseString(f"<body>{known}</body>")


@pytest.mark.parametrize("name", theory.laws())
def test_every_formula_of_every_law(name):
    law = theory.law(name)
    shown = [law.expr, *law.validity, *(entry.condition for entry in law.regimes)]
    shown += [form.expr for form in law.forms.values()]
    shown += [side for entry in law.derivation.steps for side in (entry.quantity, entry.value)]
    for expr in shown:
        found = _read(mathml(expr))
        tags = {node.tagName for node in found.getElementsByTagName("*")} - {"body"}
        assert tags <= ELEMENTS
        words = {
            child.data
            for node in found.getElementsByTagName("*")
            for child in node.childNodes
            if child.nodeType == child.TEXT_NODE
        }
        assert not words & {"piecewise", "hyper", "True", "inverselaplacetransform"}


@pytest.mark.parametrize("name", ["linear.time", "linear.model", "empirical.chinchilla"])
def test_notebook_views_of_laws(name):
    law = theory.law(name)
    for markup in (law._repr_html_(), law.derivation._repr_html_()):
        found = _read(markup)
        assert found.getElementsByTagName("math")
        assert "script" not in markup
        assert "http" not in markup
    assert law.reference[0].identifier in law._repr_html_()


def test_conditions_and_cases_can_stand_in_a_document():
    shown = mathml(sp.Piecewise((X, X < 1), (Y, (X > 2) | (Y >= 1)), (0, True)))
    cases = _read(shown).getElementsByTagName("mtr")
    assert len(cases) == 3
    assert "otherwise" in shown
    assert "&lt;" in shown
    assert "≥" in shown


def test_signs_between_expressions_and_display():
    assert mathml(X, r"\sim", Y, display=True) == (
        '<math display="block"><mi>x</mi><mo>∼</mo><mi>y</mi></math>'
    )
