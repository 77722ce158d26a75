"""Kernel regression on subsets: against direct solutions and 40 digits, limits, honest rounding, and the refusals."""

import warnings

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import AccuracyWarning, DataError, DomainError, ResourceError
from scalinglaws.verify.simulate.empirical import draw_task, regression_curve


def orders(n, splits, seed):
    """Return the orders in which the points of each split are taken."""
    return [stream.permutation(n) for stream in np.random.default_rng(seed).spawn(splits)]


def plane(width, n=36):
    """Return the Gram matrix of a Gaussian kernel on points of the plane, and smooth labels."""
    x = np.random.default_rng(0).standard_normal((n, 2))
    squares = np.sum((x[:, None] - x[None]) ** 2, axis=-1)
    return np.exp(-squares / (2 * width**2)), np.sin(2 * x[:, 0]) + x[:, 1]


def exact(gram, labels, order, size, ridge):
    """Return the loss of one split at 40 digits."""
    n = len(labels)
    with mpmath.workdps(40):
        y = [mpmath.mpf(float(value)) for value in labels]
        mean = mpmath.fsum(y) / n
        y = [value - mean for value in y]
        k = [[mpmath.mpf(float(value)) for value in row] for row in gram]
        scale = mpmath.fsum(k[i][i] for i in range(n)) / n
        system = mpmath.matrix(size, size)
        for a in range(size):
            for b in range(size):
                system[a, b] = k[order[a]][order[b]] + (ridge * scale if a == b else 0)
        weights = mpmath.lu_solve(system, mpmath.matrix([y[i] for i in order[:size]]))
        missed = [
            y[i] - mpmath.fsum(k[i][order[b]] * weights[b] for b in range(size))
            for i in order[size:]
        ]
        loss = mpmath.fsum(value**2 for value in missed) / (n - size)
        return float(loss / (mpmath.fsum(value**2 for value in y) / n))


@pytest.mark.parametrize("width", [0.3, 1.0, 3.0, 5.0])
@pytest.mark.parametrize("ridge", [1e-2, 1e-6, 1e-10, 1e-12, 1e-14])
def test_against_40_digits_and_rounding_is_told(width, ridge):
    """The refinement's change has the order of magnitude of the true error, within a factor of 20."""
    gram, labels = plane(width)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        found = regression_curve(gram, labels, [10, 30], splits=2, ridge=ridge, rng=3)
    known = np.array(
        [
            [exact(gram, labels, order, size, ridge) for size in (10, 30)]
            for order in orders(36, 2, 3)
        ]
    )
    assert np.max(np.abs(found.losses / known - 1)) < 20 * found.rounding + 1e-13
    assert found.ridge == ridge


def test_a_ridge_below_rounding_is_warned_of():
    gram, labels = plane(5.0)
    with pytest.warns(AccuracyWarning, match="a ridge of 1e-14 is too small"):
        found = regression_curve(gram, labels, [10, 30], splits=2, ridge=1e-14, rng=3)
    assert found.rounding > 1e-3


def test_one_factorization_equals_one_for_every_size():
    task = draw_task(90, alpha=1.5, decay=0.75, rng=1)
    sizes = [40, 10, 80, 10]  # in any order
    labels = np.column_stack([task.labels, task.labels[::-1] ** 2])
    found = regression_curve(task.gram, labels, sizes, splits=3, ridge=0.01, rng=7)
    centered = labels - labels.mean(axis=0)
    known = np.empty((3, 4))
    for split, order in enumerate(orders(90, 3, 7)):
        for place, size in enumerate(sizes):
            seen, unseen = order[:size], order[size:]
            ridge = 0.01 * np.trace(task.gram) / 90
            weights = np.linalg.solve(
                task.gram[np.ix_(seen, seen)] + ridge * np.eye(size), centered[seen]
            )
            missed = centered[unseen] - task.gram[np.ix_(unseen, seen)] @ weights
            known[split, place] = np.mean(np.sum(missed**2, axis=1))
    known /= np.mean(np.sum(centered**2, axis=1))
    np.testing.assert_allclose(found.losses, known, rtol=1e-11)
    np.testing.assert_allclose(found.loss, known.mean(axis=0), rtol=1e-11)
    np.testing.assert_allclose(
        found.standard_error, known.std(axis=0, ddof=1) / np.sqrt(3), rtol=1e-9
    )
    np.testing.assert_array_equal(found.samples, sizes)


def test_scales_of_kernel_and_labels_drop_out():
    task = draw_task(60, alpha=2.0, decay=1.0, rng=2)
    known = regression_curve(task.gram, task.labels, [10, 40], rng=0)
    for scale in (1e-150, 1e-3, 1e150):
        for shift in (0.0, 5.0):
            found = regression_curve(
                task.gram * scale, scale * (task.labels + shift), [10, 40], rng=0
            )
            np.testing.assert_allclose(found.losses, known.losses, rtol=1e-9)


