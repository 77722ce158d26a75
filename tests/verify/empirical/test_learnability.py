"""What a kernel that does not adapt learns of a task that is given in one way or another."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.solvers import EmpiricalSpectrum
from scalinglaws.solvers.kernels import erf_nngp
from scalinglaws.solvers.learnability import learning_curve, unlearnability
from scalinglaws.verify.empirical import learnability

X = np.random.default_rng(0).standard_normal((60, 4))
Y = X[:, 0] + 0.3 * X[:, 1] ** 2
GRAM = erf_nngp(X, depth=1, weight_variance=2.0)


def test_a_kernel_its_matrix_and_its_modes_are_one_task():
    one = learnability(kernel="erf_nngp", inputs=X, labels=Y, ridge=0.02)
    two = learnability(gram=GRAM, labels=Y, ridge=0.02)
    values, vectors = np.linalg.eigh(GRAM / 60)
    three = learnability(
        eigenvalues=values, coefficients=vectors.T @ (Y - Y.mean()), ridge=0.02, samples=one.samples
    )
    for found in (two, three):
        np.testing.assert_allclose(found.learnability, one.learnability, rtol=1e-9)
        np.testing.assert_allclose(found.test_loss, one.test_loss, rtol=1e-9)
        np.testing.assert_allclose(found.mode_half, one.mode_half, rtol=1e-8)
        np.testing.assert_allclose(found.mode_bound, one.mode_bound, rtol=1e-8)
        assert found.half == pytest.approx(one.half, rel=1e-9)
    assert (one.examples, three.examples) == (60.0, math.inf)


def test_features_have_the_products_as_their_kernel():
    one = learnability(features=X, labels=Y, ridge=0.1, samples=[5, 20])
    two = learnability(gram=X @ X.T, labels=Y, ridge=0.1, samples=[5, 20])
    np.testing.assert_allclose(one.learnability, two.learnability, rtol=1e-9)
    centered = Y - Y.mean()
    fitted = X @ np.linalg.lstsq(X, centered, rcond=None)[0]
    rest = np.sum((centered - fitted) ** 2) / np.sum(centered**2)
    assert one.unlearnable == pytest.approx(rest, rel=1e-9)
    assert two.unlearnable == pytest.approx(rest, rel=1e-9)


def test_numbers_are_those_of_the_solvers():
    found = learnability(gram=GRAM, labels=Y, ridge=0.02, samples=[5, 50], modes=3)
    spectrum = EmpiricalSpectrum.from_gram(GRAM, Y - Y.mean())
    power = np.var(Y)
    curve = learning_curve(spectrum, samples=[5, 50], ridge=0.02)
    np.testing.assert_allclose(found.test_loss, curve.test_loss / power, rtol=1e-9)
    np.testing.assert_allclose(found.kappa, curve.kappa, rtol=1e-9)
    assert (found.trace, found.power) == pytest.approx((np.mean(np.diag(GRAM)), power), rel=1e-12)
    largest = np.sort(np.argsort(-np.asarray(spectrum.signal))[:3])
    np.testing.assert_array_equal(found.modes, largest + 1)
    bounds = unlearnability(spectrum, ridge=0.02, mode_eigenvalue=found.eigenvalues)
    np.testing.assert_allclose(found.mode_bound, bounds.hoelder, rtol=1e-6)
    assert np.all(found.mode_bound < found.mode_half)


def test_the_ridge_is_a_hundredth_of_the_trace_and_sizes_are_half_decades():
    found = learnability(gram=GRAM, labels=Y)
    assert found.ridge == pytest.approx(np.mean(np.diag(GRAM)) / 100, rel=1e-12)
    np.testing.assert_array_equal(found.samples, [10, 32])


def test_several_outputs_are_added_up():
    both = np.column_stack([Y, X[:, 2]])
    found = learnability(gram=GRAM, labels=both, ridge=0.1, samples=[10])
    parts = [learnability(gram=GRAM, labels=y, ridge=0.1, samples=[10]) for y in both.T]
    weights = np.var(both, axis=0)
    wanted = sum(w * p.learnability for w, p in zip(weights, parts, strict=True)) / weights.sum()
    np.testing.assert_allclose(found.learnability, wanted, rtol=1e-10)


def test_without_a_ridge_there_is_no_bound():
    found = learnability(gram=GRAM, labels=Y, ridge=0)
    assert np.all(found.mode_bound == 0)
    assert np.all(np.isfinite(found.mode_half))


def test_a_target_in_small_eigenvalues_is_told_to_rest_on_the_sample():
    rough = np.sign(np.random.default_rng(1).standard_normal(60)) + 0.0
    found = learnability(gram=GRAM, labels=rough, ridge=0.5)
    assert found.half > 30
    assert "are those of the sample, not of its population" in found.notes[-1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gram": None}, DomainError, "must be given in one way"),
        ({"inputs": X}, DomainError, "belongs to kernel="),
        ({"depth": 2}, DomainError, "depth = 2 belongs to kernel="),
        ({"labels": None}, DomainError, "labels = None must be given"),
        ({"labels": np.ones(60)}, DataError, "labels are constant"),
        ({"ridge": -1}, DomainError, "ridge = -1"),
        ({"samples": 0.5}, DomainError, "samples"),
        ({"samples": [0.5]}, DomainError, "samples"),
        ({"modes": 0}, DomainError, "modes = 0"),
        ({"gram": -GRAM}, DataError, "no eigenvalue"),
        ({"gram": None, "eigenvalues": [1.0], "coefficients": [1.0]}, DomainError, "labels have|labels has"),
    ],
)  # fmt: skip
def test_tasks_that_are_none(change, error, message):
    with pytest.raises(error, match=message):
        learnability(**{"gram": GRAM, "labels": Y} | change)
