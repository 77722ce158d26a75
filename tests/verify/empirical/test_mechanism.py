"""Variance- against resolution-limited: error rates of the verdict, coverage, and curves that decide nothing."""

import numpy as np
import pytest
from scipy import stats

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.verify.empirical import limiting_mechanism

X = np.geomspace(10, 3000, 9)


def curve(g, limit=0.1):
    return limit + 2 * (X / 10) ** -g


def noisy(losses, noise, how, rng):
    """Return arguments: a curve with errors that are known, read off the scatter, or measured by replicates."""
    size = losses.size
    if how == "known":
        return (losses * rng.normal(1, noise, size),), {"standard_errors": noise * losses}
    if how == "scatter":
        return (losses * rng.normal(1, noise, size),), {}
    shared = 2.0 * rng.standard_normal((8, 1)) if how == "correlated" else 0.0
    rows = rng.standard_normal((8, size)) + shared
    return (losses * (1 + noise * np.sqrt(8) * rows),), {}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["known", "scatter", "replicates", "correlated"])
@pytest.mark.parametrize("noise", [1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("g", [1.0, 0.7, 0.3])
def test_few_verdicts_are_wrong_and_intervals_hold_the_truth(how, noise, g):
    if how == "correlated" and noise == 0.1:
        return  # such rows leave the positive numbers
    rng, runs = np.random.default_rng(0), 200
    right, wrong = "variance-limited", "resolution-limited"
    if g < 1:
        right, wrong = wrong, right
    verdicts, held = [], 0
    for _ in range(runs):
        given, errors = noisy(curve(g), noise, how, rng)
        if np.any(given[0] <= 0):
            given = (np.maximum(given[0], 1e-3),)
        found = limiting_mechanism(X, *given, **errors)
        verdicts.append(found.verdict)
        held += found.interval is not None and found.interval[0] <= g <= found.interval[1]
    assert verdicts.count(wrong) <= stats.binom.ppf(0.9999, runs, 0.05)
    assert held / runs > 0.95 - 4 * np.sqrt(0.05 * 0.95 / runs)
    if noise <= 1e-2:
        assert verdicts.count(right) > 0.85 * runs


def test_both_kinds_from_theory():
    spectrum = PowerLawSpectrum(1.5, 0.4)
    sizes = np.geomspace(200, 20_000, 8)
    rng = np.random.default_rng(0)
    # 1/(N - 50) is steeper than 1/N, which precise losses show: then the correction to 1/N decides
    plenty = linear.ridge(spectrum, samples=50, features=sizes).test_loss
    for noise in (1e-3, 1e-4, 1e-6):
        found = limiting_mechanism(sizes, plenty * rng.normal(1, noise, 8))
        assert found.verdict == "variance-limited"
        assert found.interval[0] > 1
        assert "correction fits better" in found.reason
    scarce = linear.ridge(spectrum, samples=sizes).test_loss
    found = limiting_mechanism(sizes, scarce * rng.normal(1, 1e-3, 8))
    assert found.verdict == "resolution-limited"
    assert found.exponent == pytest.approx(0.6, abs=0.05)


def test_without_noise_the_fit_is_exact():
    found = limiting_mechanism(X, curve(0.4))
    assert found.verdict == "resolution-limited"
    assert found.exponent == pytest.approx(0.4, rel=1e-6)
    assert found.limit == pytest.approx(0.1, rel=1e-5)
    assert found.amplitude == pytest.approx(2 * 10**0.4, rel=1e-5)
    assert found.window == (10, 3000)
    assert found.p_value < 1e-10
    scaled = limiting_mechanism(1e9 * X, 1e12 * curve(0.4))
    assert scaled.exponent == pytest.approx(0.4, rel=1e-6)
    assert scaled.limit == pytest.approx(1e11, rel=1e-5)


def test_what_decides_nothing_is_undecided():
    rng = np.random.default_rng(1)
    few = limiting_mechanism(X[:4], curve(1.0)[:4])
    assert (few.verdict, few.exponent) == ("undecided", None)
    assert "too few" in few.reason
    short = np.linspace(10, 14, 9)
    found = limiting_mechanism(short, (0.1 + 20 / short) * rng.normal(1, 0.01, 9))
    assert found.verdict == "undecided"
    assert "too short a range" in found.reason
    assert found.interval[0] < 1 < found.interval[1]
    rising = limiting_mechanism(X, 1 + X / 1e4)
    assert (rising.verdict, rising.reason) == ("undecided", "the loss does not fall")
    steep = limiting_mechanism(X, curve(2.0) * rng.normal(1, 1e-3, 9))
    assert steep.verdict == "undecided"
    assert "above 1" in steep.reason
    # two powers, and errors that are known to be small: no single one fits
    broken = 0.01 + (X / 10) ** -0.2 / (1 + (X / 200) ** 2)
    found = limiting_mechanism(X, broken, standard_errors=1e-4 * broken)
    assert found.verdict == "undecided"
    assert "fits within the errors" in found.reason
    rows = broken * rng.normal(1, 1e-4, (6, 9))
    assert limiting_mechanism(X, rows).reason == found.reason


@pytest.mark.parametrize(
    ("second", "verdict", "words"),
    [(-60, "variance-limited", "fits better"), (-110, "undecided", "fits as well")],
)
def test_the_next_correction_is_no_resolution(second, verdict, words):
    # smooth in 1/x, but with an apparent exponent below 1
    losses = 0.1 + 20 / X + second / X**2
    found = limiting_mechanism(X, losses * np.random.default_rng(0).normal(1, 3e-3, 9))
    assert found.interval[1] < 1
    assert found.verdict == verdict
    assert words in found.reason


def test_replicates_and_errors_agree():
    rng = np.random.default_rng(0)
    rows = curve(0.5) * rng.normal(1, 0.01, (400, 9))
    many = limiting_mechanism(X, rows)
    errors = rows.std(axis=0, ddof=1) / 20
    known = limiting_mechanism(X, rows.mean(axis=0), standard_errors=errors)
    assert many.exponent == pytest.approx(known.exponent, abs=0.01)
    np.testing.assert_allclose(many.interval, known.interval, atol=0.01)


def test_refusals():
    good = curve(1.0)
    with pytest.raises(DomainError, match="sizes"):
        limiting_mechanism(X[::-1], good)
    with pytest.raises(DomainError, match=r"losses\[0\] = 0.0"):
        limiting_mechanism(X, np.append(0.0, good[1:]))
    with pytest.raises(DomainError, match="one per size"):
        limiting_mechanism(X, good[1:])
    with pytest.raises(DomainError, match="three replicates"):
        limiting_mechanism(X, np.array([good, good]))
    with pytest.raises(DomainError, match="left out"):
        limiting_mechanism(X, np.array([good] * 3), standard_errors=good / 10)
    with pytest.raises(DomainError, match="standard_errors"):
        limiting_mechanism(X, good, standard_errors=good[1:] / 10)
    with pytest.raises(DomainError, match=r"standard_errors\[0\]"):
        limiting_mechanism(X, good, standard_errors=10 * good)
    with pytest.raises(DomainError, match="other units"):
        limiting_mechanism(X * 1e40, good)
