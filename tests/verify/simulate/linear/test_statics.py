"""Simulations against linear algebra done another way, and against the theory they do not know."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import PowerLawSpectrum, linear
from scalinglaws.verify.simulate.linear import population_projection, random_feature_ridge


def by_pseudoinverse(spectrum, features, samples, ridge, noise, seed):
    """Repeat one draw with the pseudoinverse of the augmented system."""
    eigenvalues, signal = spectrum.explicit()
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((samples, eigenvalues.size)) * np.sqrt(eigenvalues)
    target = np.sqrt(signal / eigenvalues)
    labels = inputs @ target + math.sqrt(noise) * rng.standard_normal(samples)
    if math.isinf(features):
        projection = np.eye(eigenvalues.size)
    else:
        projection = rng.standard_normal((features, eigenvalues.size)) / math.sqrt(features)
    hidden = inputs @ projection.T
    augmented = np.vstack([hidden, math.sqrt(ridge * samples) * np.eye(hidden.shape[1])])
    readout = np.linalg.pinv(augmented, rcond=1e-13) @ np.r_[labels, np.zeros(hidden.shape[1])]
    learned = projection.T @ readout
    return np.sum(eigenvalues * (target - learned) ** 2), np.mean((labels - hidden @ readout) ** 2)


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize(
    ("size", "features", "samples"),
    [
        (40, 10, 25),
        (40, 25, 10),
        (40, math.inf, 12),
        (20, math.inf, 50),
        (20, 30, 50),
        (20, 50, 30),
        (20, 50, 50),
        (1, 5, 5),
    ],
)
def test_fits_agree_with_the_pseudoinverse(size, features, samples, ridge):
    spectrum = PowerLawSpectrum(1.5, 1.0, size)
    found = random_feature_ridge(
        spectrum, features=features, samples=samples, ridge=ridge, noise_variance=0.1, rng=5
    )
    test, train = by_pseudoinverse(spectrum, features, samples, ridge, 0.1, 5)
    assert found.test_loss[0] == pytest.approx(test, rel=1e-6)
    assert found.train_loss[0] == pytest.approx(train, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("features", "samples"), [(10, 25), (25, 10), (math.inf, 12), (math.inf, 50)]
)
@pytest.mark.parametrize("ridges", [(1e-3, 1e-2, 1.0), (0.0, 1e-12, 1e-2)])
def test_several_ridges_are_fitted_to_the_same_draws(features, samples, ridges):
    spectrum = PowerLawSpectrum(1.5, 1.0, 40)
    given = {"features": features, "samples": samples, "noise_variance": 0.1}
    found = random_feature_ridge(spectrum, **given, ridge=ridges, draws=3, rng=5)
    assert found.test_loss.shape == found.train_loss.shape == (3, 3)
    for column, ridge in enumerate(ridges):
        alone = random_feature_ridge(spectrum, **given, ridge=ridge, draws=3, rng=5)
        np.testing.assert_allclose(found.test_loss[:, column], alone.test_loss, rtol=1e-6)
        np.testing.assert_allclose(
            found.train_loss[:, column], alone.train_loss, rtol=1e-6, atol=1e-12
        )


@pytest.mark.parametrize("ridge", [0.0, 1e-3, (1e-3, 1.0)])
@pytest.mark.parametrize(("features", "samples"), [(10, 25), (25, 10), (math.inf, 12)])
def test_draws_of_the_noise_are_averaged_over(features, samples, ridge):
    """Means agree with those of single draws, and fluctuate less."""
    spectrum, given = PowerLawSpectrum(1.5, 1.0, 40), {"features": features, "samples": samples}
    given |= {"ridge": ridge, "noise_variance": 0.5}
    alone = random_feature_ridge(spectrum, **given, draws=400, rng=5)
    several = random_feature_ridge(spectrum, **given, draws=400, noise_draws=5, rng=6)
    assert several.test_loss.shape == alone.test_loss.shape
    assert np.all(several.test_loss.std(axis=0) < alone.test_loss.std(axis=0))
    for name in ("test_loss", "train_loss"):
        one, many = getattr(alone, name), getattr(several, name)
        error = np.sqrt((one.var(axis=0) + many.var(axis=0)) / 400)
        assert np.all(np.abs(one.mean(axis=0) - many.mean(axis=0)) < 4 * error)


@pytest.mark.parametrize("ridge", [[], [[1e-3]], [0.1, -1.0]])
def test_ridges_are_one_row_of_numbers(ridge):
    with pytest.raises(DomainError, match="ridge"):
        random_feature_ridge(PowerLawSpectrum(1.5, 1.0, 5), samples=4, ridge=ridge)


def test_ill_conditioned_spectra_are_fitted():
    found = random_feature_ridge(PowerLawSpectrum(8, 0.5, 300), samples=100, draws=2)
    assert np.all(np.isfinite(found.test_loss))
    assert np.all(found.test_loss < 1e-3)


def test_projection_agrees_with_least_squares():
    spectrum = PowerLawSpectrum(1.5, 1.0, 60)
    eigenvalues, signal = spectrum.explicit()
    rng = np.random.default_rng(9)
    columns = (rng.standard_normal((7, 60)) * np.sqrt(eigenvalues)).T
    _, residual, *_ = np.linalg.lstsq(columns, np.sqrt(signal), rcond=None)
    assert population_projection(spectrum, features=7, rng=9)[0] == pytest.approx(
        residual[0], rel=1e-10
    )


def test_streams_are_reproducible_and_independent():
    spectrum = PowerLawSpectrum(1.5, 1.0, 30)
    one, two = (
        random_feature_ridge(spectrum, features=8, samples=9, draws=4, rng=3).test_loss
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    assert len(set(one)) == 4


def test_mean_losses_follow_the_theory():
    # M = 400, N = 60, P = 150, sigma = 0.3: within three standard errors and the stated 1.5/N
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 400)
    for strength in (0.0, 1e-2):
        found = random_feature_ridge(
            spectrum,
            features=60,
            samples=150,
            ridge=strength,
            noise_variance=0.09,
            draws=500,
            rng=11,
        )
        theory = linear.ridge(
            spectrum, features=60, samples=150, ridge=strength, noise_variance=0.09
        )
        for name in ("test_loss", "train_loss"):
            draws = getattr(found, name)
            error = 3 * draws.std(ddof=1) / math.sqrt(draws.size)
            assert abs(draws.mean() - getattr(theory, name)) <= error + 1.5 / 60 * getattr(
                theory, name
            )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("a", "b", "low", "high"), [(2, 1.5, 0.2, 2.0), (4, 2.5, 0.8, 3.0), (7.5, 2, 3.5, 6.5)]
)
def test_bias_of_the_deterministic_equivalent_falls_as_one_over_samples(a, b, low, high):
    # c in mean / theory - 1 = c / P is of order 1 for rough targets and several times that for smooth ones
    spectrum = PowerLawSpectrum.from_ab(a, b, 1024)
    for samples, draws in ((24, 8000), (48, 4000), (96, 2000)):
        losses = random_feature_ridge(spectrum, samples=samples, draws=draws, rng=samples).test_loss
        c = (losses.mean() / linear.ridge(spectrum, samples=samples).test_loss - 1) * samples
        error = 3 * losses.std() / losses.mean() / math.sqrt(draws) * samples
        assert low - error < c < high + error


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda s: random_feature_ridge(s, samples=0), "samples = 0"),
        (lambda s: random_feature_ridge(s, samples=2.5), "samples = 2.5"),
        (lambda s: random_feature_ridge(s, samples=math.inf), "samples = inf"),
        (lambda s: random_feature_ridge(s, samples=5, features=0), "features = 0"),
        (lambda s: random_feature_ridge(s, samples=5, ridge=-1), "ridge = -1"),
        (
            lambda s: random_feature_ridge(s, samples=5, noise_variance=math.nan),
            "noise_variance = nan",
        ),
        (lambda s: random_feature_ridge(s, samples=5, draws=0), "draws = 0"),
        (lambda s: population_projection(s, features=30), "must be less than the 30 modes"),
        (lambda s: random_feature_ridge(PowerLawSpectrum(1.5, 1), samples=5), "give a finite size"),
    ],
)
def test_refusals(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call(PowerLawSpectrum(1.5, 1.0, 30))


def test_too_large_a_draw_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "2GB")
    with pytest.raises(ResourceError, match="use fewer modes"):
        random_feature_ridge(PowerLawSpectrum(1.5, 1.0, 1e6), samples=1000)
    with pytest.raises(ResourceError, match="use fewer modes"):
        random_feature_ridge(PowerLawSpectrum(1.5, 1.0, 1e12), samples=1)
