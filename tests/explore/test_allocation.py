"""The panel of allocation says what the allocator says, and refuses in words whatever else is typed."""

import string

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.explore.controls import LONGEST
from scalinglaws.explore.panels import allocation, panel

PANEL = panel("allocation")
LOSS, BUDGET = "1.69 + 406.4/N**0.34 + 410.7/D**0.28", "6*N*D = 5.76e23"


def state(loss=LOSS, budget=BUDGET, numbers=""):
    return {"loss": loss, "budget": budget, "numbers": numbers}


def test_the_optimum_is_that_of_the_library(ask):
    answer = ask.judged(PANEL, state())
    best = theory.allocate(LOSS, BUDGET).minimum()
    assert ask.number(answer, "excess") == best.excess
    assert ask.number(answer, "total") == best.total
    for name, value in best.scales.items():
        assert ask.number(answer, f"scale {name}") == value
    assert sum(
        entry.value for entry in answer.numbers if entry.name.startswith("share")
    ) == pytest.approx(1, abs=1e-14)
    (elasticity,) = best.elasticities.values()
    assert elasticity in [entry.value for entry in answer.numbers]
    assert "share of 406.4/N**0.34" in [entry.label for entry in answer.numbers]


def test_exponents_are_exact_in_numbers_and_in_letters(ask):
    answer = ask.judged(PANEL, state())
    assert ask.number(answer, "exponent of the excess") == "-119/775"
    assert ask.number(answer, "exponent of the best N") == "14/31"
    answer = ask.judged(PANEL, state("A/N**a + B/D**b", "6*N*D = C"))
    a, b, c = sp.symbols("a b C", positive=True)
    (found,) = theory.allocate("A/N**a + B/D**b", "6*N*D = C")
    power = sp.sympify(ask.number(answer, "exponent of the excess"), {"a": a, "b": b})
    assert sp.simplify(power - found.exponent(c)) == 0
    assert sp.simplify(power + a * b / (a + b)) == 0
    answer = ask.judged(PANEL, state("A/N**a + B/D**b", "6*N*D = C", "a=0.34, b=7/25"))
    assert ask.number(answer, "exponent of the excess") == "-119/775"
    assert answer.drawn["frontier"] == []


def test_the_frontier_is_of_minima_and_its_law_is_beside_it(ask):
    answer = ask.judged(PANEL, state())
    front = ask.line(answer, "frontier", "least excess")
    found = theory.allocate(LOSS, "6*N*D = C")
    assert list(front.y) == [found.minimum({"C": bound}).excess for bound in front.x]
    law = ask.line(answer, "frontier", "law: C^(-119/775)")
    assert law.y == pytest.approx(front.y, rel=1e-12)  # two terms: the power is exact
    three = ask.judged(PANEL, state("1/N + 1/D + 1/(N*D)", "N*D = 1e9"))
    front, law = three.drawn["frontier"][:2]
    assert law.y[-1] == pytest.approx(front.y[-1], rel=1e-4)


def test_the_loss_along_the_budget_is_least_at_the_optimum(ask):
    answer = ask.judged(PANEL, state())
    line = ask.line(answer, "along", "loss along the budget")
    mark = ask.line(answer, "along", "optimum")
    assert np.argmin(line.y) == line.y.size // 2
    assert mark.y[0] == pytest.approx(ask.number(answer, "total"), rel=1e-12)
    n, place = np.asarray(line.x), 7
    d = 5.76e23 / (6 * n)
    assert line.y[place] == pytest.approx(
        1.69 + 406.4 / n[place] ** 0.34 + 410.7 / d[place] ** 0.28, rel=1e-12
    )


