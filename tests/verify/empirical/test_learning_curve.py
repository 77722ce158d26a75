"""Learning curves of measured spectra: against solvers, against 30 digits, in limits, and where there is none."""

import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
from scipy.special import zeta

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.linear import ridge as ridge_regression
from scalinglaws.verify.empirical._learning_curve import (
    MOST_SAMPLES,
    continued,
    corrected_eigenvalues,
    corrected_residual,
    predicted_loss,
)
from scalinglaws.verify.empirical._records import MeasuredSpectrum
from scalinglaws.verify.simulate.empirical import draw_task, regression_curve


def halves(alpha, decay, last=200, amplitude=1.0, samples=math.inf):
    """A spectrum whose residual is a power law of k + 1/2, from the first mode on."""
    k = np.arange(1.0, last + 1)
    scale = 0.5**decay
    shares = scale * ((k - 0.5) ** -decay - (k + 0.5) ** -decay)
    return MeasuredSpectrum(
        samples, amplitude * k**-alpha, shares, 1.0, alpha, decay, (5, last), amplitude, scale
    )


def powers(alpha, beta, last=200):
    """A spectrum whose shares are a power law, as those of `PowerLawSpectrum` are."""
    k, total = np.arange(1.0, last + 1), zeta(alpha * beta + 1)
    shares = k ** -(alpha * beta + 1) / total
    residual = 1 / (alpha * beta * total)
    return MeasuredSpectrum(
        math.inf, k**-alpha, shares, 1.0, alpha, alpha * beta, (5, last), 1.0, residual
    )


@pytest.mark.parametrize(
    ("alpha", "beta"), [(1.5, 0.5), (2, 0.5), (1.2, 0.3), (1.5, 2.5), (1.03, 0.3), (1.2, 0.05)]
)
def test_exact_power_laws_give_what_the_solver_of_the_infinite_spectrum_does(alpha, beta):
    samples = np.geomspace(20, 1e5, 9)
    expected = ridge_regression(PowerLawSpectrum(alpha, beta), samples=samples).test_loss
    # a sum of k^-(d + 1) is a power of k + 1/2 up to (d + 1)(d + 2)/24k^2 relative
    found = predicted_loss(powers(alpha, beta, 2000), samples) * zeta(alpha * beta + 1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "beta", "slope", "within"),
    # the third of the table was .359; sums to infinity give .3557, a cut at 3e7 modes .360
    [
        (1.5, 0.5, 0.745, 0.001),
        (2, 0.5, 0.994, 0.001),
        (1.2, 0.3, 0.3557, 0.001),
        (1.5, 2.5, 2.945, 0.01),
    ],
)
def test_slopes_between_50_and_800_samples(alpha, beta, slope, within):
    samples = np.geomspace(50, 800, 9)
    loss = predicted_loss(powers(alpha, beta), samples)
    assert -np.polyfit(np.log(samples), np.log(loss), 1)[0] == pytest.approx(slope, abs=within)


@mp.workdps(30)
def _exact(alpha, decay, samples, first=400):
    """The loss of `halves` to 30 digits: a sum mode by mode, and its rest by Hurwitz zeta functions."""
    a, d = mp.mpf(alpha), mp.mpf(decay)
    size = mp.mpf(samples)
    last = max(first, int(60 * samples))
    values = [mp.mpf(k) ** -a for k in range(1, last + 1)]
    edges = [(mp.mpf(k) + mp.mpf("0.5")) ** -d for k in range(last + 1)]
    scale = mp.mpf("0.5") ** d
    terms = range(60)

    def rest(power):
        return mp.zeta(power, last + 1)

    def signals(power):
        # (k - 1/2)^-d - (k + 1/2)^-d in odd powers of 1/2k
        return 2 * sum(
            mp.binomial(d + m - 1, m) * mp.mpf(2) ** -m * rest(power + d + m)
            for m in range(1, 16, 2)
        )

    def filled(kappa):
        # values/kappa is below 1/2 beyond the last mode that is listed
        tail = sum((-1) ** j * kappa ** -(j + 1) * rest(a * (j + 1)) for j in terms)
        return sum(value / (value + kappa) for value in values) + tail

    guess, _ = continued(halves(alpha, decay))
    start = ridge_regression(guess, samples=samples).kappa
    kappa = mp.findroot(lambda x: filled(mp.e**x) - size, mp.log(start), tol=mp.mpf(10) ** -24)
    kappa = mp.e**kappa
    assert values[-1] < kappa / 2
    filled_2 = sum((value / (value + kappa)) ** 2 for value in values)
    filled_2 += sum((-1) ** j * (j + 1) * kappa ** -(j + 2) * rest(a * (j + 2)) for j in terms)
    lost = sum(
        (low - high) * (kappa / (value + kappa)) ** 2
        for low, high, value in zip(edges, edges[1:], values, strict=False)
    )
    lost += sum((-1) ** j * (j + 1) * kappa**-j * signals(a * j) for j in terms)
    return scale * lost / (1 - filled_2 / size)


