"""The checks of the manifold laws: as expected, discriminating, and flipped by mutations of the law."""

from fractions import Fraction

import numpy as np
import pytest

from scalinglaws import theory, verify
from scalinglaws.theory.formula import Law
from scalinglaws.verify.checks import manifold


def test_every_verdict_is_as_expected():
    report = verify.run(["manifold"], rng=5)
    assert report.as_expected
    assert len(report.comparisons) == 15
    assert all(comparison.discriminating for comparison in report.comparisons)


ARGUMENTS = {
    "manifold.nearest_neighbor": {"d": 2},
    "manifold.variance_limited": {},
    "manifold.variance_limited_model": {},
    "manifold.model_resolution": {"d": 2, "q": 2},
    "manifold.width_variance": {},
    "manifold.spectral": {"theta": 3, "d": 2},
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_law_fails(name, monkeypatch):
    original = Law.__call__

    def mutated(self, **values):
        found = original(self, **values)
        return found + 3 * Fraction(1, 10) if self.name == name else found

    monkeypatch.setattr(Law, "__call__", mutated)
    right = original(theory.law(name), **ARGUMENTS[name])
    assert theory.law(name)(**ARGUMENTS[name]) == right + 3 * Fraction(1, 10)
    report = verify.run([name.replace("_", "-")], rng=5)
    wrong = [entry for entry in report.comparisons if entry.prediction.kind == "exponent"]
    assert wrong
    assert all(comparison.verdict == "fail" for comparison in wrong)
    assert not report.as_expected


def test_kernel_interpolation_leaves_what_a_fit_of_drawn_targets_leaves():
    """Targets are drawn on all points and fitted; the average of their errors is the variance that the check computes."""
    size, places, draws = 40, 200, 4000
    found = manifold._kernel_losses((20, size), 1, 2, np.random.default_rng(3))
    points = np.random.default_rng(3).standard_normal((size + places, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    kernel = np.exp(-np.sqrt(np.maximum(2 - 2 * points @ points.T, 0)))
    np.fill_diagonal(kernel, 1 + 1e-12)
    fields = np.linalg.cholesky(kernel) @ np.random.default_rng(4).standard_normal(
        (size + places, draws)
    )
    for count, loss in zip((20, size), found, strict=True):
        fit = kernel[size:, :count] @ np.linalg.solve(kernel[:count, :count], fields[:count])
        assert loss == pytest.approx(np.mean((fields[size:] - fit) ** 2), rel=0.01)


def test_the_excess_of_few_features_is_that_of_a_gaussian_regression():
    """Regression of Gaussian labels with N regressors on P samples loses L N/(P - N - 1) more than with unlimited ones."""
    more = np.array([24, 48, 96])
    found = manifold.sampled_excess(12, tuple(more), 2000, np.random.default_rng(0))
    # the loss L of the features themselves is in all of them
    np.testing.assert_allclose(found * (more - 1), np.mean(found * (more - 1)), rtol=0.04)


def test_networks_of_one_width_vary_less_where_they_are_wide():
    rows = manifold._variances((16, 256), 4, 40, np.random.default_rng(1))
    assert rows.shape == (2,)
    assert 4 < rows[0] / rows[1] < 40
    # a network so narrow that draws agree on nothing varies as much as the labels allow, no more
    assert 0 < rows[1] < rows[0] < 1


@pytest.mark.slow
def test_every_verdict_is_as_expected_at_full_effort():
    report = verify.run(["manifold.spectral", "manifold.width-variance"], effort="full", rng=1)
    assert report.as_expected
    assert [entry.id for entry in report.comparisons].count("manifold.spectral/smooth-3") == 1
