"""Regression on independent features: against weight space, published numbers, and the same regression on a population."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.verify.simulate.learnability import regress_modes, regress_population

EIGENVALUES = np.arange(1, 401.0) ** -2
# 400 modes, target 1/k on five, ridge 0.05: by samples, the ridge at a cutoff of five and mean coefficients of the third mode of the
# full kernel, with that ridge and with all later modes added to it; then mean relative deviations of the latter two
CUT = {
    60: (0.106022493, (0.3273, 0.3273, 0.3206), (0.002, 0.013)),
    20: (0.154165419, (0.3013, 0.3014, 0.2890), (0.015, 0.029)),
}


@pytest.mark.parametrize("samples", CUT)
def test_published_experiment(samples):
    ridge, means, deviations = CUT[samples]
    naive = 0.05 + EIGENVALUES[5:].sum()
    found = regress_modes(
        EIGENVALUES,
        1 / np.arange(1, 6),
        samples,
        ridge=[0.05, ridge, naive],
        kept=[math.inf, 5, 5],
        modes=5,
        draws=240,
        rng=2,
    )
    third = found.coefficients[:, :, 2]
    error = third.std(axis=0) * math.sqrt(
        1 / 60 + 1 / 240
    )  # of theirs, from 60 data sets, and of ours
    assert np.all(np.abs(third.mean(axis=0) - means) < 4 * error)
    full = found.coefficients[:, 0]
    for j, expected in zip((1, 2), deviations, strict=True):
        apart = np.linalg.norm(found.coefficients[:, j] - full, axis=1)
        assert np.mean(apart / np.linalg.norm(full, axis=1)) == pytest.approx(expected, rel=0.25)


def test_against_weight_space():
    """The same estimator as a ridge regression of weights on scaled features, by normal equations."""
    eigenvalues, target = np.array([1.0, 0.5, 0.1]), np.array([1.0, -2.0, 0.5])
    found = regress_modes(
        eigenvalues, target, 5, ridge=[0.3, 0.7], kept=[math.inf, 2], draws=2, rng=4
    )
    source = np.random.default_rng(4)
    for i in range(2):
        phi = source.spawn(1)[0].standard_normal((5, 3))
        for j, (ridge, kept) in enumerate(((0.3, 3), (0.7, 2))):
            seen = phi[:, :kept]
            matrix = seen.T @ seen + ridge * np.diag(1 / eigenvalues[:kept])
            learned = np.zeros(3)
            learned[:kept] = np.linalg.solve(matrix, seen.T @ (phi @ target))
            np.testing.assert_allclose(found.coefficients[i, j], learned, atol=1e-12)
            own = np.diag(np.linalg.solve(matrix, seen.T @ seen))
            np.testing.assert_allclose(found.learnability[i, j, :kept], own, atol=1e-12)
            assert found.test_loss[i, j] == pytest.approx(np.sum((learned - target) ** 2))
    assert np.all(found.coefficients[:, 1, 2] == 0)
    assert np.all(found.learnability[:, 1, 2] == 0)


def test_a_population_of_signs_is_what_it_stands_for():
    """All sign vectors of four independent signs: drawn with replacement they are data sets of signs."""
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
    eigenvalues = np.array([1.0, 0.5, 0.25, 0.1])
    gram = (signs * eigenvalues) @ signs.T
    one = regress_population(gram, signs, 6, ridge=0.2, draws=4000, rng=0).learnability
    other = regress_modes(
        eigenvalues, [1.0], 6, ridge=0.2, features="signs", draws=4000, rng=1
    ).learnability[:, 0]
    error = np.hypot(one.std(axis=0), other.std(axis=0)) / math.sqrt(4000)
    assert np.all(np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4 * error)


def test_noise_and_shown_modes():
    given = {"ridge": 0.1, "draws": 3, "rng": 5}
    clean = regress_modes(EIGENVALUES, [1.0], 30, **given)
    noisy = regress_modes(EIGENVALUES, [1.0], 30, noise_variance=1.0, **given)
    np.testing.assert_array_equal(clean.learnability, noisy.learnability)
    assert np.all(noisy.test_loss > clean.test_loss)
    few = regress_modes(EIGENVALUES, [1.0], 30, modes=4, **given)
    np.testing.assert_allclose(few.coefficients, clean.coefficients[..., :4], rtol=1e-12)
    np.testing.assert_allclose(few.test_loss, clean.test_loss, rtol=1e-12)
    more = regress_modes(EIGENVALUES, [1.0], 30, **{**given, "draws": 5})
    np.testing.assert_array_equal(more.coefficients[:3], clean.coefficients)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"eigenvalues": [1.0, 0.0]}, "eigenvalues"),
        ({"coefficients": [1.0, 2.0, 3.0]}, "at most 2 numbers"),
        ({"ridge": 0.0}, "ridge = 0"),
        ({"ridge": [1.0, 2.0], "kept": [1, 1, 2]}, "broadcast"),
        ({"ridge": [[1.0]]}, "row of numbers"),
        ({"kept": 0}, "kept = 0"),
        ({"kept": 1.5}, "kept = 1.5"),
        ({"features": "digits"}, "features = 'digits'"),
        ({"noise_variance": -1.0}, "noise_variance"),
        ({"modes": 3}, "modes = 3"),
        ({"rng": None}, "rng"),
    ],
)
def test_refusals(change, complaint):
    given = {
        "eigenvalues": [1.0, 0.5],
        "coefficients": [1.0],
        "samples": 3,
        "ridge": 1.0,
        "draws": 1,
        "rng": 0,
        **change,
    }
    with pytest.raises(DomainError, match=complaint):
        regress_modes(**given)


def test_memory():
    with pytest.raises(ResourceError, match="use fewer samples or modes"):
        regress_modes([1.0], [1.0], 10**5, ridge=1.0, draws=1, rng=0)


def test_a_ridge_that_is_lost_in_rounding_is_refused():
    with pytest.raises(DomainError, match=r"ridge = 1e-300 is lost in rounding"):
        regress_modes([1.0], [1.0], 50, ridge=1e-300, draws=1, rng=0)
