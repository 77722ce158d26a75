"""Formulas in Unicode: in one line, stacked, and with tables of cases; nothing wider than the terminal."""

import re

import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.theory import rendering
from scalinglaws.theory.lettering import greek, in_one_line, in_unicode

A, B, G, K, T = sp.symbols("alpha beta gamma k t", positive=True)


@pytest.mark.parametrize(
    ("expr", "shown"),
    [
        (sp.Min(2 * A, A * B), "min(2α, αβ)"),
        (sp.Max(A, B), "max(α, β)"),
        (A * B * G * K, "αβγk"),
        (2 * A * (B + 1), "2α·(β + 1)"),
        (A * sp.gamma(B), "α·Γ(β)"),
        (sp.zeta(A), "ζ(α)"),
        (A**2 * B, "α²β"),
        (A**-2, "α⁻²"),
        (K**A * B, "βk^α"),
        (K ** (A * B + 1), "k^(αβ + 1)"),
        (sp.sqrt(G) * K, "√γ·k"),
        (sp.sqrt(A + 1), "√(α + 1)"),
        (sp.Symbol("df_1") * A, "α·df₁"),
        (sp.Symbol("t_tau"), "t_τ"),
        (sp.oo, "∞"),
        (sp.Ge(A, 1), "α ≥ 1"),
        (sp.Eq(A, B), "α = β"),
        (sp.And(A > 1, B > 2), "α > 1, β > 2"),
        (sp.Sum(1 / K**A, (K, 1, sp.oo)), "Σ(k=1..∞)[k^(-α)]"),
        (sp.Integral(T, (T, 0, 1)), "∫(t = 0..1)[t] dt"),
        (sp.Piecewise((A, A < 1), (1, True)), "{α for α < 1; 1 otherwise}"),
    ],
)
def test_formulas_in_one_line(expr, shown):
    assert in_one_line(expr).replace("(−", "(-") == shown


def test_products_of_letters_keep_their_sign_behind_a_power():
    """k^αβ would be another formula."""
    assert in_one_line(K**A * sp.Symbol("kappa")) in ("k^α·κ", "κ·k^α")


def test_fractions_are_stacked_and_cases_are_a_table():
    expr = sp.Piecewise((2 * B / (B + 1), B < 1), (B, True))
    shown = in_unicode(lambda show: f"  g = {show(expr)}", 80).split("\n")
    assert len(shown) == 5
    assert shown[2].startswith("  g = ⎨")
    assert "─────  for β < 1" in shown[1]
    narrow = in_unicode(lambda show: f"  g = {show(expr)}", 20)
    assert "│ 2β/(β + 1)" in narrow
    assert "│ β   otherwise" in narrow


def test_words_around_formulas_have_letters_too_and_commands_none():
    assert greek("lambda_k = k**(-alpha), beta <= 1") == "λ_k = k^(-α), β ≤ 1"
    command = "  tested    scalinglaws verify linear.beta alpha=1"
    assert in_unicode(lambda show: command, 80) == command
    meaning = in_unicode(lambda show: "  alpha     capacity: falls as k^-alpha", 80)
    assert meaning == "  alpha, α  capacity: falls as k^-α"


@pytest.mark.parametrize("name", theory.laws())
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_of_any_law_is_wider_than_the_terminal(name, width):
    law = theory.law(name)
    for blocks in (law.blocks(), law.derivation_blocks()):
        shown = rendering.terminal(blocks, width)
        assert not re.search("[\ue000-\uf8ff]", shown)  # every formula has taken its place
        plain = rendering.text(blocks)
        assert len(shown.split("\n")) >= len(plain.split("\n"))
        for line in shown.split("\n"):
            if len(line) > width:  # nothing to break at: one word
                assert len(line.split()) == 1
