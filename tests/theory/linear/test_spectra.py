"""Spectra that are no powers: derived laws against sums at huge times, checked steps, and clear refusals."""

import math

import mpmath
import pytest
import sympy as sp

from scalinglaws.errors import DomainError
from scalinglaws.theory.asymptotics import (
    EXP,
    RATIONAL,
    STEP,
    inverse_laplace_power,
    power_sum,
    slope_only_sum,
)
from scalinglaws.theory.balance import allocate
from scalinglaws.theory.feature_learning.exponents import FeedbackLimited
from scalinglaws.theory.feature_learning.warp import WarpLimited
from scalinglaws.theory.fixed_points import fixed_point
from scalinglaws.theory.linear import (
    ModeLimited,
    N,
    RidgeLimited,
    SpectrumLimited,
    TimeLimited,
    TransientLimited,
    derive_spectrum,
    derive_time,
)

k = sp.Symbol("k")
a, c = sp.symbols("a c", positive=True)
HALF = sp.Rational(1, 2)
RANGES = {a: (sp.Rational(3, 2), 4), c: (HALF, 2)}


def _regime(spectrum, signal, **more):
    (regime,) = derive_spectrum(SpectrumLimited(spectrum, signal, **more)).regimes
    return regime


def _leading(regime, log_t):
    """Logarithm of the leading term, at a time whose logarithm is given."""
    exponent, power, constant = (
        mpmath.mpf(sp.N(part, 30)) for part in (regime.exponent, regime.log_power, regime.constant)
    )
    return mpmath.log(constant) - exponent * log_t + power * mpmath.log(log_t)


# -- what comes out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spectrum", "signal", "expected"),
    [
        (sp.exp(-k), k**-3, (0, -2, HALF)),
        (sp.exp(-(k**c)), k**-a, (0, -(a - 1) / c, 1 / (a - 1))),
        (sp.exp(-2 * k), 5 * k**-3, (0, -2, 10)),
        (k**-2 * sp.log(k) ** 2, k**-3, (1, -2, 1)),
        (k**-2, k**-a * sp.log(k) ** c, ((a - 1) / 2, c, None)),
        (k**-2 * sp.log(k) ** c, k**-a, ((a - 1) / 2, -c * (a - 1) / 2, None)),
        (sp.exp(-sp.sqrt(k)), sp.exp(-2 * sp.sqrt(k)), (2, 1, HALF)),
    ],
)
def test_exponent_logarithm_and_constant(spectrum, signal, expected):
    regime = _regime(spectrum, signal, box=RANGES)
    exponent, power, constant = expected
    assert sp.simplify(regime.exponent - exponent) == 0
    assert sp.simplify(regime.log_power - power) == 0
    assert constant is None or sp.simplify(regime.constant - constant) == 0


def test_a_power_of_the_logarithm_alone_falls_to_zero_at_infinity():
    regime = _regime(sp.exp(-k), k**-3)
    assert regime.at([10.0, float("inf")], {}).tolist() == [
        pytest.approx(0.5 / math.log(10) ** 2),
        0.0,
    ]


def test_without_logarithms_the_power_law_comes_back():
    for residual in (EXP, RATIONAL(0, 4)):
        regime = _regime(k**-2, k**-3, residual=residual)
        plain = derive_time(TimeLimited(2, 3, residual))
        assert (regime.exponent, regime.log_power) == (plain.expr, 0)
        assert sp.simplify(regime.constant - plain.regimes[0].constant) == 0


@pytest.mark.parametrize(
    ("spectrum", "signal", "more"),
    [
        (sp.exp(-k), k**-3, {}),
        (sp.exp(-(k**2)) / k, 3 * k**-2, {"residual": RATIONAL(0, 2)}),
        (sp.exp(-sp.sqrt(k)) * sp.log(k), k**-3, {}),
        (k**-2 * sp.log(k) ** 2, k**-3, {}),
        (k**-2 / sp.log(k), k ** sp.Rational(-5, 2) * sp.log(k), {"residual": RATIONAL(0, 3)}),
        (sp.exp(-sp.sqrt(k)) / k, k * sp.exp(-2 * sp.sqrt(k)), {}),
        pytest.param(sp.exp(-(k**c)), k**-a, {"box": RANGES}, marks=pytest.mark.slow),
        pytest.param(k**-2 * sp.log(k) ** c, k**-a, {"box": RANGES}, marks=pytest.mark.slow),
    ],
)
def test_every_step_is_checked(spectrum, signal, more):
    derivation = derive_spectrum(SpectrumLimited(spectrum, signal, **more)).derivation
    assert [found.detail for found in derivation.check() if not found.passed] == []


