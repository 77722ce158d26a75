"""One half of the data predicts, the other measures; leave-one-out residuals are exact."""

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import _held_out, held_out_curve, leave_one_out_residuals
from scalinglaws.verify.empirical._held_out import leave_one_out_loss
from scalinglaws.verify.simulate.empirical import draw_task


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 0.5])
@pytest.mark.parametrize("outputs", [None, 3])
def test_leave_one_out_residuals_are_those_of_regression_without_the_point(ridge, outputs):
    task = draw_task(25, alpha=1.4, decay=0.6, rng=3)
    rng = np.random.default_rng(1)
    labels = task.labels if outputs is None else rng.normal(size=(25, outputs))
    found = leave_one_out_residuals(task.gram, labels, ridge=ridge)
    assert found.shape == labels.shape
    matrix = task.gram + ridge * np.trace(task.gram) / 25 * np.eye(25)
    for point in range(25):
        rest = np.delete(np.arange(25), point)
        weights = np.linalg.solve(matrix[np.ix_(rest, rest)], labels[rest])
        expected = labels[point] - task.gram[point, rest] @ weights
        np.testing.assert_allclose(found[point], expected, rtol=1e-9, atol=1e-12)


def test_leave_one_out_losses_of_nested_sets_come_from_one_factor():
    task = draw_task(60, alpha=1.4, decay=0.6, rng=3)
    sizes = np.array([10.0, 33.0, 60.0])
    found = leave_one_out_loss(task.gram, task.labels, sizes, ridge=0.0)
    centered = task.labels - task.labels.mean()
    for size, loss in zip(sizes.astype(int), found, strict=True):
        residuals = leave_one_out_residuals(task.gram[:size, :size], centered[:size])
        assert loss == pytest.approx(np.mean(residuals**2) / np.mean(centered**2), rel=1e-10)


def test_a_task_of_known_exponents_is_predicted_and_measured_alike():
    task = draw_task(500, alpha=1.5, decay=0.75, rng=0)
    found = held_out_curve(task.gram, task.labels, rng=1)
    assert found.splits == 8
    assert found.points == 500
    assert found.samples[0] == 20
    assert found.samples[-1] == 200  # 0.8 of a half
    assert np.all(np.abs(np.log(found.measured / found.predicted)) < 0.25)
    assert np.all(found.standard_error > 0)
    # the second way to measure, from the training points alone
    assert np.all(np.abs(found.leave_one_out / found.measured - 1) < 0.25)


def test_the_same_seed_gives_the_same_curve_and_another_one_does_not():
    task = draw_task(300, alpha=1.5, decay=0.75, rng=0)
    one, two, three = (held_out_curve(task.gram, task.labels, splits=2, rng=r) for r in (1, 1, 2))
    assert one == two
    assert not np.array_equal(one.measured, three.measured)


def test_neither_units_nor_a_constant_in_labels_or_kernel_matter():
    task = draw_task(300, alpha=1.5, decay=0.75, rng=0)
    plain = held_out_curve(task.gram, task.labels, splits=2, rng=1)
    moved = held_out_curve(1e3 * task.gram, 7 - 2 * task.labels, splits=2, rng=1)
    for name in ("measured", "predicted", "leave_one_out"):
        np.testing.assert_allclose(getattr(moved, name), getattr(plain, name), rtol=1e-6)
    raised = held_out_curve(task.gram + 5.0, task.labels, splits=2, rng=1)
    np.testing.assert_allclose(raised.measured, plain.measured, rtol=1e-4)


def test_features_end_at_their_rank():
    rng = np.random.default_rng(0)
    rank, n = 120, 500
    features = rng.normal(size=(n, rank)) * np.arange(1.0, rank + 1) ** -0.75
    labels = features @ np.arange(1.0, rank + 1) ** -0.3 + 0.3 * rng.normal(size=n)
    found = held_out_curve(features @ features.T, labels, splits=4, ridge=1e-6, rank=rank, rng=0)
    without = held_out_curve(features @ features.T, labels, splits=4, ridge=1e-6, rng=0)
    # near as many samples as features the loss has a peak; beyond, none falls below the noise
    peak = int(np.argmin(np.abs(found.samples - rank)))
    assert found.measured[peak] > 1.5 * found.measured[0]
    error = np.abs(np.log(found.predicted / found.measured))
    assert error[peak] < np.abs(np.log(without.predicted / without.measured))[peak]


def test_large_data_are_represented_by_some_points(monkeypatch):
    monkeypatch.setattr(_held_out, "MOST_POINTS", 300)
    task = draw_task(360, alpha=1.5, decay=0.75, rng=0)
    found = held_out_curve(task.gram, task.labels, splits=2, rng=1)
    assert found.points == 300
    assert found.samples[-1] == 120


def test_nothing_is_checked_where_power_laws_cannot_be_fitted():
    task = draw_task(60, alpha=1.5, decay=0.75, rng=0)
    assert held_out_curve(task.gram, task.labels) is None  # too few points
    flat = np.eye(200) + 1e-9 * draw_task(200, alpha=1.5, decay=0.75, rng=0).gram
    labels = np.random.default_rng(0).normal(size=200)
    assert held_out_curve(flat, labels, splits=2) is None  # no spectrum that falls


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "decay"), [(1.5, 0.75), (1.2, 0.36)])
def test_the_error_covers_how_far_other_data_sets_are(alpha, decay):
    found = []
    for seed in range(30):
        task = draw_task(400, alpha=alpha, decay=decay, modes=2000, rng=seed)
        found.append(held_out_curve(task.gram, task.labels, rng=seed))
    spread = np.std([curve.measured for curve in found], axis=0, ddof=1)
    told = np.sqrt(np.mean([curve.standard_error**2 for curve in found], axis=0))
    assert np.all(spread < 1.2 * told)
    assert np.all(spread > 0.3 * told)


def test_refusals():
    task = draw_task(100, alpha=1.5, decay=0.75, rng=0)
    with pytest.raises(DomainError, match="gram must be a square matrix"):
        held_out_curve(task.gram[:50], task.labels)
    with pytest.raises(DomainError, match="labels must have one row for each of the 100 points"):
        held_out_curve(task.gram, task.labels[:50])
    with pytest.raises(DomainError, match="splits = 1 must be a whole number >= 2"):
        held_out_curve(task.gram, task.labels, splits=1)
    with pytest.raises(DomainError, match="ridge = -1"):
        held_out_curve(task.gram, task.labels, ridge=-1)
    with pytest.raises(DomainError, match="rank = 0"):
        held_out_curve(task.gram, task.labels, rank=0)
    with pytest.raises(DomainError, match="rng = None"):
        held_out_curve(task.gram, task.labels, rng=None)
    with pytest.raises(DataError, match="not positive definite"):
        leave_one_out_residuals(np.ones((3, 3)), np.ones(3))
    with pytest.raises(DomainError, match="ridge = -1"):
        leave_one_out_residuals(task.gram, task.labels, ridge=-1)
