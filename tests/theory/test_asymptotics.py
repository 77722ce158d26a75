"""The Mellin calculus: the table of known sums, numbers, properties, and the refusals."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.theory.asymptotics import (
    EXP,
    ONE_MINUS_EXP,
    RATIONAL,
    STEP,
    TAIL,
    MellinSymbol,
    X,
    inverse_laplace_power,
    power_sum,
    slope_only_sum,
)

a, b, d, nu, t, K, P, D, N, alpha, beta = sp.symbols("a b d nu t K P D N alpha beta", positive=True)


def same(one, two):
    return sp.gammasimp(sp.powsimp(one - two, force=True)) == 0


def values(piecewise, **point):
    """Evaluate a leading term at numbers."""
    return piecewise.subs({sp.Symbol(name, positive=True): value for name, value in point.items()})


# -- derivations that must come out -------------------------------------------------------------------------------------


def test_flow():
    found = power_sum(a, EXP.compose(-b))
    assert same(
        found.leading((2 * t) ** (1 / b)), sp.gamma((a - 1) / b) / b * (2 * t) ** (-(a - 1) / b)
    )
    assert found.conditions == (a > 1,)


def test_flow_in_source_and_capacity():
    found = power_sum(alpha * beta + 1, EXP.compose(-alpha))
    assert same(found.leading((2 * t) ** (1 / alpha)), sp.gamma(beta) / alpha * (2 * t) ** (-beta))
    assert found.conditions == ()


def test_data_bias():
    found = power_sum(a, RATIONAL(2, 2).compose(b))
    assert found.exponent() == sp.Max(1 - a, -2 * b)
    tail, first, boundary = found.branches()
    assert same(tail.candidate.coefficient, sp.gamma((a - 1) / b) * sp.gamma(2 - (a - 1) / b) / b)
    assert same(first.candidate.coefficient, sp.zeta(a - 2 * b))
    assert (boundary.candidate.coefficient, boundary.candidate.log_power) == (1, 1)
    assert boundary.condition == sp.Eq(a - 2 * b, 1)
    assert (tail.condition, first.condition) == (a - 2 * b < 1, a - 2 * b > 1)


def test_model_residual():
    found = power_sum(a, RATIONAL(1, 1).compose(b))
    assert found.exponent() == sp.Max(1 - a, -b)
    tail, first, boundary = found.branches()
    assert same(tail.candidate.coefficient, sp.gamma((a - 1) / b) * sp.gamma(1 - (a - 1) / b) / b)
    assert same(first.candidate.coefficient, sp.zeta(a - b))
    assert (boundary.candidate.coefficient, boundary.candidate.log_power) == (1, 1)


def test_degrees_of_freedom_and_their_next_term():
    found = power_sum(0, RATIONAL(0, 1).compose(b))
    assert same(found.leading(K), sp.pi / (b * sp.sin(sp.pi / b)) * K)
    assert found.conditions == (b > 1,)
    (following,) = [entry for entry in found.candidates if entry.origin == "gamma"]
    assert (following.exponent, following.coefficient) == (0, sp.Rational(-1, 2))


def test_stochastic_gradient_kernel():
    found = power_sum(2 * b, EXP.compose(-b))
    assert same(
        found.leading((2 * t) ** (1 / b)), sp.gamma(2 - 1 / b) / b * (2 * t) ** (-(2 - 1 / b))
    )
    assert found.conditions == (b > sp.Rational(1, 2),)


def test_feature_embedding_by_tauber():
    occupied = power_sum(0, RATIONAL(0, 1).compose(b)).terms[0].coefficient
    first = next(
        entry
        for entry in power_sum(a - b, RATIONAL(0, 2).compose(b)).candidates
        if entry.origin == "gamma"
    )
    found = inverse_laplace_power(occupied * first.coefficient / N, -1 / b, 2 * t)
    assert same(found, sp.zeta(a - b) * sp.gamma(1 - 1 / b) / (b * N) * (2 * t) ** (-(1 - 1 / b)))


def test_one_over_dimension():
    white = 1 + nu / d
    assert sp.simplify(power_sum(white, RATIONAL(2, 2).compose(white)).exponent() + nu / d) == 0


def test_nearest_neighbor():
    found = power_sum(0, EXP.compose(d), mode="integral")
    assert same(found.leading(P ** (-1 / d)), sp.gamma(1 / d) / d * P ** (-1 / d))


def test_quanta_by_model_size():
    assert same(power_sum(1 + alpha, TAIL).leading(N), N ** (-alpha) / alpha)


def test_quanta_by_data():
    found = power_sum(1 + alpha, EXP.compose(-(1 + alpha)))
    expected = sp.gamma(alpha / (1 + alpha)) / (1 + alpha) * D ** (-alpha / (1 + alpha))
    assert same(found.leading(D ** (1 / (1 + alpha))), expected)


def test_distinct_items():
    found = power_sum(0, ONE_MINUS_EXP.compose(-(1 + alpha)))
    assert same(
        found.leading(D ** (1 / (1 + alpha))),
        -sp.gamma(-1 / (1 + alpha)) / (1 + alpha) * D ** (1 / (1 + alpha)),
    )


def test_step_is_a_partial_zeta_sum():
    tail, first, boundary = power_sum(a, STEP).branches()
    assert same(tail.candidate.coefficient, 1 / (1 - a))
    assert first.candidate.coefficient == sp.zeta(a)
    assert boundary.candidate.term(K) == sp.log(K)


# -- numbers ------------------------------------------------------------------------------------------------------------

SHAPES = {
    "data bias": (
        RATIONAL(2, 2).compose(sp.Rational(3, 2)),
        lambda x: (x**1.5 / (1 + x**1.5)) ** 2,
    ),
    "model residual": (RATIONAL(1, 1).compose(sp.Rational(3, 2)), lambda x: x**1.5 / (1 + x**1.5)),
    "flow": (EXP.compose(-sp.Rational(3, 2)), lambda x: np.exp(-(x**-1.5))),
    "degrees of freedom": (RATIONAL(0, 1).compose(sp.Rational(3, 2)), lambda x: 1 / (1 + x**1.5)),
    "zipf": (ONE_MINUS_EXP.compose(-2), lambda x: -np.expm1(-(x**-2.0))),
}


def merged_sum(shape, p, scale):
    """Sum by the quadrature of the solvers' spectra, with the integral of x^-(p + decay) beyond the last mode."""
    modes = PowerLawSpectrum(2.0, 1.0, 2.0**70).modes()
    k = modes.eigenvalues**-0.5
    total = np.sum(modes.multiplicities * k**-p * shape(k / scale))
    # every shape here behaves as x^-q at infinity: continue the last octave as a power law
    last = 2.0**70
    before, end = (e**-p * shape(e / scale) for e in (last / 2, last))
    return total + end * last / (np.log2(before / end) - 1)


