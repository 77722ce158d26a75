"""Numbers of samples that do not suffice, on average: known values, averages over data sets, limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.learnability import (
    Unlearnability,
    alignment_cost,
    effective_ridge,
    posterior_bound,
    samples_for_learnability,
    unlearnability,
)


@pytest.fixture(scope="module")
def known(reference):
    return reference("learnability")["unlearnability"]


def close(found, printed):
    """Tell whether numbers agree to the digits that are printed, given as floats of up to four digits."""
    return np.all(np.abs(found / np.array(printed) - 1) < 5e-3)


def test_digits(known, digits):
    values = digits.eigenvalues[known["modes"]]
    for table in known["bounds"]:
        found = unlearnability(digits.eigenvalues, mode_eigenvalue=values, ridge=table["ridge"])
        # digits behind the point, as printed
        places = {
            0.01: {"jensen": [3] * 4, "evidence": [3, 3, 3, 2], "hoelder": [3, 3, 3, 2]},
            1: {"jensen": [2, 2, 2, 1], "evidence": [2, 2, 1, 1], "hoelder": [1] * 4},
        }[table["ridge"]] | {"half": [3, 3, 2, 2] if table["ridge"] < 1 else [1] * 4}
        for name, digits_behind in places.items():
            rounded = [
                round(x, n) for x, n in zip(getattr(found, name), digits_behind, strict=True)
            ]
            assert rounded == table[name], name
    small = unlearnability(digits.eigenvalues, mode_eigenvalue=values, ridge=0.01)
    assert close(small.leading, known["leading"])
    assert close(small.half, known["half"])
    assert close(1 / values, known["inverse_eigenvalue"])
    half = samples_for_learnability(digits.eigenvalues, ridge=0.01, mode_eigenvalue=values)
    np.testing.assert_array_equal(small.half, half)
    assert np.all(small.jensen < small.evidence)
    assert np.all(small.evidence < small.hoelder)
    assert np.all(small.hoelder < small.half)


def mean_evidence(values, eigenvalue, samples, ridge, noise=0.0):
    """Write the mean of E out."""
    found = effective_ridge(values, samples=samples, ridge=ridge)
    kappa = found.kappa
    logs = np.sum(np.log1p(samples * np.array(values) / kappa))
    logs += samples * (math.log(kappa / ridge) - 1 + ridge / kappa)
    return 0.5 * (logs + samples / (kappa + samples * eigenvalue) + noise * samples / kappa)


@given(
    st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=6),
    st.floats(1e-3, 10.0),
    st.floats(0.1, 1.0),
    st.floats(0.0, 2.0),
    st.floats(-5.0, -0.1),
)
@settings(max_examples=60)
def test_bounds_meet_the_odds(values, ridge, alignment, noise, odds):
    found = unlearnability(
        values,
        mode_eigenvalue=values[0],
        ridge=ridge,
        alignment=alignment,
        noise_variance=noise,
        log_odds=odds,
    )
    cost = alignment_cost(values[0], alignment)
    assert found.cost == cost
    trace = sum(values)
    if cost <= -odds:
        assert found.jensen == found.evidence == found.hoelder == 0
        return
    assert -cost + found.jensen * (trace + 1 + noise) / (2 * ridge) == pytest.approx(odds, rel=1e-9)
    assert found.population == pytest.approx(2 * ridge * cost / (trace + 1 + noise), rel=1e-12)
    assert found.jensen <= found.evidence * (1 + 1e-9)
    assert found.evidence <= found.hoelder * (1 + 1e-9)
    if found.evidence < 1e12:
        value = mean_evidence(values, values[0], found.evidence, ridge, noise)
        assert -cost + value == pytest.approx(odds, abs=1e-8 * cost)
    if found.hoelder < 1e12 and math.isfinite(found.exponent):
        p, samples = found.exponent, found.hoelder
        first = mean_evidence(values, values[0], samples, ridge, noise)

        def bound(x):
            return (
                -(1 - x) * cost
                + first
                - x * mean_evidence(values, values[0], samples, ridge * x, noise)
            )

        assert bound(1 / p) == pytest.approx(odds, abs=1e-8 * cost)
        for other in (0.5 / p, 0.9 / p, min(1.0, 1.1 / p)):  # no exponent does better
            assert bound(other) >= odds - 1e-8 * cost
        for share in (
            0.01,
            0.5,
            0.99,
        ):  # fewer samples are bounded below the odds: this is the first crossing
            first = mean_evidence(values, values[0], share * samples, ridge, noise)
            rest = mean_evidence(values, values[0], share * samples, ridge / p, noise)
            assert -(1 - 1 / p) * cost + first - rest / p <= odds + 1e-8 * cost


def test_bounds_by_another_route():
    """A nested search over samples and exponents in plain NumPy, from far away."""
    values = np.arange(1, 51.0) ** -1.5
    own, ridge, cost = values[6], 0.2, alignment_cost(values[6], 0.7)

    def excess(log_samples):
        samples = math.exp(log_samples)
        first = mean_evidence(values, own, samples, ridge)

        def bound(x):
            return -(1 - x) * cost + first - x * mean_evidence(values, own, samples, ridge * x)

        least = minimize_scalar(bound, bounds=(1e-6, 1), method="bounded", options={"xatol": 1e-10})
        return least.fun - math.log(0.1)

    samples = math.exp(brentq(excess, math.log(0.01), math.log(1e4), xtol=1e-11))
    found = unlearnability(
        values, mode_eigenvalue=own, ridge=ridge, alignment=0.7, log_odds=math.log(0.1)
    )
    assert found.hoelder == pytest.approx(samples, rel=1e-8)


def test_averages_over_data_sets(digits):
    """Where the mean bounds reach even odds, those of 200 data sets average to them."""
    rng = np.random.default_rng(6)
    k, ridge = 5, 1.0
    value = digits.eigenvalues[k]
    found = unlearnability(digits.eigenvalues, mode_eigenvalue=value, ridge=ridge)
    for name, tolerance in (("jensen", 0.0), ("evidence", 0.03), ("hoelder", 0.03)):
        samples = round(getattr(found, name))
        bounds = []
        for _ in range(200):
            rows = rng.integers(len(digits.gram), size=samples)
            bound = posterior_bound(
                digits.gram[np.ix_(rows, rows)],
                digits.modes[rows, k],
                ridge=ridge,
                cost=found.cost,
                exponents=None if name != "hoelder" else found.exponent,
            )
            bounds.append(getattr(bound, name))
        mean, error = np.mean(bounds), np.std(bounds) / math.sqrt(200)
        # as many whole samples, at which the mean bound is not quite the odds
        if name == "jensen":
            expected = -found.cost + samples * (np.trace(digits.gram) / 1797 + 1) / (2 * ridge)
        else:
            expected = mean_evidence(digits.eigenvalues, value, samples, ridge)
            if name == "hoelder":
                p = found.exponent
                rest = mean_evidence(digits.eigenvalues, value, samples, ridge / p)
                expected += -(1 - 1 / p) * found.cost - rest / p
            else:
                expected -= found.cost
        assert mean == pytest.approx(expected, abs=4 * error + tolerance * found.cost), name


def test_more_noise_and_more_modes_teach_less():
    """More power in the labels weakens bounds at a given ridge: they are reached with fewer samples."""
    values = np.arange(1, 21.0) ** -2
    quiet, noisy = (
        unlearnability(values, mode_eigenvalue=0.04, ridge=0.1, noise_variance=v) for v in (0, 0.5)
    )
    for name in ("jensen", "evidence", "hoelder", "population", "leading"):
        assert getattr(noisy, name) < getattr(quiet, name)
    assert noisy.half == quiet.half


def test_infinite_power_laws_are_long_ones():
    infinite, long = PowerLawSpectrum(2.0, 1.0), PowerLawSpectrum(2.0, 1.0, 10**7)
    for ridge in (1e-3, 1.0):
        one, other = (
            unlearnability(s, mode_eigenvalue=1e-3, ridge=ridge) for s in (infinite, long)
        )
        for name in ("jensen", "evidence", "hoelder", "half"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-5)
    far = unlearnability(PowerLawSpectrum(1.5, 1.0), mode_eigenvalue=1e-27, ridge=1e-9)
    assert 0 < far.jensen < far.evidence < far.hoelder < far.half < 1e25


def test_all_modes_are_the_last_axis():
    values = [1.0, 0.5, 0.1]
    found = unlearnability(values, ridge=[[0.1], [1.0]], alignment=[0.3, 0.9])
    assert found.hoelder.shape == (2, 2, 3)
    alone = unlearnability(values, mode_eigenvalue=0.1, ridge=1.0, alignment=0.9)
    for name in ("cost", "jensen", "evidence", "hoelder", "exponent", "population", "half"):
        assert getattr(found, name)[1, 1, 2] == pytest.approx(getattr(alone, name), rel=1e-12)
    assert Unlearnability.from_json(found.to_json()) == found


def test_what_is_never_reached():
    """Twice the target, by a single mode: the posterior never has it, and the bounds know for exponentially many samples."""
    found = unlearnability([1e-3], ridge=0.1, alignment=2.0)
    assert found.evidence == math.inf
    assert found.hoelder == math.inf
    assert found.exponent == math.inf
    assert np.all(np.isfinite([found.jensen, found.half]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ridge": 0}, "ridge"),
        ({"ridge": math.inf}, "ridge"),
        ({"mode_eigenvalue": 0}, "mode_eigenvalue"),
        ({"alignment": -1}, "alignment"),
        ({"noise_variance": -1}, "noise_variance"),
        ({"log_odds": 0}, "log_odds"),
        ({"mode_eigenvalue": [1, 2], "ridge": [1, 2, 3]}, "broadcast"),
        ({"spectrum": PowerLawSpectrum(2, 1), "mode_eigenvalue": None}, "infinitely many"),
    ],
)
def test_refusals(changed, message):
    arguments = {"spectrum": [1.0, 0.5], "ridge": 1.0, "mode_eigenvalue": 0.5} | changed
    with pytest.raises(DomainError, match=message):
        unlearnability(**arguments)


def test_numbers_beyond_floats_are_infinite_at_the_ends_of_the_domain():
    for own in (1.0, 1e-200):
        for alignment in (0.0, 0.5, 1e6):
            found = unlearnability(
                [1.0, 0.5, 1e-200],
                ridge=[1e-100, 1, 1e100],
                mode_eigenvalue=own,
                alignment=alignment,
            )
            assert not np.any(np.isnan([found.evidence, found.hoelder]))
            assert np.all(found.evidence >= 0)