@pytest.mark.parametrize(
    ("alpha", "decay", "samples"),
    [
        (1.02, 0.06, 12.5),
        (1.2, 0.06, 60),
        (1.2, 0.36, 100),
        (1.5, 3.75, 40),
        (2.7, 0.9, 150),
        (8, 6.0, 30),
    ],
)
def test_sums_to_infinity_agree_with_30_digits(alpha, decay, samples):
    found = float(predicted_loss(halves(alpha, decay, 32), samples))
    assert found == pytest.approx(float(_exact(alpha, decay, samples)), rel=1e-9)


@pytest.mark.parametrize(("alpha", "decay"), [(1.02, 0.1), (1.3, 0.4), (3, 2), (8, 4)])
def test_it_does_not_matter_where_listed_modes_end_up_to_most_samples(alpha, decay):
    samples = np.geomspace(10, MOST_SAMPLES, 12)
    few, many = (predicted_loss(halves(alpha, decay, last), samples) for last in (20, 20_000))
    np.testing.assert_allclose(few, many, rtol=1e-9)


def test_the_unit_of_the_kernel_is_free():
    samples = [20, 200]
    for amplitude in (1e-200, 1e150):
        np.testing.assert_allclose(
            predicted_loss(halves(1.5, 0.6, amplitude=amplitude), samples, ridge=1e-3),
            predicted_loss(halves(1.5, 0.6), samples, ridge=1e-3),
            rtol=1e-12,
        )


def test_a_ridge_is_relative_to_the_mean_diagonal():
    spectrum, samples, relative = halves(1.5, 0.6), np.array([30.0, 300.0]), 1e-2
    modes, _ = continued(spectrum)
    trace = float(np.sum(modes.eigenvalues * modes.multiplicities))
    assert trace == pytest.approx(zeta(1.5), rel=1e-9)
    expected = ridge_regression(modes, samples=samples, ridge=relative * trace / samples)
    np.testing.assert_allclose(
        predicted_loss(spectrum, samples, ridge=relative), expected.test_loss, rtol=1e-12
    )
    assert np.all(predicted_loss(spectrum, samples, ridge=1e6) > 0.99)


@pytest.mark.slow
@pytest.mark.parametrize("ridge", [1e-10, 1e-3, 1e-1])
def test_simulated_kernel_regression_with_a_ridge_follows_the_curve(ridge):
    alpha, decay, samples = 1.5, 0.75, np.array([50, 100, 200])
    losses = []
    for seed in range(12):
        task = draw_task(600, alpha=alpha, decay=decay, rng=seed)
        losses.append(
            regression_curve(task.gram, task.labels, samples, splits=4, ridge=ridge, rng=seed).loss
        )
    mean, error = np.mean(losses, axis=0), np.std(losses, axis=0, ddof=1) / 12**0.5
    predicted = predicted_loss(powers(alpha, decay / alpha, 1000), samples, ridge=ridge)
    assert np.all(np.abs(mean - predicted) < 0.06 * predicted + 3 * error)