def test_reference_numbers(reference):
    table = reference("asymptotics")
    for entry in table["checks"]:
        symbol, shape = SHAPES[entry["name"]]
        scale = table["scale"]
        leading = float(power_sum(entry["p"], symbol).leading(sp.Float(scale, 30)))
        digits = len(f"{entry['exact']:.15g}".split("e")[0].replace(".", "").rstrip("0"))
        assert leading == pytest.approx(entry["leading"], rel=1e-7, abs=0), entry
        assert merged_sum(shape, entry["p"], scale) == pytest.approx(
            entry["exact"], rel=0.6 * 10.0 ** (1 - digits), abs=0
        ), entry


@settings(max_examples=40)
@given(st.sampled_from(["data bias", "model residual"]), st.floats(1.3, 6.0))
def test_leading_terms_against_sums(name, p):
    symbol, shape = SHAPES[name]
    exponent = 1.5
    assume(min(abs((p - 1) / exponent - j) * exponent for j in range(5)) > 0.1)
    scale = 1e7
    found = power_sum(sp.Rational(str(p)), symbol)
    exact = merged_sum(shape, p, scale)
    zeta, gamma = found.candidates
    gap = abs(float(zeta.exponent - gamma.exponent))
    assert (
        abs(float(found.leading(sp.Float(scale, 30))) / exact - 1)
        <= 10 * scale ** -min(gap, exponent) + 1e-12
    )
    both = float(zeta.term(sp.Float(scale, 30)) + gamma.term(sp.Float(scale, 30)))
    assert abs(both / exact - 1) <= 10 * scale**-exponent + 1e-10


