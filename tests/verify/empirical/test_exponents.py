"""Capacity and decay: reference values, the correction against sums and samples, windows, invariances, refusals."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical._exponents import (
    capacity_over,
    decay_over,
    eigenvalue_bias,
    fit_window,
    last_mode,
    measured_spectrum,
    widest_count,
)
from scalinglaws.verify.empirical._sample import Modes, Sample, centered_gram
from scalinglaws.verify.empirical._windows import modes_of, slope, sub_windows, thirds
from scalinglaws.verify.simulate.empirical import draw_task


def _power_law(alpha, decay, size, samples=math.inf, **more):
    k = np.arange(1.0, size + 1)
    shares = 0.5**decay * ((k - 0.5) ** -decay - (k + 0.5) ** -decay)
    return Modes(k**-alpha, shares, 1.0, samples, **more)


def test_bias_of_an_endless_spectrum(reference):
    for alpha, constant in reference("empirical_measure")["bias"].items():
        found = eigenvalue_bias(float(alpha), np.array([7.0]), 7.0)[0]
        assert found == pytest.approx(constant, abs=5e-6)


@pytest.mark.parametrize("alpha", [1.01, 1.2, 1.5, 2.0, 3.0, 8.0])
@pytest.mark.parametrize("reach", [2.0, 5.0, 1e3])
def test_bias_against_quadrature_to_30_digits(alpha, reach):
    """A principal value: the pole at 1 is taken out of the middle part by hand."""
    with mp.workdps(30):
        a, r = mp.mpf(alpha), mp.mpf(reach)

        def paired(t):  # 1 + t and its mirror image under x -> 1/x, whose poles cancel
            x = mp.exp(t)
            return x / (x**a - 1) + (1 / x) / (x**-a - 1)

        exact = mp.quad(paired, [mp.mpf("1e-12"), mp.log(r) / 2, mp.log(r)])
        exact += mp.quad(lambda x: 1 / (x**a - 1), [0, 1 / r])
    found = eigenvalue_bias(alpha, np.array([1.0]), 1.0, reach)[0]
    assert found == pytest.approx(float(exact), rel=1e-9, abs=1e-10)


def test_modes_of_a_fit():
    k = modes_of((5, 75))
    assert k[0] == 5
    assert k[-1] == 75
    assert np.all(np.diff(k) >= 1)
    assert np.all(np.diff(np.log(k)) < 2.2 * math.log(10) / 20)
    assert sub_windows((5, 75)) == ((5, 42), (9, 75), (7, 56))
    assert thirds((5, 75)) == ((5, 12), (12, 30), (30, 75))
    assert slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])) == pytest.approx(2.0)


@given(st.floats(1.02, 7.9), st.floats(0.01, 3.0))
def test_exact_power_laws_of_a_population(alpha, decay):
    modes = _power_law(alpha, decay, 400)
    found = fit_window(modes)
    assert found.window == (5, 400)
    assert found.capacity == pytest.approx(alpha, abs=1e-9)
    assert decay_over(modes, (5, 20)) == pytest.approx(decay, rel=1e-6, abs=1e-8)


@given(st.floats(1.03, 7.5), st.sampled_from([math.inf, 300.0]))
def test_the_root_takes_off_the_bias_that_was_put_on(alpha, rank):
    modes = _power_law(alpha, 0.5, 150, samples=1000.0, rank=rank)
    k = np.arange(1.0, 151)
    biased = modes.eigenvalues * (1 + eigenvalue_bias(alpha, k, 1000.0, rank))
    found = capacity_over(Modes(biased, modes.shares, 1.0, 1000.0, rank), (5, 150))
    assert found == pytest.approx(alpha, abs=1e-8)


def test_the_window_follows_from_the_capacity_it_gives():
    for alpha, samples in ((1.05, 1000.0), (1.1, 600.0), (1.2, 500.0), (2.5, 500.0)):
        k = np.arange(1.0, widest_count(int(samples)) + 1)
        clean = _power_law(alpha, 0.5, k.size, samples=samples)
        biased = Modes(
            clean.eigenvalues * (1 + eigenvalue_bias(alpha, k, samples)), clean.shares, 1.0, samples
        )
        found = fit_window(biased)
        constant = abs(eigenvalue_bias(alpha, np.ones(1), 1.0)[0])
        assert found.capacity == pytest.approx(alpha, abs=1e-6)
        assert found.window == (5, math.floor(samples * min(0.15, 0.5 / constant)))


@pytest.mark.parametrize(
    ("modes", "end"),
    [
        (_power_law(2.0, 0.5, 200, samples=1000.0), 150),
        (_power_law(2.0, 0.5, 200, samples=1000.0, rank=90.0), 45),
        (_power_law(2.0, 0.5, 60, samples=1000.0), 60),
        (_power_law(2.0, 0.5, 3000), 1000),
        (_power_law(2.0, 0.5, 3000, samples=20000.0), 1000),
    ],
)
def test_what_ends_a_window(modes, end):
    assert last_mode(modes, 2.0) == end


def test_a_window_that_circles_ends_at_its_smallest(monkeypatch):
    from scalinglaws.verify.empirical import _exponents

    ends = iter([90, 40, 60, 50, 40, 60])
    asked = []
    monkeypatch.setattr(_exponents, "last_mode", lambda modes, capacity: next(ends))
    monkeypatch.setattr(
        _exponents, "capacity_over", lambda modes, window: asked.append(window) or 1.5
    )
    found = fit_window(_power_law(1.5, 0.5, 90, samples=600.0))
    assert found.window == (5, 40)
    assert asked[0] == (5, 90)


def test_too_few_samples_and_no_root():
    few = fit_window(_power_law(2.0, 0.5, 19, samples=130.0))
    assert few.capacity is None
    assert few.verdict == "too few samples"
    assert "130 samples resolve modes up to 19" in few.reason
    rank = fit_window(_power_law(2.0, 0.5, 30, samples=1000.0, rank=30.0))
    assert rank.verdict == "too few samples"
    assert "only 30 modes" in rank.reason
    slow = fit_window(_power_law(0.7, 0.5, 100))
    assert slow.verdict == "not a power law"
    assert "1 or less" in slow.reason
    fast = fit_window(_power_law(9.0, 0.5, 100))
    assert fast.verdict == "not a power law"
    assert "faster than k^-8" in fast.reason
    clean, k = _power_law(1.02, 0.5, 60, samples=400.0), np.arange(1.0, 61)
    values = clean.eigenvalues * (1 + eigenvalue_bias(1.02, k, 400.0))
    found = fit_window(Modes(values, clean.shares, 1.0, 400.0))
    assert found.verdict == "too few samples"
    assert "for a capacity near" in found.reason


@pytest.mark.parametrize("alpha", [1.2, 2.0])
def test_features_of_finite_number_need_the_shorter_sum(alpha):
    """With the constant of an endless spectrum, capacities of 200 features would come out too large."""
    rng, k = np.random.default_rng(5), np.arange(1.0, 201)
    found, naive = [], []
    for _ in range(4):
        features = rng.standard_normal((1000, 200)) * k ** (-alpha / 2)
        modes = Sample(features, rng.standard_normal((1000, 1)), is_gram=False).modes(150)
        fit = fit_window(modes)
        assert fit.window == (5, 100)
        found.append(fit.capacity)
        endless = Modes(modes.eigenvalues, modes.shares, 1.0, 1000.0)
        naive.append(capacity_over(endless, fit.window))
    assert np.mean(found) == pytest.approx(alpha, rel=0.012)
    if alpha < 1.5:
        assert np.mean(naive) > 1.05 * alpha


SMALL = draw_task(160, alpha=1.8, decay=0.8, modes=600, rng=7)
MANY = np.stack([SMALL.labels, np.random.default_rng(1).standard_normal(160)], axis=1)
BASE = measured_spectrum(SMALL.gram, MANY)


@given(st.floats(-12, 12), st.floats(-12, 12))
def test_scales_of_kernel_and_labels_change_amplitudes_alone(kernel, label):
    found = measured_spectrum(10**kernel * SMALL.gram, 10**label * MANY)
    assert found.capacity == pytest.approx(BASE.capacity, rel=1e-9)
    assert found.decay == pytest.approx(BASE.decay, rel=1e-9)
    assert found.window == BASE.window
    assert found.eigenvalue_amplitude == pytest.approx(
        10**kernel * BASE.eigenvalue_amplitude, rel=1e-8
    )
    assert found.residual_amplitude == pytest.approx(BASE.residual_amplitude, rel=1e-9)
    assert found.power == pytest.approx(10 ** (2 * label) * BASE.power, rel=1e-9)


@given(st.floats(0, 2 * math.pi), st.integers(0, 10**6), st.floats(-5, 5))
def test_mixed_outputs_moved_labels_and_other_orders_have_the_same_exponents(angle, seed, shift):
    order = np.random.default_rng(seed).permutation(160)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = measured_spectrum(SMALL.gram[np.ix_(order, order)], (MANY @ turn + shift)[order])
    assert found.capacity == pytest.approx(BASE.capacity, rel=1e-9)
    assert found.decay == pytest.approx(BASE.decay, rel=1e-8)
    np.testing.assert_allclose(found.shares, BASE.shares, rtol=1e-6, atol=1e-10)


def test_spectra_say_how_much_labels_have():
    n = 160
    found = measured_spectrum(SMALL.gram, SMALL.labels, count=n)
    assert np.sum(found.shares) == pytest.approx(1, abs=1e-10)
    assert found.power == pytest.approx(np.var(SMALL.labels), rel=1e-12)
    assert np.sum(found.eigenvalues) == pytest.approx(np.trace(SMALL.gram) / n, rel=1e-12)
    k = np.arange(1, n + 1)[10:20]
    fit = found.eigenvalue_amplitude * k**-found.capacity
    assert np.all(np.abs(np.log(found.eigenvalues[10:20] / fit)) < 0.4)


def test_what_cannot_be_fitted_is_an_error():
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="50 samples resolve modes up to 7"):
        measured_spectrum(np.eye(50), rng.standard_normal(50))
    with pytest.raises(DataError, match="1 or less"):
        measured_spectrum(np.eye(500), rng.standard_normal(500))
    with pytest.raises(DataError, match="labels are constant"):
        measured_spectrum(SMALL.gram, np.full(160, 3.7))
    matrix = centered_gram(SMALL.gram)
    first = np.linalg.eigh(matrix)[1][:, -1]
    with pytest.raises(DataError, match="hold all of the labels, or no more"):
        measured_spectrum(matrix, first)
    with pytest.raises(DomainError, match="gram must be a square matrix"):
        measured_spectrum(np.ones((3, 2)), [1, 2, 3])
    with pytest.raises(DomainError, match="labels must have one row for each of the 160"):
        measured_spectrum(SMALL.gram, [1.0, 2.0])
    with pytest.raises(DomainError, match=r"gram\[0, 0\] = nan"):
        measured_spectrum(np.full((2, 2), np.nan), [1.0, 2.0])
    with pytest.raises(DomainError, match="count = 161"):
        measured_spectrum(SMALL.gram, SMALL.labels, count=161)
