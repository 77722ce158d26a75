"""LaTeX: what is written compiles, which is tried where a TeX is installed, and is checked sign by sign everywhere."""

import re
import shutil
import subprocess

import pytest
import sympy as sp

from scalinglaws import theory, typesetting
from scalinglaws.tables import Table, as_latex
from scalinglaws.theory import balance, rendering

TEX = shutil.which("pdflatex") or shutil.which("tectonic")
_MACROS = """
    Big Delta Gamma Lambda Omega Phi Psi Sigma Theta Xi allowbreak allowdisplaybreaks alpha
    approx arraybackslash bar begin beta big binom boldsymbol cap cdot chi cos cosh cup
    delta dfrac displaystyle documentclass ell emph emptyset end endhead ensuremath epsilon
    equiv eta exp for frac gamma ge geq gt hat hline in infty int iota item kappa lambda
    lceil ldots le left leq lfloor lim limits linewidth ln log lt mathbb mathcal mathrm
    mathtt max mid middle min mu ne neq nu omega operatorname parindent parskip partial phi
    pi pm prime prod psi qquad quad raggedright rceil rfloor rho right section setlength
    sigma sim sin sinh sloppy small sqrt star subsection substack sum tan tanh tau text
    textasciicircum textasciitilde textbackslash textbf texttt theta tilde to upsilon
    usepackage varepsilon varphi vee wedge xi zeta
"""
MACROS = set(_MACROS.split())
PROBLEM = sp.symbols("A B N D C a b", positive=True)


def _bodies(names):
    """Return one fragment for everything that can be written as LaTeX."""
    A, B, N, D, C, a, b = PROBLEM
    found = balance.allocate(A * N**-a + B * D**-b, [N, D], [(6 * N * D, C)])
    laws = [theory.law(name) for name in names]
    values = {"alpha": sp.Rational(3, 2), "beta": sp.Rational(1, 3)}
    words = "words: 50 % of α_1 & ~ {x} \\ # ^ $ 'é ü ß ξ ≤ < > | ∞ →"
    return [
        *(rendering.document(law.explanation_blocks()) for law in laws),
        rendering.document(theory.law("linear.model").blocks(values)),
        theory.compare("linear.time", "feature_learning.time").to_latex(),
        theory.compare("linear.data", "linear.model", alpha=2, beta=3).to_latex(),
        balance.as_latex(found, "minimize A_1 & so on", "at a = 1/3: C^(-2/11)"),
        as_latex([words, "two\nlines\n\nand a paragraph"]),
        as_latex([Table(("law_1", "x^2"), [("a.b.c_d/e", "e & f 5 %")] * 80, "title_1")]),
    ]


def _check(text):
    """Check braces, environments, dollars and macros: what a TeX would stumble over."""
    bare = text.replace(r"\{", "").replace(r"\}", "").replace(r"\\", " ").replace(r"\$", "")
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert text.count(r"\[") == text.count(r"\]")
    assert bare.count(r"\left") - bare.count(r"\leftarrow") == bare.count(r"\right") - bare.count(
        r"\rightarrow"
    )
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []
    unknown = set(re.findall(r"\\([A-Za-z]+)", bare)) - MACROS - {"raggedright"}
    assert unknown <= {f"sub{'sub' * k}section" for k in range(3)}, unknown
    assert all(ord(sign) < 0x180 for sign in text)  # what LaTeX reads without further packages
    outside = re.sub(
        r"\\\[.*?\\\]|\$.*?\$|\\begin\{align\*\}.*?\\end\{align\*\}", "", bare, flags=re.S
    )
    outside = re.sub(r"\\ensuremath\{[^{}]*\}|\\[_#%&]|\\begin\{longtable\}.*", "", outside)
    assert not re.search(r"(?<!\\)[_^]", outside)


SOME = (
    "linear.time",
    "linear.model",
    "feature_learning.compute",
    "empirical.chinchilla",
    "percolation.data",
)


def test_everything_is_sound_latex():
    for body in _bodies(SOME):
        _check(body)


@pytest.mark.slow
@pytest.mark.parametrize("name", theory.laws())
def test_every_law_is_sound_latex(name):
    _check(rendering.document(theory.law(name).explanation_blocks()))


def _compile(bodies, folder):
    source = folder / "all.tex"
    source.write_text(typesetting.document(*bodies), encoding="utf-8")
    flags = [] if TEX.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([TEX, *flags, source.name], cwd=folder, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-1500:]
    assert (folder / "all.pdf").stat().st_size > 10_000


@pytest.mark.skipif(TEX is None, reason="no TeX is installed")
def test_one_document_with_everything_compiles(tmp_path):
    _compile(_bodies(SOME), tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(TEX is None, reason="no TeX is installed")
def test_every_law_compiles(tmp_path):
    _compile(_bodies(theory.laws()), tmp_path)


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("50 % of a_b", r"50 \% of a\_\allowbreak{}b"),
        ("k^-α", r"k\textasciicircum{}-\ensuremath{\alpha}"),
        ("a.b", r"a.\allowbreak{}b"),
        ("2.5 m. b", "2.5 m. b".replace("2.5", r"2.\allowbreak{}5")),
        ("Ω ≤ 1", r"\ensuremath{\Omega} \ensuremath{\leq} 1"),
        ("ő ẽ", "ő e"),
        ("\\{}", r"\textbackslash{}\{\}"),
    ],
)
def test_words_are_escaped(words, written):
    assert typesetting.escape(words) == written


def test_long_formulas_are_broken_at_their_outermost_operators():
    x = sp.symbols("x:40")
    shown = typesetting.display(f"L = {sp.latex(sp.Add(*(2 * sp.log(name) for name in x)))}")
    assert shown.startswith(r"\begin{align*}")
    assert shown.count(r"\\") >= 2
    _check(shown)
    product = typesetting.display(r"\frac{" + " + ".join(["x"] * 200) + "}{2}")
    assert product.startswith(r"\[")  # nothing outermost to break at


def test_a_table_names_its_columns_on_every_page():
    shown = typesetting.table(("law", "statement"), [("a_b", "c & d")], "title")
    assert r"\endhead" in shown
    assert r"a\_\allowbreak{}b & c \& d \\" in shown
    _check(shown)
