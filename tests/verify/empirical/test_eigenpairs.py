"""Leading eigenpairs: direct and by Krylov spaces, and never a matrix that is not needed."""

import numpy as np
import pytest

from scalinglaws.errors import ResourceError
from scalinglaws.verify.empirical import _eigenpairs, _sample
from scalinglaws.verify.empirical._eigenpairs import leading_pairs
from scalinglaws.verify.empirical._sample import Sample
from scalinglaws.verify.simulate.empirical import draw_task


def _check_pairs(matrix, values, vectors, error):
    n, count = vectors.shape
    assert np.all(np.diff(values) <= 0)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-10)
    rest = np.linalg.norm(matrix @ vectors - vectors * values, axis=0)
    assert np.all(rest <= error * values[0])
    assert n == matrix.shape[0]


@pytest.mark.parametrize(("n", "count"), [(1, 1), (2, 2), (40, 3), (64, 64), (65, 5), (200, 30)])
def test_direct_pairs(n, count):
    features = np.random.default_rng(n).standard_normal((n, n + 5))
    matrix = features @ features.T
    values, vectors = leading_pairs(matrix, count)
    assert values.shape == (count,)
    _check_pairs(matrix, values, vectors, 1e-13)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix)[::-1][:count], rtol=1e-10)


@pytest.mark.parametrize("alpha", [1.2, 3.0])
def test_krylov_pairs_of_power_laws(alpha, monkeypatch):
    task = draw_task(1200, alpha=alpha, decay=0.5, modes=1500, rng=2)
    exact = np.linalg.eigvalsh(task.gram)[::-1]
    monkeypatch.setattr(_eigenpairs, "MOST_DIRECT", 1000)
    values, vectors = leading_pairs(task.gram, 266)
    error = np.abs(values / exact[:266] - 1)
    assert np.max(error) < 2e-3
    assert np.max(error[:200]) < 1e-4
    _check_pairs(task.gram, values, vectors, 1e-4)
    again, _ = leading_pairs(task.gram, 266)
    np.testing.assert_array_equal(again, values)


def test_krylov_space_that_is_exhausted(monkeypatch):
    """A matrix of low rank leaves rounding errors after the first blocks, which stay orthogonal."""
    features = np.random.default_rng(0).standard_normal((1000, 40))
    matrix = features @ features.T
    monkeypatch.setattr(_eigenpairs, "MOST_DIRECT", 900)
    values, vectors = leading_pairs(matrix, 100)
    np.testing.assert_allclose(values[:40], np.linalg.eigvalsh(matrix)[::-1][:40], rtol=1e-11)
    assert np.all(np.abs(values[40:]) < 1e-11 * values[0])
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(100), atol=1e-10)


def test_memory_is_asked_for(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    with pytest.raises(ResourceError, match="use fewer points"):
        leading_pairs(np.eye(400), 50)
    monkeypatch.setattr(_eigenpairs, "MOST_DIRECT", 100)
    with pytest.raises(ResourceError, match="a basis of 800 vectors"):
        leading_pairs(np.eye(400), 50)


@pytest.mark.parametrize("center", [False, True])
def test_features_and_their_gram_matrix_have_the_same_modes(center, monkeypatch):
    rng = np.random.default_rng(3)
    features = rng.standard_normal((300, 40)) * np.arange(1, 41) ** -1.0 + 0.3
    labels = rng.standard_normal((300, 2)) + features[:, :2]
    by_gram = Sample(features @ features.T, labels, True, center).modes(30)
    sizes = []
    monkeypatch.setattr(
        _sample,
        "leading_pairs",
        lambda matrix, count: sizes.append(matrix.shape) or leading_pairs(matrix, count),
    )
    by_features = Sample(features, labels, False, center).modes(30)
    assert sizes == [(40, 40)]
    np.testing.assert_allclose(by_features.eigenvalues, by_gram.eigenvalues, rtol=1e-9)
    np.testing.assert_allclose(by_features.shares, by_gram.shares, rtol=1e-7, atol=1e-12)
    assert by_features.power == pytest.approx(by_gram.power, rel=1e-13)
    assert by_features.rank == 40


@pytest.mark.parametrize("center", [False, True])
def test_extended_residuals_of_features_and_their_gram_matrix_agree(center):
    """And are those of ordinary least squares, once all modes are in."""
    rng = np.random.default_rng(4)
    features, labels = rng.standard_normal((200, 12)) + 0.5, rng.standard_normal((200, 1))
    order = rng.permutation(200)
    rows, others, k = order[:120], order[120:], np.array([3, 7, 12])
    found = Sample(features, labels, False, center).extended_residual(rows, others, k)
    by_gram = Sample(features @ features.T, labels, True, center).extended_residual(rows, others, k)
    np.testing.assert_allclose(found, by_gram, rtol=1e-8)
    shift = features[rows].mean(axis=0) if center else 0.0
    mean = labels[rows].mean()
    solved = np.linalg.lstsq(features[rows] - shift, labels[rows] - mean, rcond=None)[0]
    left = labels[others] - mean - (features[others] - shift) @ solved
    away = labels[others] - labels[others].mean()
    assert found[-1] == pytest.approx(np.sum(left**2) / np.sum(away**2), rel=1e-9)
