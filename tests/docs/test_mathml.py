"""Formulas of the pages become MathML that browsers draw, and what cannot be converted is said."""

import re
import runpy
from xml.etree import ElementTree

import pytest

pytest.importorskip("latex2mathml")


@pytest.fixture(scope="module")
def mathml(root):
    return runpy.run_path(str(root / "docs" / "mathml_extension.py"))["mathml"]


def shown(markup):
    return "".join(ElementTree.fromstring(markup).itertext())


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"\mathcal L(\mathbb E f)", "ℒ(𝔼f)"),
        (r"\varepsilon_{\rm opt}", "εopt"),
        (r"\mathrm{Tr}K=\langle f\rangle", "TrK=⟨f⟩"),
        (r"\Big\{\tfrac12\Big\}", "{12}"),
        (r"x\sim N(0,1)", "x∼N(0,1)"),
        (r"\int\!Dv", "∫Dv"),
        (r"\|x\|", "‖x‖"),
        (r"\text{multi\_power}", "multi_power"),
        (r"\begin{cases} 1 & n < 1 \\ n^{-c} & \text{otherwise}\end{cases}", "{1n<1n−cotherwise"),
        (r"a &= b \\ c &= d", "a=bc=d"),
    ],
)
def test_what_is_written_is_shown(mathml, formula, text):
    assert re.sub(r"\s", "", shown(mathml(formula))) == text


def test_upright_words_are_one_word(mathml):
    assert "<mi>opt</mi>" in mathml(r"x_{\rm opt}")
    assert '<mi mathvariant="normal">Σ</mi>' in mathml(r"\Sigma")


def test_signs_with_one_operand_keep_no_distance(mathml):
    for formula in ("(-x)", "a = -x", r"\quad -x", "-x"):
        assert '<mo form="prefix">−</mo>' in mathml(formula)
    for formula in ("a - x", "(a)-x", r"|a| - x", r"\alpha^2 - x"):
        assert '<mo form="prefix">−</mo>' not in mathml(formula)


def test_bars_open_and_close(mathml):
    bars = re.findall(r'form="(\w+)">\|', mathml("|a|+|b|"))
    assert bars == ["prefix", "postfix", "prefix", "postfix"]
    assert re.findall(r'form="(\w+)">\|', mathml("p(a|b)")) == ["infix"]


def test_names_of_functions_keep_apart(mathml):
    space = '<mspace width="0.167em" />'
    assert f"<mi>log</mi>{space}<mi>N</mi>" in mathml(r"\log N")
    assert space not in mathml(r"\log(N)")


def test_limits_stand_below_on_a_line_of_their_own(mathml):
    assert "<munder><mi>min</mi>" in mathml(r"\min_x f", display=True)
    assert "<msub><mi>min</mi>" in mathml(r"\min_x f")


def test_large_brackets_with_indices_are_large(mathml):
    assert re.search(r"<msup><mrow><mo [^>]*minsize[^>]*>\)</mo></mrow>", mathml(r"\Big(x\Big)^2"))


def test_lines_are_formulas_of_their_own(mathml):
    assert mathml("a = b\n\nc = d", display=True).count("<math ") == 2


@pytest.mark.parametrize("formula", [r"\nosuchcommand x", r"\hbar\nonsense", "a & b"])
def test_what_cannot_be_converted_is_said(mathml, formula):
    with pytest.raises(ValueError, match=r"leaves \\no|makes no markup"):
        mathml(formula)
