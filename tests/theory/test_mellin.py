"""Symbols are the transforms of their functions, whatever is done to them."""

import mpmath
import pytest
import sympy as sp

from scalinglaws.errors import DomainError
from scalinglaws.theory.mellin import EXP, ONE_MINUS_EXP, RATIONAL, STEP, TAIL, X


@pytest.mark.parametrize(
    "symbol",
    [
        EXP,
        RATIONAL(1, 3),
        EXP.compose(2).scale(3),
        EXP.compose(-1).times_power(-3),
        RATIONAL(0, 2).compose(sp.Rational(3, 2)).times_power(sp.Rational(1, 2)),
        3 * EXP - 2 * EXP.scale(2),
    ],
)
def test_transform_is_the_mellin_transform_of_the_function(symbol):
    for s in (sp.Rational(3, 4), sp.Rational(6, 5)):
        exact = complex(symbol.transform(s).evalf()).real
        integrand = sp.lambdify(X, X ** (s - 1) * symbol.function, "mpmath")
        assert float(mpmath.quad(integrand, [0, 0.1, 1, 10, mpmath.inf])) == pytest.approx(
            exact, rel=1e-8, abs=0
        )


@pytest.mark.parametrize(
    ("symbol", "place"),
    [(ONE_MINUS_EXP, sp.Rational(-1, 2)), (STEP, sp.Rational(1, 2)), (TAIL, sp.Rational(-1, 2))],
)
def test_transform_on_the_strip_of_convergence(symbol, place):
    integrand = sp.lambdify(X, X ** (place - 1) * symbol.function, "mpmath")
    exact = float(mpmath.quad(integrand, [0, 1e-8, 1e-4, 1, 1e4, 1e8, mpmath.inf]))
    assert exact == pytest.approx(float(symbol.transform(place)), rel=1e-3)


def test_poles_left_and_right():
    places = [pole.place for pole in RATIONAL(2, 2).poles(0, left=True)]
    assert places[:3] == [-2, -3, -4]
    assert RATIONAL(2, 2).right_poles() == [0]
    assert ONE_MINUS_EXP.right_poles() == [0]
    # the denominator of a step cancels all poles but one
    assert [pole.place for pole in STEP.poles(0, left=True)] == [0]
    assert EXP.compose(-2).right_poles() == [0]


def test_arithmetic():
    assert (2 * EXP).function == 2 * sp.exp(-X)
    assert (EXP - EXP).like_terms() == ()
    assert len((EXP + RATIONAL(1, 2) + EXP).like_terms()) == 2
    combination = (EXP + 3 * RATIONAL(1, 2)).compose(2).scale(5).times_power(1)
    assert combination.function == X * sp.exp(-25 * X**2) + 75 * X**3 / (25 * X**2 + 1) ** 2
    with pytest.raises(TypeError):
        EXP + 1
    with pytest.raises(DomainError, match="must be positive"):
        (EXP + EXP).scale(0)
