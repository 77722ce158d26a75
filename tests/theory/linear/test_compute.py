"""The compute-optimal phases, their boundaries, the transient and the best ridge: formulas, limits, and independent numbers."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.theory.asymptotics import RATIONAL
from scalinglaws.theory.linear import (
    ALPHA,
    BETA,
    C,
    Case,
    ComputeLimited,
    N,
    RidgeLimited,
    T,
    TransientLimited,
    derive_compute,
    derive_ridge,
    derive_transient,
)
from scalinglaws.theory.optimum import CostLimited


def _table(a, b):
    """Return phase, model exponent and loss exponent, as tabulated."""
    corner = 2 - np.sqrt(2)
    if b > 1:
        if a < b + 1:
            return "Ia", 1 / (1 + b), (a - 1) / (1 + b)
        return ("II", (a - b) / a, (a - 1) / a) if a < 2 * b else ("III", 1 / 2, 1 - 1 / (2 * b))
    if a < b + 1:
        return "Ib", 1 / 2, (a - 1) / 2
    if b < 1 / 2:
        scale = 2 * a - a * b + b**2 + b - 2
        return "Ic", (a - 1) / scale, b * (a - 1) / scale
    if b > corner:
        return "IVa", 1 / 2, b / 2
    scale = 2 * a - a * b + b**2 - 3 * b
    return "IVb", (a - 2 * b) / scale, (1 - b) * (a - 1) / scale


def test_seven_phases_against_the_table():
    laws = [
        theory.law(f"linear.{name}").in_notation("bordelon")
        for name in ("compute", "compute_model", "compute_time")
    ]
    source, seen = np.random.default_rng(4), set()
    for number in range(75):
        low, high = ((1.02, 3), (0.5, 0.98), (0.51, 0.58), (0.1, 0.49))[number % 4]
        a, b = round(source.uniform(1.05, 5), 4), round(source.uniform(low, high), 4)
        phase, model, loss = _table(a, b)
        assert laws[0].regime(a=a, b=b) == phase
        seen.add(phase)
        got = [law(a=a, b=b) for law in laws]
        assert got == pytest.approx([loss, model, 1 - model], abs=1e-12)
        assert laws[0].log_power(a=a, b=b) == 0
    assert seen == {"Ia", "Ib", "Ic", "II", "III", "IVa", "IVb"}


def test_the_published_picture_in_its_own_symbols():
    law = theory.law("linear.compute").in_notation("paquette")
    points = [(1, 0.25), (1, 0.75), (0.75, 1), (0.4, 0.3), (0.2, 0.8), (0.4, 0.8), (0.27, 0.8)]
    assert [law.regime(alpha_p=x, beta_p=y) for x, y in points] == [
        "Ia",
        "II",
        "III",
        "Ib",
        "Ic",
        "IVa",
        "IVb",
    ]


@settings(max_examples=25)
@given(st.integers(1, 36), st.integers(1, 36))
def test_exponents_are_continuous_and_positive(alpha, beta):
    alpha, beta = Fraction(alpha, 12), Fraction(beta, 12)
    law = theory.law("linear.compute")
    here = law(alpha=alpha, beta=beta)
    near = law(alpha=alpha + Fraction(1, 10**6), beta=beta + Fraction(1, 10**6))
    assert here > 0
    assert abs(float(near - here)) < 1e-5
    assert law.regime(alpha=alpha, beta=beta)


def test_boundaries_have_names_exponents_and_logarithms():
    lines = theory.law("linear.phase_boundaries")
    compute = theory.law("linear.compute")
    expected = {
        (2, 1): ("Ia | II", Fraction(2, 3), Fraction(2, 3)),
        (2, Fraction(3, 2)): ("II | III", Fraction(3, 4), 0),
        (1, Fraction(1, 2)): ("Ia | Ib", Fraction(1, 4), Fraction(1, 4)),
        (1, 2): ("III | IVa", Fraction(1, 2), 0),
        (1, 1): ("Ia | Ib | III | IVa", Fraction(1, 2), 1),
        (Fraction(3, 4), 1): ("Ib | IV", Fraction(3, 8), Fraction(5, 8)),
        (Fraction(1, 4), 1): ("Ib | Ic", Fraction(1, 8), Fraction(7, 8)),
    }
    for (alpha, beta), (name, exponent, power) in expected.items():
        for law in (lines, compute):
            assert law.regime(alpha=alpha, beta=beta) == name
            assert law(alpha=alpha, beta=beta) == exponent
            assert law.log_power(alpha=alpha, beta=beta) == power
    corner = 2 - sp.sqrt(2)
    assert lines.regime(alpha=corner, beta=2) == "IVa | IVb"
    assert sp.simplify(lines(alpha=corner, beta=2) - corner / 2) == 0
    with pytest.raises(DomainError, match="it is not known"):
        compute.log_power(alpha=Fraction(1, 2), beta=2)
    with pytest.raises(DomainError, match="holds for"):
        lines(alpha=2, beta=Fraction(5, 4))
    with pytest.raises(DomainError, match="exponent only"):
        compute.asymptote(1e6, alpha=2, beta=1.2)
    # the optimal size jumps where noise alone decides, so that nothing is claimed there
    with pytest.raises(DomainError, match="holds for"):
        theory.law("linear.compute_model")(alpha=corner, beta=2)


@pytest.mark.parametrize("alpha", [2.0, 0.75, 0.25])
def test_logarithms_on_boundaries_against_minimization(alpha):
    """At beta = 1 the sum with its logarithms, minimized numerically at budgets of 1e400 and 1e800 (in logarithms)."""
    law = theory.law("linear.compute")
    losses = []
    for ln_budget in (400 * np.log(10), 800 * np.log(10)):

        def total(ln_n, ln_budget=ln_budget):
            ln_t = ln_budget - (1 if alpha > 1 else 2 - alpha) * ln_n
            return np.logaddexp.reduce(_log_terms(alpha, ln_n, ln_t, np.log(ln_budget)))

        edges = np.linspace(0, ln_budget, 60)
        bounds = pairwise(edges)
        losses.append(
            min(
                minimize_scalar(total, bounds=pair, method="bounded", options={"xatol": 1e-9}).fun
                for pair in bounds
            )
        )
    # log L = -g log C + p log log C + constant
    measured = (
        losses[1] - losses[0] + float(law(alpha=alpha, beta=1)) * np.log(10) * 400
    ) / np.log(2)
    assert measured == pytest.approx(float(law.log_power(alpha=alpha, beta=1)), abs=0.02)


def _log_terms(alpha, ln_n, ln_t, ln_log):
    if alpha > 1:
        return [
            -ln_t,
            ln_log - alpha * ln_n,
            ln_log - ln_n - (1 - 1 / alpha) * ln_t,
            -(2 - 1 / alpha) * ln_t,
        ]
    parts = [-ln_t, ln_log - alpha * ln_n]
    return [*parts, (alpha - 1) * ln_n - (2 - 1 / alpha) * ln_t] if alpha > 0.5 else parts


@pytest.mark.parametrize(
    ("alpha", "beta"),
    [(1.4, 0.5), (1.4, 1.143), (1.4, 2.143), (0.8, 0.375), (0.8, 1.75), (0.54, 2.222), (0.4, 2.5)],
)
def test_slopes_of_the_minimized_sum(alpha, beta):
    """One point per phase: slope of the numerically minimized sum of bottlenecks between two budgets."""
    law = theory.law("linear.compute")

    def lowest(ln_budget):
        def total(ln_n):
            ln_t = ln_budget - (1 if alpha > 1 else 2 - alpha) * ln_n
            parts = [-beta * ln_t, -alpha * beta * ln_n, -alpha * ln_n]
            if alpha > 1:
                parts += [-ln_n - (min(1, beta) - 1 / alpha) * ln_t, -(2 - 1 / alpha) * ln_t]
            elif alpha > 0.5:
                parts.append((alpha - 1) * ln_n - (2 - 1 / alpha) * ln_t)
            return np.logaddexp.reduce(parts)

        edges = np.linspace(0, ln_budget, 60)
        return min(
            minimize_scalar(total, bounds=pair, method="bounded", options={"xatol": 1e-9}).fun
            for pair in pairwise(edges)
        )

    slope = -(lowest(1100 * np.log(10)) - lowest(1000 * np.log(10))) / (100 * np.log(10))
    assert slope == pytest.approx(float(law(alpha=alpha, beta=beta)), abs=2e-3)


# -- other cost models ----------------------------------------------------------------------------------------------------


def test_population_flow_has_no_third_phase():
    terms = {
        "time": T**-BETA,
        "model": N ** (-ALPHA * BETA) + N**-ALPHA,
        "transient": T ** (1 / ALPHA - 1) / N + T ** (1 / ALPHA - BETA) / N,
    }
    box = {ALPHA: (1, 4), BETA: (Fraction(1, 5), 4)}
    flow = CostLimited(terms, (N, T), C, (N * T, C), box=box, constants=False)
    found = derive_compute(ComputeLimited((Case(ALPHA > 1, flow),)))
    assert {entry.name for entry in found.regimes} == {"time = model", "time = transient"}
    assert found.derivation.refused() is None
    easy = next(entry for entry in found.regimes if entry.name == "time = transient")
    assert sp.cancel(easy.exponent - ALPHA * BETA / (ALPHA * BETA + 1)) == 0


def test_a_quadratic_cost():
    terms = {"time": T**-BETA, "model": N ** (-ALPHA * BETA)}
    box = {ALPHA: (1, 4), BETA: (Fraction(1, 5), Fraction(9, 10))}
    found = derive_compute(
        ComputeLimited((Case(ALPHA > 1, CostLimited(terms, (N, T), C, (N**2 * T, C), box=box)),))
    )
    assert sp.cancel(found.regimes[0].exponent - ALPHA * BETA / (ALPHA + 2)) == 0
    assert found.derivation.refused() is None


# -- transient ------------------------------------------------------------------------------------------------------------


def _excess(a, b, features, times):
    """Invert N (L(t, N) - L(t, inf)) of the population flow from the exact self-consistent equation, on a cotangent contour."""
    modes = PowerLawSpectrum.from_ab(a, b).modes()
    lam, count, signal = modes.eigenvalues, modes.multiplicities, modes.signal
    n = 24
    theta = (2 * np.arange(n // 2, n) + 1) * np.pi / n - np.pi
    z = n * (0.5017 * theta / np.tan(0.6407 * theta) - 0.6122 + 0.2645j * theta)
    slope = n * (
        0.5017 / np.tan(0.6407 * theta)
        - 0.5017 * 0.6407 * theta / np.sin(0.6407 * theta) ** 2
        + 0.2645j
    )
    out = []
    for time in times:
        total = 0.0
        for zj, dz in zip(z, slope, strict=True):
            s = zj / (2 * time)
            kappa = s
            for _ in range(60):
                kappa = s / (1 - np.sum(count * lam / (lam + kappa)) / features)
            df1 = np.sum(count * lam / (lam + kappa))
            difference = np.sum(
                signal * lam * (kappa * df1 / features) / (s * (lam + kappa) * (lam + s))
            )
            total += 2 * np.real(np.exp(zj) * dz / (1j * n * 2 * time) * difference)
        out.append(features * total)
    return np.array(out)


@pytest.mark.parametrize(("a", "b"), [(4.5, 1.6), (1.75, 1.5), (2.0, 2.0)])
def test_transient_against_the_self_consistent_equation(a, b):
    law = theory.law("linear.transient").in_notation("bordelon")
    times = np.array([1e5, 1e6])
    exact = _excess(a, b, 1e12, times)
    slope = -np.diff(np.log(exact))[0] / np.log(10)
    assert slope == pytest.approx(float(law(a=a, b=b)), abs=2e-3)
    assert exact[1] / law.asymptote(times[1], a=a, b=b) == pytest.approx(1, rel=5e-3)


def test_transient_law_and_what_is_printed():
    law = theory.law("linear.transient")
    for alpha, beta in [(2, Fraction(1, 3)), (Fraction(3, 2), 1), (3, 4)]:
        assert law(alpha=alpha, beta=beta) == min(Fraction(1), Fraction(beta)) - 1 / Fraction(alpha)
    a, b = sp.symbols("a b", positive=True)
    easy = next(entry for entry in law.in_notation("bordelon").regimes if entry.name == "saturated")
    printed = sp.zeta(a - b) * sp.gamma(1 - 1 / b) / b * 2 ** (-(1 - 1 / b))
    assert sp.simplify(sp.gammasimp(sp.powsimp(sp.expand(easy.constant / printed)))) == 1
    assert law(alpha=2, beta=3) == law.published_value(alpha=2, beta=3) == Fraction(1, 2)
    assert law(alpha=2, beta=Fraction(1, 4)) == Fraction(-1, 4)  # the excess grows
    assert law.log_power(alpha=2, beta=1) == 1


def test_a_transient_that_is_not_shipped():
    found = derive_transient(
        TransientLimited(spectrum_exponent=sp.Rational(5, 4), signal_exponent=sp.Rational(7, 2))
    )
    exact = _excess(3.5, 1.25, 1e12, [1e6, 1e7])
    assert -np.diff(np.log(exact))[0] / np.log(10) == pytest.approx(float(found.expr), abs=2e-3)
    assert found.derivation.refused() is None


def test_sgd_noise_against_its_sum():
    law = theory.law("linear.sgd_noise")
    spectrum = PowerLawSpectrum(1.6, 1.0).modes()
    for t in (1e6, 1e8):
        exact = float(
            np.sum(
                spectrum.multiplicities
                * spectrum.eigenvalues**2
                * np.exp(-2 * spectrum.eigenvalues * t)
            )
        )
        assert exact == pytest.approx(law.asymptote(t, alpha=1.6), rel=1e-9, abs=0)
    with pytest.raises(DomainError, match="alpha > 1/2"):
        law(alpha=0.4)


# -- best ridge -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alpha", "beta", "samples", "tolerance"),
    [(1.5, 2 / 3, 1e12, 1e-6), (2.5, 0.5, 1e12, 3e-6), (1.5, 10 / 3, 1e16, 1e-4)],
)
def test_best_ridge_against_the_solver(alpha, beta, samples, tolerance):
    law, spectrum = theory.law("linear.optimal_ridge"), PowerLawSpectrum(alpha, beta)

    def loss(exponent):
        return linear.ridge(
            spectrum, samples=samples, ridge=10**exponent, noise_variance=1.0
        ).test_loss

    best = min(
        minimize_scalar(loss, bounds=(low, low + 4), method="bounded", options={"xatol": 1e-6}).fun
        for low in range(-20, 0, 4)
    )
    assert best / law.asymptote(samples, alpha=alpha, beta=beta) == pytest.approx(1, rel=tolerance)
    m = alpha * min(beta, 2)
    assert law(alpha=alpha, beta=beta) == pytest.approx(m / (m + 1))
    with pytest.warns(AccuracyWarning, match="close to the boundary"):
        law.asymptote(1e4, alpha=alpha, beta=1.99)


def test_a_ridge_that_is_not_shipped():
    # iterated twice, the bias saturates at four times the capacity
    found = derive_ridge(RidgeLimited(residual=RATIONAL(4, 4)))
    assert found.expr.subs({ALPHA: 2, BETA: 3}) == sp.Rational(6, 7)
    assert found.expr.subs({ALPHA: 2, BETA: 5}) == sp.Rational(8, 9)
    assert found.derivation.refused() is None
    law = theory.law("linear.optimal_ridge")
    assert law.log_power(alpha=2, beta=2) == Fraction(1, 5)
    with pytest.raises(DomainError, match="alpha > 1"):
        law(alpha=Fraction(3, 4), beta=1)


def test_rounded_floats_on_boundaries_are_treated_alike():
    corner = 2 - 2**0.5
    assert theory.law("linear.compute").regime(alpha=corner, beta=2.0) == "IVa | IVb"
    assert theory.law("linear.phase_boundaries")(alpha=corner, beta=2.0) == pytest.approx(
        corner / 2
    )
    with pytest.raises(DomainError, match="holds for"):
        theory.law("linear.compute_model")(alpha=corner, beta=2.0)
    assert theory.law("linear.phase_boundaries")(alpha=3.0, beta=2 - 1 / 3) == pytest.approx(5 / 6)