def test_reasons_name_the_power_of_this_spectrum():
    derivation = derive_spectrum(
        SpectrumLimited(k**-c * sp.log(k) ** 2, k**-3, box=RANGES)
    ).derivation
    told = [entry.reason for entry in derivation.steps]
    assert "log t = U*c up to the logarithm of U" in told
    assert "so that log K = log(t)/c" in told


def test_a_corrupted_power_of_the_logarithm_is_refused():
    derivation = derive_spectrum(SpectrumLimited(k**-2 * sp.log(k) ** 2, k**-3)).derivation
    steps = list(derivation.steps)
    for number, entry in enumerate(steps):
        if entry.relation.kind != "asymptotic" or str(entry.quantity) != "L":
            continue
        wrong = list(steps)
        wrong[number] = type(entry)(
            sp.Eq(
                entry.quantity, entry.value * sp.log(sp.Symbol("K", positive=True)), evaluate=False
            ),
            entry.relation,
            entry.reason,
        )
        assert type(derivation)(tuple(wrong)).refused() is not None


# -- against sums and integrals at huge times ---------------------------------------------------------------------------


def test_an_exponential_spectrum_against_the_sum():
    with mpmath.workdps(30):
        regime, found = _regime(sp.exp(-k), k**-3), []
        for log_t in (mpmath.mpf(700), mpmath.mpf(7000)):
            t, last = mpmath.exp(log_t), int(log_t) + 100
            first = int(log_t) - 20  # modes before are learned: exp(-exp(20))
            total = mpmath.fsum(
                mpmath.mpf(j) ** -3 * mpmath.exp(-2 * t * mpmath.exp(-j))
                for j in range(first, last)
            ) + mpmath.zeta(3, last)
            found.append(mpmath.log(total) - _leading(regime, log_t))
        # log K = log(2 t) + Euler's constant: the correction is -2 (log 2 + 0.5772)/log t
        assert float(found[0] * 700) == pytest.approx(-2 * (0.6931 + 0.5772), rel=0.01)
        assert float(found[1] * 7000) == pytest.approx(-2 * (0.6931 + 0.5772), rel=0.001)


def test_logarithms_in_a_power_law_spectrum_against_the_integral():
    with mpmath.workdps(30):
        regime, found = _regime(k**-2 * sp.log(k) ** 2, k**-3), []
        for log_t in (mpmath.mpf(10) ** 4, mpmath.mpf(10) ** 6):
            # v = log k near log K, where 2 t lambda = 1; L = exp(-2 v) integrated, by log 2 t lambda
            def rate(v, log_t=log_t):
                return log_t + mpmath.log(2) - 2 * v + 2 * mpmath.log(v)

            middle = mpmath.findroot(rate, log_t / 2 + mpmath.log(log_t))
            total = mpmath.quad(
                lambda x, m=middle, r=rate: mpmath.exp(-2 * x - mpmath.exp(r(m + x))),
                mpmath.linspace(-6, 30, 37),
            )
            found.append(abs(mpmath.log(total) - 2 * middle - _leading(regime, log_t)))
        assert found[0] < 0.01
        assert found[1] < 2e-4


def test_two_exponentials_against_the_sum():
    with mpmath.workdps(20):
        regime, found = _regime(sp.exp(-sp.sqrt(k)), sp.exp(-2 * sp.sqrt(k))), []
        for log_t in (50, 100):
            t = mpmath.exp(log_t)
            total = mpmath.fsum(
                mpmath.exp(-2 * mpmath.sqrt(j) - 2 * t * mpmath.exp(-mpmath.sqrt(j)))
                for j in range((log_t - 5) ** 2, (log_t + 25) ** 2)
            )
            found.append(mpmath.log(total) - _leading(regime, mpmath.mpf(log_t)))
        # sqrt(K) = log(2 t) - digamma(2): the correction is (log 2 - 0.4228)/log t
        for log_t, off in zip((50, 100), found, strict=True):
            assert float(off * log_t) == pytest.approx(0.6931 - 0.4228, rel=0.03)


