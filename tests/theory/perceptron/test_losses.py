"""Losses of a margin: integrals in closed form, tails, and what is refused."""

import mpmath
import pytest
import sympy as sp

from scalinglaws.errors import DomainError
from scalinglaws.theory.perceptron import (
    EXPONENTIAL,
    HINGE,
    LOGISTIC,
    MARGIN,
    SQUARED_HINGE,
    FixedNorm,
    closed_integral,
    tail_power,
)

LOSSES = {
    "logistic": LOGISTIC,
    "exponential": EXPONENTIAL,
    "hinge": HINGE,
    "squared_hinge": SQUARED_HINGE,
}
a = sp.Symbol("a", positive=True)
SLOW = (1 + MARGIN) ** (1 - a) / (a - 1)


def _series(order, power):
    """Sum what the logistic loss gives by its own series: (1 - tanh u)^order = 2^order q^order (1 + q)^-order, q = e^-2u."""
    with mpmath.workdps(30):
        return mpmath.nsum(
            lambda n: (
                (-1) ** int(n)
                * mpmath.binomial(n + order - 1, order - 1)
                * 2**order
                * mpmath.factorial(power)
                / (2 * (n + order)) ** (power + 1)
            ),
            [0, mpmath.inf],
        )


def test_integrals_are_those_of_the_reference_of_quadrature_and_of_a_series(reference):
    for name, order, power, printed in reference("perceptron_theory")["integrals"]:
        model = FixedNorm(LOSSES[name])
        found = model.integral(model.force**order, power)
        assert sp.expand(found - sp.sympify(printed)) == 0
        with mpmath.workdps(30):
            density = sp.lambdify(MARGIN, model.force**order * MARGIN**power, "mpmath")
            direct = mpmath.quad(density, [0, 1, 2, 4, 8, 16, 40, 100])
            assert abs(direct / mpmath.mpf(sp.N(found, 30)) - 1) < mpmath.mpf(10) ** -25
            if name == "logistic":
                assert abs(_series(order, power) / direct - 1) < mpmath.mpf(10) ** -15


def test_integrals_of_other_fractions_of_exponentials():
    sigmoid = 1 / (1 + sp.exp(MARGIN))
    for function, power in (
        (sigmoid, 0),
        (sigmoid**3 * sp.exp(-MARGIN), 0),
        (sigmoid**3 + sp.exp(-3 * MARGIN), 1),
        ((1 - sp.tanh(MARGIN)) ** 2 * sp.sech(MARGIN) ** 2, 0),
        (sp.exp(-MARGIN / 3) * (1 + sp.exp(-MARGIN / 2)), 3),
    ):
        found = closed_integral(function, power)
        assert not found.has(sp.Integral)
        with mpmath.workdps(20):
            direct = mpmath.quad(
                sp.lambdify(MARGIN, function * MARGIN**power, "mpmath"),
                [0, 1, 4, 16, 64, mpmath.inf],
            )
            assert abs(direct / mpmath.mpf(sp.N(found, 20)) - 1) < 1e-15
    assert closed_integral((1 - sp.tanh(MARGIN)) ** 2 * sp.sech(MARGIN) ** 2) == sp.Rational(1, 3)


def test_what_has_no_closed_form_or_does_not_converge_stays_an_integral():
    assert closed_integral(1 / (1 + MARGIN)).has(sp.Integral)
    # poles at -1 and 1 of e^(-u/2) squared
    assert closed_integral(sp.exp(-MARGIN / 2) / (1 + sp.exp(MARGIN)) ** 3).has(sp.Integral)
    assert closed_integral(sp.exp(-MARGIN) / (2 + sp.sin(MARGIN) ** 2)).has(sp.Integral)


def test_tails():
    assert [tail_power(FixedNorm(loss)) for loss in LOSSES.values()] == [sp.oo] * 4
    assert tail_power(FixedNorm(-sp.sqrt(1 + MARGIN))) == sp.Rational(1, 2)
    assert tail_power(FixedNorm(sp.sqrt(1 + MARGIN**2) - MARGIN)) == 2
    assert tail_power(FixedNorm(SLOW, box={a: (sp.Rational(6, 5), 3)})) == a


@pytest.mark.parametrize(
    ("loss", "complaint"),
    [
        ((1 - MARGIN) ** 2, "decreasing and convex"),
        (sp.exp(-(MARGIN**2)), "negative slope at zero margin"),
        (sp.exp(MARGIN), "negative slope at zero margin"),
        (-MARGIN + sp.cos(MARGIN) / 2, "decreasing and convex"),
        (-sp.sqrt(MARGIN), "negative slope at zero margin"),
        (sp.Integer(3), "function of MARGIN"),
        (SLOW, "function of MARGIN"),
        ("logistic", "SymPy expression"),
    ],
)
def test_what_is_no_decreasing_convex_loss_is_refused(loss, complaint):
    with pytest.raises(DomainError, match=complaint):
        FixedNorm(loss)


def test_conventions_are_two():
    with pytest.raises(DomainError, match="convention"):
        FixedNorm(convention="cubed")
    assert FixedNorm(convention="squared").scale ** 2 == FixedNorm(convention="squared").norm