def test_shares_stay_positive_and_keep_their_sum():
    # residuals of a sample rise where a mode has less than its share of noise
    rng = np.random.default_rng(0)
    n, last = 200, 60
    shares = rng.exponential(size=n)
    shares[:last] += 5 * np.arange(1.0, last + 1) ** -1.0
    shares /= shares.sum()
    spectrum = MeasuredSpectrum(
        n, np.arange(1.0, n + 1) ** -1.5, shares, 1.0, 1.5, 0.4, (5, last), 1.0, 0.8
    )
    residual = corrected_residual(spectrum)
    assert np.any(np.diff(residual[: last + 1]) > 0)
    signal = np.asarray(continued(spectrum)[0].signal)[:last]
    assert np.all(signal >= 0)
    assert np.sum(signal) == pytest.approx(1 - residual[last], rel=1e-12)
    # nowhere further from the residual than it rises
    left = 1 - np.cumsum(signal)
    rise = np.max(
        np.maximum.accumulate(residual[last::-1])[::-1]
        - np.minimum.accumulate(residual[: last + 1])
    )
    assert np.max(np.abs(left - residual[1 : last + 1])) <= rise + 1e-12


def test_random_labels_leave_nothing_to_learn_in_the_modes():
    n, last = 200, 30
    spectrum = MeasuredSpectrum(
        n, np.arange(1.0, n + 1) ** -1.5, np.full(n, 1 / n), 1.0, 1.5, 0.01, (5, last), 1.0, 1.0
    )
    np.testing.assert_allclose(np.asarray(continued(spectrum)[0].signal)[:last], 0, atol=1e-15)


def test_corrections_undo_the_biases_they_are_for():
    n, alpha = 400, 1.3
    k = np.arange(1.0, n + 1)
    bias = 1 - math.pi / alpha / math.tan(math.pi / alpha) * k / n
    shares = np.full(n, 1 / n)
    spectrum = MeasuredSpectrum(n, k**-alpha * bias, shares, 1.0, alpha, 0.5, (5, 60), 1.0, 1.0)
    np.testing.assert_allclose(corrected_eigenvalues(spectrum), k**-alpha, rtol=1e-12)
    np.testing.assert_allclose(corrected_residual(spectrum)[:-1], 1, rtol=1e-10)


def test_modes_end_at_the_rank_and_what_is_left_of_labels_is_noise():
    alpha, decay, rank = 1.5, 0.6, 300
    spectrum = replace(halves(alpha, decay, 40), rank=float(rank))
    k = np.arange(1.0, rank + 1)
    edges = 0.5**decay * (np.arange(rank + 1) + 0.5) ** -decay
    whole = EmpiricalSpectrum(k**-alpha, -np.diff(edges))
    samples, ridge = np.array([20.0, 250.0, 299.0, 301.0, 2000.0]), 1e-4
    for strength in (0.0, ridge):
        expected = ridge_regression(
            whole,
            samples=samples,
            ridge=strength * np.sum(k**-alpha) / samples,
            noise_variance=edges[-1],
        )
        np.testing.assert_allclose(
            predicted_loss(spectrum, samples, ridge=strength),
            expected.test_loss + edges[-1],
            rtol=1e-9,
        )
    assert predicted_loss(spectrum, rank) == math.inf
    # no more samples can learn what no mode has
    assert predicted_loss(spectrum, 1e9) == pytest.approx(edges[-1], rel=1e-6)
    assert continued(replace(spectrum, rank=40.0))[0].size == 40


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"capacity": 1.0}, "must be above 1, or the trace is infinite"),
        ({"capacity": 25.0}, "at most 20"),
        ({"decay": 0.0}, "decay = 0.0 must be > 0"),
        ({"window": (5, 300)}, "has 200 modes, but its window ends at mode 300"),
        ({"eigenvalue_amplitude": 0.0}, "must be > 0"),
        ({"residual_amplitude": math.nan}, "must be >= 0"),
    ],
)
def test_refuses_spectra_that_cannot_be_continued(change, words):
    with pytest.raises(DomainError, match=words):
        predicted_loss(replace(halves(1.5, 0.6), **change), 100)


def test_refuses_other_arguments():
    with pytest.raises(DomainError, match="samples = 0.5 must lie between 1 and 1e"):
        predicted_loss(halves(1.5, 0.6), 0.5)
    with pytest.raises(DomainError, match=r"samples\[1\] = inf"):
        predicted_loss(halves(1.5, 0.6), [10, math.inf])
    with pytest.raises(DomainError, match="ridge = -1.0 must be >= 0"):
        predicted_loss(halves(1.5, 0.6), 10, ridge=-1.0)
    with pytest.raises(DomainError, match="must be a MeasuredSpectrum"):
        predicted_loss(PowerLawSpectrum(1.5, 0.5), 10)