def test_caps_and_several_scales(ask):
    answer = ask.judged(PANEL, state(budget=f"{BUDGET}; D <= 1e12"))
    best = theory.allocate(LOSS, BUDGET, "D <= 1e12").minimum()
    assert ask.number(answer, "total") == best.total
    assert ask.number(answer, "scale D") == pytest.approx(1e12, rel=1e-14)
    answer = ask.judged(PANEL, state("1/N + 1/D + 1/B", "N*D*B = K", "K=1e9"))
    assert ask.number(answer, "excess") == pytest.approx(0.003, rel=1e-14)
    assert ask.number(answer, "exponent of the best B") == "1/3"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"loss": "__import__('os').system('true')"}, "is not allowed"),
        ({"loss": "1/N^2"}, r"write \*\* for powers"),
        ({"loss": ""}, "is not a formula"),
        ({"loss": "2"}, "contains none|free"),
        ({"loss": "1/N"}, "falls to zero"),
        ({"budget": ""}, "must have the form"),
        ({"budget": "6*N*D"}, "must have the form"),
        ({"budget": "N*D=1;N*D=2"}, "depend on each other"),
        ({"numbers": "a"}, "names with numbers"),
        ({"numbers": "a=b"}, "is no fraction"),
        ({"loss": "1/N**(a + b) + 1/D"}, "single letters"),
        ({"loss": "1/N**sqrt(2) + 1/D"}, "single letters"),
        ({"numbers": "z=1"}, "no parameter"),
        ({"numbers": "z=9**9**9**9"}, "exceeds"),
        ({"loss": "+".join(f"1/N**{k}" for k in range(1, 9)) + "+1/D"}, "has 9 terms and caps"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_parser(change, match):
    with pytest.raises(DomainError, match=match):
        PANEL.answer(state(**change))


SIGNS = ["N", "D", "C", "a", "α", "+", "-", "*", "/", "**", "(", ")", "=", "<=", ";", "."]
SIGNS += ["0.34", "2", "1e300", "1e-300", "sqrt(", "log(", "exp(", " ", "0", "_", "'", "inf"]
SIGNS += list("!@#&[]{}\\:?<>é≤")
WORDS = st.lists(st.sampled_from(SIGNS), max_size=9).map("".join)


@st.composite
def sums(draw):
    """Draw losses that are formulas, mostly of monomials."""
    powers = st.sampled_from(["0.34", "a", "2", "1/3", "-1", "0", "20", "2*a", "0.123456"])
    factors = st.sampled_from(["406.4", "A", "1e300", "1e-300", "1", "(-2)", "sqrt(2)"])
    terms = [
        f"{draw(factors)}*N**-({draw(powers)})*D**-({draw(powers)})"
        for _ in range(draw(st.integers(1, 4)))
    ]
    return " + ".join(terms)


@given(
    loss=st.one_of(WORDS, sums()),
    budget=st.one_of(
        WORDS, st.sampled_from([BUDGET, "N*D=C", "N*D**2=1e300", "N=C", "N*D=C;D<=3"])
    ),
    numbers=st.one_of(st.just(""), WORDS, st.just("a=1/3 b=0.4 A=2 C=1e21"), st.just("C=1e-300")),
)
@example(loss=LOSS, budget="6*N*D=1e-299", numbers="")
@example(loss="E + A/N**a + B/D**b", budget="6*N*D=C", numbers="a=1 b=1 A=1 B=1")
@settings(max_examples=120, deadline=None)
def test_whatever_is_typed_is_answered_or_refused(ask, loss, budget, numbers):
    ask.judged(PANEL, state(loss[:LONGEST], budget, numbers))


@given(st.text(string.printable.strip() + " αβ≤é+%&=;#?", max_size=40))
@settings(max_examples=60)
def test_addresses(ask, text):
    ask.same_after_address(PANEL, state(text, text[::-1], text))


def test_start_and_snapshot(ask):
    ask.same_after_address(PANEL, PANEL.start())
    ask.judged(PANEL, PANEL.start())
    assert np.prod([len(values) for values in PANEL.snapshot.values()]) <= 150
    for loss in PANEL.snapshot["loss"]:
        for budget in PANEL.snapshot["budget"][:2]:
            assert ask.judged(PANEL, state(loss, budget)) is not None
    assert allocation.PANEL is PANEL
