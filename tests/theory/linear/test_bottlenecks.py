"""The laws of the linear model: what they say, and that the same calculus answers for other models."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.theory.asymptotics import EXP, RATIONAL
from scalinglaws.theory.linear import (
    ALPHA,
    BETA,
    ModeLimited,
    N,
    P,
    TimeLimited,
    derive_mode,
    derive_time,
)


def _zero(expr):
    return sp.gammasimp(expr) == 0


def test_time_law():
    law = theory.law("linear.time")
    assert law.expr == BETA
    assert _zero(law.constant - sp.gamma(BETA) / ALPHA * 2 ** (-BETA))


def test_data_law_in_both_notations():
    law = theory.law("linear.data")
    assert law.expr == sp.Min(ALPHA * BETA, 2 * ALPHA)
    a, b = sp.symbols("a b", positive=True)
    assert law.in_notation("bordelon").expr == sp.Min(a - 1, 2 * b)
    per_mode = ALPHA * sp.sin(sp.pi / ALPHA) / sp.pi
    tail, first, boundary = law.regimes
    assert _zero(tail.constant - sp.gamma(BETA) * sp.gamma(2 - BETA) * per_mode ** (-ALPHA * BETA))
    assert _zero(
        first.constant - ALPHA * sp.zeta(ALPHA * BETA + 1 - 2 * ALPHA) * per_mode ** (-2 * ALPHA)
    )
    assert boundary.log_power == 1
    assert law.published is None


def test_model_law_and_the_formula_in_print():
    law = theory.law("linear.model")
    assert law.expr == sp.Min(ALPHA * BETA, ALPHA)
    assert law.published_expr == sp.Min(ALPHA * BETA, 2 * ALPHA)
    assert "projection" in law.published.reason
    # they agree for hard tasks, and only there
    assert (
        law(alpha=2, beta=Fraction(1, 2)) == law.published_value(alpha=2, beta=Fraction(1, 2)) == 1
    )
    assert (law(alpha=2, beta=3), law.published_value(alpha=2, beta=3)) == (2, 4)
    per_mode = ALPHA * sp.sin(sp.pi / ALPHA) / sp.pi
    tail, first, _ = law.regimes
    assert _zero(tail.constant - sp.pi / ALPHA / sp.sin(sp.pi * BETA) * per_mode ** (-ALPHA * BETA))
    assert _zero(first.constant - sp.zeta(ALPHA * BETA + 1 - ALPHA) * per_mode ** (-ALPHA))


def test_leading_constants_against_the_solver(reference):
    table = reference("linear")["constants"]
    for a, b, t, excess in table["time"]:
        modes = PowerLawSpectrum.from_ab(a, b).modes()
        exact = float(np.sum(modes.signal * np.exp(-2 * modes.eigenvalues * t)))
        assert exact / theory.law("linear.time").in_notation("bordelon").asymptote(
            t, a=a, b=b
        ) - 1 == pytest.approx(excess, abs=1e-12)
    for name, keyword in (("model", "features"), ("data", "samples")):
        law = theory.law(f"linear.{name}").in_notation("bordelon")
        for a, b, size, excess in table[name]:
            solved = linear.ridge(PowerLawSpectrum.from_ab(a, b), **{keyword: size}).test_loss
            assert solved / law.asymptote(size, a=a, b=b) - 1 == pytest.approx(
                excess, rel=0.06, abs=1e-12
            )


def test_logarithm_on_the_boundary_against_the_solver():
    for name, keyword, beta in (("data", "samples", 2), ("model", "features", 1)):
        law = theory.law(f"linear.{name}")
        sizes = np.array([1e6, 1e9])
        scaled = linear.ridge(
            PowerLawSpectrum(2, beta), **{keyword: sizes}
        ).test_loss * sizes ** float(law(alpha=2, beta=beta))
        coefficient = float(law.constant.subs({ALPHA: 2, BETA: beta}))
        assert np.diff(scaled)[0] / np.log(1e3) == pytest.approx(coefficient, rel=1e-5)


# -- models that are not shipped ----------------------------------------------------------------------------------------


def _direct_sum(spectrum, weight):
    modes = spectrum.modes()
    return float(
        np.sum(
            modes.multiplicities * weight(modes.eigenvalues, modes.signal / modes.multiplicities)
        )
    )


@pytest.mark.parametrize(
    ("a", "b"), [(Fraction(5, 3), Fraction(5, 4)), (Fraction(4), Fraction(9, 5))]
)
@pytest.mark.parametrize(
    ("residual", "shape"),
    [
        (EXP, lambda x: np.exp(-x)),
        (RATIONAL(0, 2), lambda x: (1 + x) ** -2),  # Tikhonov regularization of strength 1/t
        (RATIONAL(0, 1), lambda x: 1 / (1 + x)),
        (EXP.scale(3), lambda x: np.exp(-3 * x)),
    ],
)
def test_other_filters_in_time(a, b, residual, shape):
    found = derive_time(
        TimeLimited(
            spectrum_exponent=sp.Rational(b), signal_exponent=sp.Rational(a), residual=residual
        )
    )
    spectrum = PowerLawSpectrum.from_ab(float(a), float(b))
    times = np.array([1e7, 1e8])
    losses = np.array(
        [_direct_sum(spectrum, lambda lam, s, t=t: s * shape(2 * t * lam)) for t in times]
    )
    slope = -np.diff(np.log(losses))[0] / np.log(10)
    assert slope == pytest.approx(float(found.expr), abs=5e-3)
    regime = next(entry for entry in found.regimes if entry.condition == sp.true)
    assert losses[1] / (
        float(regime.constant) * times[1] ** -float(regime.exponent)
    ) == pytest.approx(1, rel=2e-2)
    assert found.derivation.refused() is None


@pytest.mark.parametrize(
    ("a", "b"), [(Fraction(5, 3), Fraction(5, 4)), (Fraction(6), Fraction(8, 5))]
)
@pytest.mark.parametrize(
    ("power", "shape"),
    [
        (1, lambda x: x / (1 + x)),
        (2, lambda x: (x / (1 + x)) ** 2),
        (4, lambda x: (x / (1 + x)) ** 4),
    ],
)
def test_other_residuals_of_a_limited_number_of_modes(a, b, power, shape):
    # iterating a ridge fit `power` times leaves (kappa/(lambda + kappa))^power: saturation at power * b
    found = derive_mode(
        ModeLimited(
            P,
            RATIONAL(power, power),
            spectrum_exponent=sp.Rational(b),
            signal_exponent=sp.Rational(a),
        )
    )
    assert found.expr == min(a - 1, power * b)
    spectrum = PowerLawSpectrum.from_ab(float(a), float(b))
    sizes = np.array([1e7, 1e8])
    kappa = linear.ridge(spectrum, samples=sizes).kappa
    losses = np.array(
        [_direct_sum(spectrum, lambda lam, s, c=c: s * shape(c / lam)) for c in kappa]
    )
    assert -np.diff(np.log(losses))[0] / np.log(10) == pytest.approx(float(found.expr), abs=5e-3)
    (regime,) = found.regimes
    assert losses[1] / (
        float(regime.constant) * sizes[1] ** -float(regime.exponent)
    ) == pytest.approx(1, rel=2e-2)


def test_symbolic_model_with_other_parameters():
    theta, dimension = sp.symbols("theta d", positive=True)
    white = 1 + theta / dimension
    found = derive_mode(
        ModeLimited(
            N,
            RATIONAL(2, 2),
            spectrum_exponent=white,
            signal_exponent=white,
            box={theta: (1, 3), dimension: (1, 4)},
        )
    )
    assert sp.simplify(found.expr - theta / dimension) == 0
    assert found.derivation.refused() is None


def test_a_model_on_the_boundary_has_a_logarithm():
    found = derive_mode(
        ModeLimited(
            N, RATIONAL(1, 1), spectrum_exponent=sp.Integer(2), signal_exponent=sp.Integer(3)
        )
    )
    (regime,) = found.regimes
    assert (regime.exponent, regime.log_power) == (2, 1)
    assert found.derivation.refused() is None


def test_mixtures_of_filters_have_checked_logarithms():
    mixture = EXP * sp.Rational(1, 2) + RATIONAL(0, 2) * sp.Rational(1, 2)
    found = derive_time(TimeLimited(residual=mixture))
    assert found.expr == sp.Min(BETA, 2)
    assert found.derivation.refused() is None


def test_a_residual_written_as_a_difference():
    found = derive_mode(ModeLimited(P, RATIONAL(1, 1) - RATIONAL(1, 2), variance=RATIONAL(0, 2)))
    assert found.expr == theory.law("linear.data").expr


def test_a_filter_with_a_parameter_of_its_own():
    n = sp.Symbol("n", positive=True)
    box = {ALPHA: (sp.Rational(6, 5), 3), BETA: (sp.Rational(1, 2), 4), n: (1, 3)}
    found = derive_time(TimeLimited(residual=RATIONAL(0, n), box=box))
    assert found.expr == sp.Min(BETA, n)
    assert found.derivation.refused() is None
    with pytest.raises(DomainError, match="no range for n"):
        _ = derive_time(TimeLimited(residual=RATIONAL(0, n))).derivation


def test_models_without_a_meaning_are_refused():
    with pytest.raises(DomainError, match="variance: its sum"):
        derive_mode(ModeLimited(P, RATIONAL(2, 2), variance=2 * RATIONAL(0, 1)))
    with pytest.raises(DomainError, match="must grow as K"):
        derive_mode(
            ModeLimited(
                P,
                RATIONAL(2, 2),
                occupation=RATIONAL(-sp.Rational(3, 4), 2),
                spectrum_exponent=sp.Rational(3, 2),
                signal_exponent=2,
            )
        )
    with pytest.raises(DomainError, match="no range for a, b"):
        _ = derive_time(TimeLimited(*sp.symbols("b a", positive=True))).derivation
