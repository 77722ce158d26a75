"""Constants without closed form, to as many digits as asked for."""

import mpmath
import pytest
import sympy as sp

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.theory.implicit import ImplicitConstant


def test_implicit_constant_to_many_digits():
    x = sp.Symbol("x")
    root = ImplicitConstant(x**2 - 2, x, (1, 2))
    with mpmath.workdps(60):
        assert abs(root.evaluate(60) - mpmath.sqrt(2)) < mpmath.mpf(10) ** -59
    with pytest.raises(DomainError, match="does not change sign"):
        ImplicitConstant(x**2 + 1, x, (1, 2)).evaluate()
    for size in (sp.Rational(1, 10**30), sp.Integer(10) ** 30):
        assert ImplicitConstant(size * (sp.cos(x) - x), x, (0, 1)).evaluate(15) == pytest.approx(
            0.739085133215161, rel=1e-14
        )
    tiny = ImplicitConstant(sp.exp(x) - 1 - sp.Rational(1, 10**20), x, (0, 1)).evaluate(15)
    assert float(tiny) == pytest.approx(1e-20, rel=1e-14, abs=0)
    with pytest.raises(DomainError, match="infinite at an end"):
        ImplicitConstant(1 / x - 2, x, (0, 1)).evaluate()
    with pytest.raises(DomainError, match="alone"):
        ImplicitConstant(x - sp.Symbol("y"), x, (0, 1)).evaluate()
    # a jump has a change of sign and no root
    with pytest.raises(ConvergenceError):
        ImplicitConstant(sp.sign(x - sp.Rational(1, 3)) + sp.Rational(1, 7), x, (0, 1)).evaluate(20)


def test_rounding_noise_is_not_a_change_of_sign():
    x = sp.Symbol("x")
    # the equation is 1e-50 above zero over most of the bracket, far below the working precision
    root = ImplicitConstant(sp.erf(x) - 1 + sp.Rational(1, 10**50), x, (0, 30)).evaluate(15)
    with mpmath.workdps(80):
        assert float(mpmath.erfc(root) * mpmath.mpf(10) ** 50) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("bracket", [(0, sp.oo), (0, sp.I), (0, "x"), (sp.nan, 1)])
def test_a_bracket_is_two_real_numbers(bracket):
    x = sp.Symbol("x")
    with pytest.raises(DomainError, match="two finite real numbers"):
        ImplicitConstant(x - 1, x, bracket).evaluate()


@pytest.mark.parametrize("digits", [0, -1, 1.5, True])
def test_digits_are_a_whole_number(digits):
    x = sp.Symbol("x")
    with pytest.raises(DomainError, match="digits"):
        ImplicitConstant(x**2 - 2, x, (1, 2)).evaluate(digits)
