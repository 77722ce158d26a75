"""When to stop: the law of the best time, its ratio to the best ridge, and both against the solvers."""

import math

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.theory.linear import (
    SAMPLES,
    RidgeLimited,
    StoppingLimited,
    derive_early_stopping,
    derive_ridge,
)

HALVES = sp.Rational(3, 2)


def task(a, b):
    return {"alpha": sp.nsimplify(b), "beta": (sp.nsimplify(a) - 1) / sp.nsimplify(b)}


def stopped(spectrum, samples, *, decay=0.0):
    """Return the least test loss over time, with its time."""

    def loss(x):
        return math.log(
            linear.gradient_flow(
                10**x, spectrum, samples=samples, noise_variance=1.0, weight_decay=decay
            ).test_loss
        )

    guess = math.log10(samples) * 0.7
    best = minimize_scalar(loss, bracket=(guess - 1, guess), options={"xtol": 1e-5})
    return math.exp(best.fun), 10**best.x


def shrunk(spectrum, samples):
    """Return the least test loss over ridges."""

    def loss(x):
        return math.log(
            linear.ridge(spectrum, samples=samples, ridge=10**x, noise_variance=1.0).test_loss
        )

    guess = -0.7 * math.log10(samples)
    return math.exp(minimize_scalar(loss, bracket=(guess - 1, guess), options={"xtol": 1e-5}).fun)


@pytest.mark.parametrize("point", [(2, 1.5), (2.5, 1.25), (4.5, 1.5), (6, 1.5), (4, 1.5)])
def test_numbers_derive_what_letters_do(point):
    a, b = (sp.nsimplify(x) for x in point)
    found = derive_early_stopping(StoppingLimited(spectrum_exponent=b, signal_exponent=a))
    assert found.expr == (a - 1) / a
    saturated = (a - 1) / b >= 2
    assert found.forms["ridge_exponent"].expr == (2 * b / (2 * b + 1) if saturated else found.expr)
    assert ("ratio" in found.forms) == (not saturated)
    assert found.derivation.refused() is None


def test_closed_form_of_the_ratio_is_that_of_the_constants():
    for a, b in ((2, 1.5), (1.5, 1.5), (3.9, 1.5), (3, 2.5)):
        model = {"spectrum_exponent": sp.nsimplify(b), "signal_exponent": sp.nsimplify(a)}
        found = derive_early_stopping(StoppingLimited(**model))
        ridge = derive_ridge(RidgeLimited(**model))
        ratio = found.regimes[0].constant / ridge.regimes[0].constant
        assert float(ratio) == pytest.approx(float(found.forms["ratio"].expr), rel=1e-12)


def test_ratios_as_tabulated():
    law = theory.law("linear.early_stopping")
    ratio = law.forms["ratio"].expr
    alpha, beta = (next(s for s in ratio.free_symbols if str(s) == n) for n in ("alpha", "beta"))

    def at(a, b):
        return float(ratio.subs({alpha: b, beta: (sp.nsimplify(a) - 1) / sp.nsimplify(b)}))

    # with a = b ridge is the best there is
    for a, expected in ((1.5, 1.0196), (1.75, 1.0063), (2, 0.9835), (2.5, 0.9159), (3.25, 0.7577)):
        assert at(a, 1.5) == pytest.approx(expected, abs=6e-5)
    assert at(3.925, 1.5) == pytest.approx(0.4208, abs=6e-5)
    assert at(2.5, 1.25) == pytest.approx(0.822002, abs=6e-7)
    for b, even in ((1.2, 0.361), (1.5, 0.553), (2, 0.742), (3, 0.928), (5, 1.075)):
        assert at(1 + b * (even - 0.002), b) > 1 > at(1 + b * (even + 0.002), b)


@pytest.mark.parametrize(
    ("a", "b", "own", "other", "tolerance"),
    [(2, 1.5, 0.5, 0.5, 1e-3), (2.5, 1.25, 0.6, 0.6, 1e-3), (6, 1.5, 5 / 6, 0.75, 5e-3)],
)
def test_exponents_and_ratios_against_the_solvers(a, b, own, other, tolerance):
    law, spectrum = theory.law("linear.early_stopping"), PowerLawSpectrum.from_ab(a, b)
    samples = np.array([1e8, 1e9])
    stops, times = np.array([stopped(spectrum, p) for p in samples]).T
    ridges = np.array([shrunk(spectrum, p) for p in samples])
    assert -np.diff(np.log10(stops))[0] == pytest.approx(own, abs=tolerance)
    assert -np.diff(np.log10(ridges))[0] == pytest.approx(other, abs=tolerance)
    values = task(a, b)
    assert float(law(**values)) == pytest.approx(own)
    if a < 2 * b + 1:
        ratio = law.forms["ratio"].expr
        ratio = ratio.subs({s: values[str(s)] for s in ratio.free_symbols})
        assert stops[1] / ridges[1] == pytest.approx(float(ratio), rel=1e-3)
        assert stops[1] == pytest.approx(law.asymptote(1e9, **values), rel=1e-4)
        time = law.forms["time"].expr
        time = time.subs({s: values.get(str(s), 10**9) for s in time.free_symbols})
        assert times[1] == pytest.approx(float(time), rel=2e-2)
    else:
        assert stops[1] / ridges[1] < 0.2


def test_losses_as_tabulated():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    assert stopped(spectrum, 1e9)[0] == pytest.approx(5.014423e-5, rel=1e-6)
    assert shrunk(spectrum, 1e9) == pytest.approx(5.098513e-5, rel=1e-6)
    law = theory.law("linear.early_stopping")
    assert law.asymptote(1e9, **task(2, 1.5)) == pytest.approx(5.014351e-5, rel=1e-6)


def test_both_together_gain_little_or_lose():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5)
    for decay, loss in ((0, 1.58640e-3), (1e-5, 1.57694e-3), (3e-5, 1.59593e-3)):
        assert stopped(spectrum, 1e6, decay=decay)[0] == pytest.approx(loss, rel=1e-5)
    # beyond the saturation of ridge a decay of the inverse time costs the exponent
    spectrum, samples = PowerLawSpectrum.from_ab(6, 1.5), np.array([1e6, 1e8])
    losses = []
    for p in samples:
        losses.append(stopped(spectrum, p, decay=0.3 / stopped(spectrum, p)[1])[0])
    assert -np.diff(np.log10(losses))[0] / 2 == pytest.approx(0.51, abs=0.02)


def test_refusals():
    with pytest.raises(DomainError, match="alpha > 1"):
        theory.law("linear.early_stopping")(alpha=0.5, beta=1)
    with pytest.raises(DomainError, match="model"):
        derive_early_stopping(RidgeLimited())
    with pytest.raises(DomainError, match="signal_exponent"):
        StoppingLimited(signal_exponent="a")
    assert SAMPLES in theory.law("linear.early_stopping").forms["time"].expr.free_symbols