# -- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spectrum", "signal", "complaint"),
    [
        (k**-2, sp.exp(-k), "faster than any power while the spectrum is a power"),
        (sp.exp(-k), sp.exp(-k), "oscillates"),
        (sp.exp(-(k**2)), sp.exp(-(k**2)), "oscillates"),
        (sp.exp(-sp.sqrt(k)), sp.exp(-k), "another stretch"),
        (sp.exp(-k), sp.log(k) / k**2, "outside this calculus"),
        (sp.exp(-k), 1 / k, "finite sum"),
        (k**2, k**-2, "must fall with k"),
        (sp.exp(k), k**-2, "product of powers of k"),
        (sp.log(1 + k), k**-2, "product of powers of k"),
        (1 / k + 1, k**-2, "product of powers of k"),
        (k ** -sp.Symbol("p"), k**-2, "positive"),
        (k ** -sp.Symbol("p", positive=True), k**-2, "no range for p"),
        ("k**-2", k**-2, "must be a finite real number or SymPy expression"),
        (k**-2, None, "must be a finite real number or SymPy expression"),
    ],
)
def test_spectra_outside_the_calculus_are_refused(spectrum, signal, complaint):
    with pytest.raises(DomainError, match=complaint):
        derive_spectrum(SpectrumLimited(spectrum, signal))


WRONG = [
    sp.exp(-k),
    k * sp.log(k) ** 2,
    sp.log(1 + k),
    "2",
    None,
    sp.nan,
    sp.oo,
    sp.I,
    True,
    [2],
    EXP,
]


@pytest.mark.parametrize(
    "model", [TimeLimited, TransientLimited, RidgeLimited, FeedbackLimited, WarpLimited]
)
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_exponents_are_exponents(model, wrong):
    for name in ("spectrum_exponent", "signal_exponent"):
        with pytest.raises(DomainError, match=name):
            model(**{name: wrong, "box": {}})
    shape = "learned" if model is WarpLimited else "residual"
    with pytest.raises(DomainError, match=shape):
        model(**{shape: sp.log(1 + k)})
    with pytest.raises(TypeError, match="spectrum"):
        model(spectrum=2)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_the_calculus_refuses_what_is_no_number_and_no_shape(wrong):
    with pytest.raises(DomainError):
        ModeLimited(N, RATIONAL(2, 2), spectrum_exponent=wrong)
    for name in ("residual", "occupation", "variance"):
        if wrong is not EXP and not (name == "variance" and wrong is None):
            with pytest.raises(DomainError, match=name):
                ModeLimited(**{"resource": N, "residual": RATIONAL(2, 2), name: wrong})
    if wrong is not EXP:
        with pytest.raises(DomainError, match="symbol"):
            power_sum(2, wrong)
    if not isinstance(wrong, sp.Expr) or wrong in (sp.nan, sp.oo, sp.I):
        for call in (
            lambda: power_sum(wrong, STEP),
            lambda: RATIONAL(wrong, 2),
            lambda: RATIONAL(1, wrong),
            lambda: EXP.compose(wrong),
            lambda: EXP.times_power(wrong),
            lambda: EXP.scale(wrong),
            lambda: slope_only_sum(wrong, at_zero=1),
            lambda: slope_only_sum(2, at_zero=[] if wrong is None else wrong),
            lambda: slope_only_sum(2, at_infinity="" if wrong is None else wrong),
            lambda: slope_only_sum(2, at_infinity=0, cutoff="" if wrong is None else wrong),
            lambda: inverse_laplace_power(1, wrong, a),
            lambda: inverse_laplace_power(wrong, 1, a),
            lambda: fixed_point(wrong, a),
            lambda: allocate(wrong, a),
        ):
            with pytest.raises(DomainError):
                call()