def test_combination_is_a_sum_of_its_parts():
    one = RATIONAL(2, 2).compose(2)
    two = RATIONAL(1, 1).compose(2)
    both = power_sum(3, 2 * one + two)
    # 2 x^4/(1+x^2)^2 + x^2/(1+x^2) at p = 3: integral-like terms at K^-2 double with the pole of x^2 at zeta(1)
    assert [term.log_power for term in both.terms] == [1]
    (term,) = both.terms
    scaled = [
        merged_sum(lambda x: 2 * (x**2 / (1 + x**2)) ** 2 + x**2 / (1 + x**2), 3, scale) * scale**2
        for scale in (1e6, 1e8)
    ]
    assert float(term.coefficient) * math.log(100) == pytest.approx(scaled[1] - scaled[0], rel=1e-6)


def test_cancelled_poles_give_way_to_the_next():
    difference = RATIONAL(1, 1) - RATIONAL(1, 2)  # exactly x^2/(1+x)^2
    shape = sp.Rational(3, 2)
    assert power_sum(5, difference.compose(shape)).leading(K) == power_sum(
        5, RATIONAL(2, 2).compose(shape)
    ).leading(K)
    assert power_sum(3, EXP - EXP.scale(2)).leading(K) == sp.zeta(2) / K
    assert power_sum(1, EXP - EXP.scale(2)).leading(K) == sp.log(2)
    integral = power_sum(sp.Rational(3, 2), EXP - RATIONAL(0, 1), mode="integral")
    exact = float(
        mpmath.quad(lambda x: x**-1.5 * (mpmath.exp(-x) - 1 / (1 + x)), [0, 1e-6, 1, mpmath.inf])
    )
    assert float(integral.leading(sp.S.One)) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("p", [sp.Rational(5, 2), sp.Rational(9, 2), 3, 2])
def test_combinations_against_sums(p):
    found = power_sum(p, EXP - RATIONAL(0, 2))  # 1 - x + x^2/2 - (1 - 2 x + 3 x^2): starts at x
    scales = np.array([1e5, 1e7])
    exact = np.array(
        [merged_sum(lambda x: np.exp(-x) - (1 + x) ** -2.0, float(p), scale) for scale in scales]
    )
    (term,) = found.terms
    scaled = exact * scales ** -float(term.exponent)
    if term.log_power:
        assert (scaled[1] - scaled[0]) / math.log(100) == pytest.approx(
            float(term.coefficient), rel=1e-4
        )
    else:
        assert scaled[1] == pytest.approx(float(term.coefficient), rel=2e-2)


def test_everything_cancels():
    with pytest.raises(DomainError, match="is identically zero"):
        power_sum(2, (EXP - EXP).compose(-1))


def test_coinciding_exponents_of_two_symbols_add_or_give_a_logarithm():
    c = sp.Symbol("c", positive=True)
    leading = power_sum(a, RATIONAL(1, 2).compose(b) + RATIONAL(1, 2).compose(c)).leading(K)
    here = {sp.Symbol("a", positive=True): 5, b: 2, c: 2}
    assert leading.subs(here) == 2 * power_sum(5, RATIONAL(1, 2).compose(2)).leading(K)
    here[sp.Symbol("a", positive=True)] = 3
    assert leading.subs(here) == 2 * sp.log(K) / K**2


def test_double_pole_of_two_gamma_factors():
    # Gamma(s)^2 is the transform of 2 K_0(2 sqrt(x)): its double pole at 0 gives -log x, hence log K
    bessel = MellinSymbol(
        ((sp.S.Zero, sp.S.One, 0), (sp.S.Zero, sp.S.One, 0)),
        function=2 * sp.besselk(0, 2 * sp.sqrt(X)),
    )
    found = power_sum(3, bessel)
    assert [(term.origin, term.log_power, term.exponent) for term in found.terms] == [
        ("double", 1, 0)
    ]
    assert found.leading(K) == sp.zeta(3) * sp.log(K)
    scale = 1e8
    exact = math.fsum(
        k**-3.0 * 2 * float(mpmath.besselk(0, 2 * mpmath.sqrt(k / scale))) for k in range(1, 400)
    )
    constant = exact - float(sp.zeta(3)) * math.log(scale)
    doubled = math.fsum(
        k**-3.0 * 2 * float(mpmath.besselk(0, 2 * mpmath.sqrt(k / scale**2))) for k in range(1, 400)
    )
    assert doubled == pytest.approx(float(sp.zeta(3)) * math.log(scale**2) + constant, rel=1e-5)


