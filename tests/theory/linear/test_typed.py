"""Laws derived from typed formulas, against the catalogue and against sums."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.linear import own_law
from scalinglaws.theory.linear.typed import read_filter

POWERS = ("k**-a", "k**-(a*b + 1)")
NAMES = {sp.Symbol("a", positive=True): sp.Symbol("alpha", positive=True)} | {
    sp.Symbol("b", positive=True): sp.Symbol("beta", positive=True)
}


@pytest.mark.parametrize(
    ("name", "filter", "more"),
    [
        ("linear.time", "exp(-2*x*t)", {}),
        (
            "linear.data",
            "x**2/(1 + x)**2",
            {"resource": "1/(1 + x) = P", "variance": "1/(1 + x)**2"},
        ),
        ("linear.model", "x/(1 + x)", {"resource": "1/(1 + x) = N"}),
    ],
)
def test_the_laws_of_the_catalogue_can_be_typed(name, filter, more):
    law, shipped = own_law(*POWERS, filter, **more).law, theory.law(name)
    assert law.variable == shipped.variable
    for one, two in zip(law.regimes, shipped.regimes, strict=True):
        assert (one.name, one.log_power) == (two.name, two.log_power)
        assert sp.simplify(one.exponent.subs(NAMES) - two.exponent) == 0
        assert sp.simplify(one.constant.subs(NAMES) - two.constant) == 0
    assert all(found.passed for found in law.derivation.check())


def the_sum(filter, t, capacity, source, modes=10**6):
    k = np.arange(modes, 0, -1.0)
    return float(np.sum(k ** -(capacity * source + 1) * filter(k**-capacity, t)))


@pytest.mark.parametrize(
    ("text", "filter", "t", "source"),
    [
        ("exp(-2*x*t)", lambda x, t: np.exp(-2 * x * t), 1e6, 0.8),
        ("exp(-x*t**2)", lambda x, t: np.exp(-x * t**2), 1e3, 0.8),
        ("(1 - x)**(2*t)", lambda x, t: (1 - x) ** (2 * t), 1e6, 0.8),
        ("(1 - x)**2", lambda x, t: (1 - x) ** (2 * t), 1e6, 0.8),
        ("(1 - 0.3*x)**t", lambda x, t: (1 - 0.3 * x) ** t, 1e6, 0.8),
        ("1/(1 + x)", lambda x, t: 1 / (1 + x * t), 1e7, 0.5),
        ("1/(1 + 2*x*t)**2", lambda x, t: (1 + 2 * x * t) ** -2, 1e7, 3.0),
        ("1 - x*t/(1 + x*t)", lambda x, t: 1 / (1 + x * t), 1e7, 2.5),
        ("1 - (1 - exp(-x*t))**2", lambda x, t: 1 - (1 - np.exp(-x * t)) ** 2, 1e6, 0.8),
        ("exp(-x*t)*(1 + x*t)", lambda x, t: np.exp(-x * t) * (1 + x * t), 1e6, 0.8),
        ("3/(3 + sqrt(x*t))", lambda x, t: 3 / (3 + np.sqrt(x * t)), 1e7, 2.5),
        ("exp(-sqrt(x*t))", lambda x, t: np.exp(-np.sqrt(x * t)), 1e6, 0.8),
    ],
)
def test_leading_terms_agree_with_sums(text, filter, t, source):
    law = own_law(*POWERS, text).law
    derived = law.asymptote(t, a=2, b=source)
    assert derived == pytest.approx(the_sum(filter, t, 2, source), rel=0.02)
    assert all(found.passed for found in law.derivation.check())


def test_amplitudes_and_times_of_other_names():
    law = own_law("3*k**-2", "5*k**-3", "exp(-2*x*tau)", variable="tau").law
    k = np.arange(10**6, 0, -1.0)
    summed = float(np.sum(5 * k**-3.0 * np.exp(-6e4 * k**-2.0)))
    assert law.asymptote(1e4) == pytest.approx(summed, rel=1e-3)
    resource = own_law("7*k**-2", "5*k**-3", "x/(1 + x)", resource="1/(1 + x) = N").law
    plain = own_law("k**-2", "k**-3", "x/(1 + x)", resource="1/(1 + x) = N").law
    assert resource.asymptote(1e4) == pytest.approx(5 * plain.asymptote(1e4), rel=1e-12)


@pytest.mark.parametrize(
    ("spectrum", "signal", "filter", "exponent", "logs"),
    [
        ("exp(-k)", "k**-3", "exp(-2*x*t)", 0, -2),
        ("exp(-k)", "k**-3", "1/(1 + 5*x*t)", 0, -2),
        ("k**-2*log(k)**2", "k**-3", "exp(-x*t)", 1, -2),
        ("exp(-sqrt(k))", "exp(-2*sqrt(k))", "exp(-2*x*t)", 2, 1),
    ],
)
def test_spectra_that_are_no_powers(spectrum, signal, filter, exponent, logs):
    law = own_law(spectrum, signal, filter).law
    (regime,) = law.regimes
    assert (regime.exponent, regime.log_power) == (exponent, logs)
    if "1 + 5" in filter:  # a power under an exponential takes minutes to sum
        return
    assert all(found.passed for found in law.derivation.check())


def test_the_rate_of_a_logarithmic_spectrum_enters_its_constant():
    slow, fast = (
        own_law("k**-2*log(k)**2", "k**-3", f"exp(-{rate}*x*t)").law.regimes[0] for rate in (1, 4)
    )
    assert slow.constant / fast.constant == 4
    modes = mpmath.nsum(
        lambda k: (k + 1) ** -3 * mpmath.exp(-4e9 * mpmath.log(k + 1) ** 2 / (k + 1) ** 2),
        [1, 10],
    )
    assert modes < 1e-300  # the first modes are gone: only the constant of the tail counts


def _in_logarithms(density, u):
    return density(mpmath.exp(u))


@pytest.mark.parametrize("rate", [1, 2, 5])
def test_shapes_are_what_was_typed(rate):
    t = sp.Symbol("t", positive=True)
    texts = (
        "exp(-{}*x*t)",
        "1/(1 + {}*x*t)**3",
        "{0}/({0} + x*t)",
        "1 - (1 - exp(-{}*x*t))**2",
        "exp(-x*t)/2 + 1/(2 + 2*{}*x*t)",
    )
    for text in (entry.format(rate) for entry in texts):
        shape, pace = read_filter("filter", text, t, [])
        x = sp.Symbol("x", positive=True)
        direct = sp.sympify(text, {"x": x, "t": t})
        for place in (0.1, 1.7, 12.0):
            one = shape.function.subs(x, pace.subs(t, 3) * place)
            assert float(one) == pytest.approx(float(direct.subs({x: place, t: 3})), rel=1e-12)
        # and its Mellin transform is that of the function
        place = sp.Rational(1, 2) if "1 - (" not in text else sp.Rational(1, 3)
        transformed = complex(sp.N(shape.transform(place)))
        integrand = x ** (place - 1) * shape.function
        density = sp.lambdify(x, x * integrand, "mpmath")
        integral = mpmath.quad(partial(_in_logarithms, density), [-80, -20, 0, 4, 20, 80])
        assert transformed.real == pytest.approx(float(integral), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("k**2", "k**-3", "exp(-x*t)"), "must fall with k"),
        (("n**-2", "k**-3", "exp(-x*t)"), "must be a formula in k"),
        (("1/(1 + k)", "k**-3", "exp(-x*t)"), "product of powers of k"),
        (("k**-c", "k**-3", "exp(-x*t)"), "c has another meaning"),
        (("k**-lambda", "k**-3", "exp(-x*t)"), "reserved word"),
        (("k^-2", "k**-3", "exp(-x*t)"), r"write \*\* for powers"),
        (("k**−2", "k**-3", "exp(-x*t)"), "write -"),
        (("2k**-2", "k**-3", "exp(-x*t)"), r"write 2\*k"),
        (("k**-2", "k**-3", "exp(x*t)"), "must be made of"),
        (("k**-2", "k**-3", "log(1 + x*t)"), "must be made of"),
        (("k**-2", "k**-3", "exp(-x)*exp(-t)"), "must be made of"),
        (("k**-2", "k**-3", "x*t/(1 + x*t)"), "this is what is learned"),
        (("k**-2", "k**-3", "1/(2 + x*t)"), "goes from 1/2 to 0"),
        (("k**-2", "k**-3", "exp(-2*t)"), "must be a formula in x"),
        (("k**-2", "k**-3", "exp(-2*x*tau)"), "give --variable tau"),
        (("3*k**-2", "k**-3", "(1 - x)**t"), "steps diverge"),
        (("exp(-k)", "exp(-2*k)", "exp(-x*t)"), "oscillates"),
        (("exp(-k)", "k**-3", "exp(-x*t**2)"), "depend on x"),
        (("k**-2", "k**-3", "().__class__"), "is not allowed"),
    ],
)
def test_refusals_say_what_is_allowed(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        _ = own_law(*arguments).law.expr


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"resource": "1/(1 + x)"}, "must be an equation"),
        ({"resource": "1/(1 + x) = 3"}, "name of the resource"),
        ({"variance": "1/(1 + x)**2"}, "goes with a resource"),
        ({"variable": "k"}, "must be a name"),
    ],
)
def test_refusals_of_resources(more, complaint):
    with pytest.raises(DomainError, match=complaint):
        own_law(*POWERS, "x/(1 + x)", **more)


def test_how_formulas_were_read_is_said():
    assert own_law(*POWERS, "exp(-2*x*t)").notes == ()
    (note,) = own_law(*POWERS, "1/(1 + x)").notes
    assert note == "1/(1 + x) has no t: x is read as x*t"
    one, two = own_law(*POWERS, "(1 - x)**2").notes
    assert "2" in one
    assert "exp(-t*x)" in two
    assert math.isfinite(own_law(*POWERS, "(1 - x)**2").law.asymptote(1e3, a=2, b=1))