def test_a_split_is_the_same_however_many_there_are():
    task = draw_task(40, alpha=2.0, decay=1.0, rng=2)
    few, many = (
        regression_curve(task.gram, task.labels, [5, 20], splits=s, rng=5).losses for s in (2, 6)
    )
    np.testing.assert_array_equal(many[:2], few)


def test_an_infinite_ridge_learns_nothing_and_a_linear_target_is_learned():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    x -= x.mean(axis=0)
    labels = x @ rng.standard_normal(4)
    lazy = regression_curve(x @ x.T, labels, [30], ridge=1e12, splits=50)
    assert lazy.loss[0] == pytest.approx(1.0, abs=5 * lazy.standard_error[0] + 1e-9)
    learned = regression_curve(x @ x.T, labels, [30], ridge=1e-10)
    assert learned.loss[0] < 1e-15


def test_centering_takes_away_what_gaussian_features_cannot_learn():
    """Their span has no constant: centered labels are learned down to the square of their mean, others to the end."""
    task = draw_task(300, alpha=1.5, decay=3.75, rng=0)
    floor = np.mean(task.labels) ** 2 / np.var(task.labels)
    centered, plain = (
        regression_curve(task.gram, task.labels, [100, 200], center=center)
        for center in (True, False)
    )
    assert np.all(centered.loss > 0.9 * floor)
    assert np.all(plain.loss < 0.1 * centered.loss)
    moved = regression_curve(task.gram + 1.0, task.labels, [100, 200])  # a kernel with a constant
    assert np.all(moved.loss < 0.5 * centered.loss)


def test_pure_noise_is_not_learned():
    """On labels that have nothing to do with the kernel the loss is above one: interpolation adds the noise that it fits."""
    task = draw_task(300, alpha=1.5, decay=0.75, rng=0)
    noise = np.random.default_rng(1).standard_normal(300)
    assert np.all(regression_curve(task.gram, noise, [50, 100, 200]).loss > 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gram": np.ones((3, 2))}, "gram must be a square matrix"),
        ({"gram": [[1.0]]}, "gram must be a square matrix of 2 points or more"),
        ({"gram": np.diag([1.0, np.nan, 1, 1])}, r"gram\[1, 1\] = nan must be finite"),
        ({"gram": np.eye(4) + np.triu(np.ones((4, 4)), 1)}, "gram must be symmetric"),
        ({"gram": np.zeros((4, 4))}, "positive mean diagonal"),
        ({"gram": -np.eye(4)}, "positive mean diagonal"),
        ({"labels": [1.0, 2.0]}, r"labels must have one row for each of the 4 points"),
        ({"labels": np.ones(4)}, "labels are all the same"),
        ({"labels": np.full(4, 1e300)}, "labels are all the same"),
        ({"labels": [0.0, 0, 0, 0]}, "labels are all the same"),
        ({"samples": [4]}, r"samples\[0\] = 4.0 must be a whole number from 1 to 3"),
        ({"samples": [1.5]}, r"samples\[0\] = 1.5 must be a whole number from 1 to 3"),
        ({"samples": []}, "samples must be one row of sizes"),
        ({"splits": 1}, "splits = 1 must be a whole number >= 2"),
        ({"ridge": -1.0}, "ridge = -1.0 must be >= 0 and finite"),
        ({"center": "no"}, "center = 'no' must be True or False"),
        ({"rng": -1}, "rng = -1 must be a Generator or a seed"),
    ],
)
def test_refusals(given, message):
    sane = {"gram": np.eye(4), "labels": [0.0, 1.0, 2.0, 4.0], "samples": [2]}
    with pytest.raises(DomainError, match=message):
        regression_curve(**(sane | given))


def test_no_gram_matrix_cannot_be_factorized():
    wrong = np.eye(6) - 0.9 * np.ones((6, 6)) + np.diag(np.full(6, 0.5))
    with pytest.raises(DataError, match="not positive definite with a ridge of 1e-10"):
        regression_curve(wrong, np.arange(6.0), [5])
    repeated = np.ones((6, 6))
    with pytest.raises(DataError, match="raise ridge if points are repeated"):
        regression_curve(repeated, np.arange(6.0), [5], ridge=0.0)
    assert regression_curve(repeated, np.arange(6.0), [5], ridge=1e-6).rounding < 1e-3


def test_a_factorization_beyond_the_budget_is_refused(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    with pytest.raises(ResourceError, match="the Gram matrices of a split would hold"):
        regression_curve(np.eye(400), np.arange(400.0), [10])