def test_dominated_candidate_is_never_evaluated():
    # at a - 1 = 3 b the coefficient of K^(1-a) is infinite, and irrelevant
    found = power_sum(7, RATIONAL(2, 2).compose(2))
    assert found.leading(K) == sp.zeta(3) / K**4


def test_boundary_at_numbers_is_a_logarithm():
    found = power_sum(4, RATIONAL(2, 2).compose(sp.Rational(3, 2)))
    assert found.leading(K) == sp.log(K) / K**3
    assert (
        values(power_sum(a, RATIONAL(2, 2).compose(b)).leading(K), a=4, b=sp.Rational(3, 2))
        == sp.log(K) / K**3
    )


def test_uniform_form_is_finite_and_accurate_next_to_a_boundary():
    symbol, shape = SHAPES["data bias"]
    p = 4.001
    exact = merged_sum(shape, p, 1e6)
    found = power_sum(sp.Rational(4001, 1000), symbol)
    assert float(found.uniform(sp.Float(1e6, 40))) == pytest.approx(exact, rel=1e-7, abs=0)
    assert float(found.leading(sp.Float(1e6, 40))) > 50 * exact


# -- slopes only, and Tauber --------------------------------------------------------------------------------------------


def test_slope_only_agrees_with_the_full_calculus():
    full = power_sum(a, RATIONAL(2, 2).compose(b)).exponent()
    assert slope_only_sum(a + 2, at_zero=2 * b, at_infinity=0).exponent() == full.subs(a, a + 2)


def test_slope_only_with_a_cutoff():
    found = slope_only_sum(a, at_zero=b, at_infinity=0, cutoff=2)
    assert found.candidates == (1 - a, -b, 2 - 2 * a)
    assert sp.Eq(1 - a, -b) in found.ties()
    # K^2 modes, p = 1/2, g = x/(1+x): the cut-off decides, exponent 2 (1 - p) = 1, up to K^(-1/2)
    sums = [
        np.sum((k := np.arange(1.0, scale**2 + 1)) ** -0.5 * (k / scale) / (1 + k / scale))
        for scale in (1e3, 4e3)
    ]
    assert np.log(sums[1] / sums[0]) / np.log(4) == pytest.approx(1.0, abs=0.03)


def test_slope_only_refusals():
    with pytest.raises(DomainError, match="give a cutoff"):
        slope_only_sum(a, at_infinity=0)
    with pytest.raises(DomainError, match="must exceed 1"):
        slope_only_sum(a, at_infinity=0, cutoff=sp.Rational(1, 2))


def test_tauber_drops_analytic_terms():
    assert [inverse_laplace_power(1, e, t) for e in (0, 1, 2)] == [0, 0, 0]
    e = sp.Rational(-1, 3)
    assert same(
        inverse_laplace_power(2, e, t), 2 * t ** (-sp.Rational(2, 3)) / sp.gamma(sp.Rational(1, 3))
    )


# -- refusals -----------------------------------------------------------------------------------------------------------


def test_refusals_name_the_culprit():
    with pytest.raises(DomainError, match="diverges at large k"):
        power_sum(sp.Rational(1, 2), EXP.compose(-1))
    with pytest.raises(DomainError, match="diverges at x = 0"):
        power_sum(2, EXP, mode="integral")
    with pytest.raises(DomainError, match="sign of c is undecidable"):
        MellinSymbol(((sp.S.Zero, sp.Symbol("c"), 0),))
    with pytest.raises(DomainError, match="known sign"):
        EXP.compose(sp.Symbol("c", real=True))
    with pytest.raises(DomainError, match="must be positive"):
        EXP.scale(-1)
    with pytest.raises(DomainError, match="n = 0 must be positive"):
        RATIONAL(1, 0)
    with pytest.raises(DomainError, match="'sum' or 'integral'"):
        power_sum(2, EXP.compose(-1), mode="series")
    with pytest.raises(DomainError, match="poles = 0"):
        power_sum(2, EXP.compose(-1), poles=0)
