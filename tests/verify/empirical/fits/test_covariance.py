"""The sandwich covariance and profiles, against other ways to the same numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import example_runs, fit, from_parameters
from scalinglaws.verify.empirical.fits import fit_law, solve
from scalinglaws.verify.empirical.fits._covariance import sandwich_covariance
from scalinglaws.verify.empirical.fits._profile import profile

KNOWN = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}


@pytest.fixture(scope="module")
def runs():
    return example_runs("synthetic")


@pytest.fixture(scope="module")
def found(runs):
    return fit("surface", runs, bootstrap=0)


def test_sandwich_by_its_definition(found):
    psi = np.clip(found.residuals, -found.delta, found.delta)
    bread = sum(
        np.outer(row, row) * (abs(r) < found.delta)
        for row, r in zip(found.jacobian, found.residuals, strict=True)
    )
    meat = sum(np.outer(row, row) * p**2 for row, p in zip(found.jacobian, psi, strict=True))
    wanted = np.linalg.inv(bread) @ meat @ np.linalg.inv(bread)
    np.testing.assert_allclose(sandwich_covariance(found), wanted, rtol=1e-6)


def test_equal_residuals_give_the_plain_covariance():
    """Least squares with residuals of one size: B^-1 M B^-1 = r^2 B^-1, exactly."""
    N, D = (
        grid.ravel() for grid in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(1e9, 1e11, 6))
    )
    law = fit_law("surface")
    columns = {"N": N, "D": D}
    signs = np.where((np.arange(36) // 6 + np.arange(36)) % 2, 1e-3, -1e-3)
    losses = np.exp(law.predict(law.coordinates(KNOWN), columns) + signs)
    plain = fit("surface", {**columns, "loss": losses}, delta=np.inf, bootstrap=0)
    sized = np.sign(plain.residuals) * np.sqrt(np.mean(plain.residuals**2))
    level = replace(plain, residuals=sized)
    np.testing.assert_allclose(
        sandwich_covariance(level) * 36 / 31, plain.cov, rtol=1e-6, atol=1e-18
    )


def test_points_of_one_run_count_once(runs, found):
    """Every run twice, under one name: the covariance is that of the runs."""
    twice = runs.take(np.repeat(np.arange(len(runs)), 2))
    doubled = fit("surface", twice, delta=found.delta, bootstrap=0)
    np.testing.assert_allclose(sandwich_covariance(doubled), sandwich_covariance(found), rtol=1e-4)


def test_fixed_parameters_have_no_variance(runs):
    part = fit("surface", runs, fixed={"b": 0.37}, bootstrap=0)
    cov = sandwich_covariance(part)
    assert np.all(cov[4] == 0)
    assert np.all(np.diag(cov)[:4] > 0)


@pytest.mark.slow
def test_sandwich_agrees_with_the_scatter_of_fits():
    """Noise that is ten times larger for small models; 400 sets of 80 runs."""
    rng = np.random.default_rng(0)
    law = fit_law("surface")
    columns = {"N": 10 ** rng.uniform(7.5, 10, 80), "D": 10 ** rng.uniform(9, 11.5, 80)}
    truth = law.predict(law.coordinates(KNOWN), columns)
    noise = np.where(columns["N"] < 3e8, 0.01, 0.001)
    at, claimed, plain = [], [], []
    for _ in range(400):
        losses = np.exp(truth + noise * rng.normal(size=80))
        one = fit("surface", {**columns, "loss": losses}, delta=np.inf, bootstrap=0)
        at.append(one.x)
        claimed.append(np.diag(sandwich_covariance(one)))
        plain.append(np.diag(one.cov))
    scatter = np.std(at, axis=0)
    np.testing.assert_allclose(np.sqrt(np.mean(claimed, axis=0)), scatter, rtol=0.15)
    assert np.max(np.abs(np.sqrt(np.mean(plain, axis=0)) / scatter - 1)) > 0.15


def test_profile_is_the_least_objective(runs, found):
    """b on its profile: by a fit with b fixed, from its own starts."""
    curve = profile(found, "b", points=9)
    assert curve.values[0] < curve.interval[0] < found.parameters["b"] < curve.interval[1]
    for value, objective in zip(curve.values, curve.objectives, strict=True):
        alone = fit("surface", runs, fixed={"b": value}, delta=found.delta, bootstrap=0)
        assert alone.objective == pytest.approx(objective, rel=1e-9)
    assert np.all(np.diff(curve.values) > 0)
    lowest = np.argmin(curve.objectives)
    assert curve.values[lowest] == pytest.approx(found.parameters["b"])
    assert np.all(np.diff(curve.objectives[: lowest + 1]) < 0)
    assert np.all(np.diff(curve.objectives[lowest:]) > 0)


@pytest.mark.parametrize("name", ["E", "A", "a"])
def test_ends_of_an_interval_lie_at_the_quantile(runs, found, name):
    curve = profile(found, name, level=0.9)
    inside = np.abs(found.residuals) < found.delta
    scale = np.sum(np.clip(found.residuals, -found.delta, found.delta) ** 2) / np.sum(inside)
    assert curve.scale == pytest.approx(scale)
    for end in curve.interval:
        alone = fit("surface", runs, fixed={name: end}, delta=found.delta, bootstrap=0)
        ratio = 2 * (alone.objective - found.objective) / scale
        assert ratio == pytest.approx(chi2.ppf(0.9, 1), rel=1e-4)


def test_intervals_of_a_power_law_are_those_of_a_line():
    """ln L = ln c - gamma ln x is linear: the profile is a parabola, and its interval the textbook's."""
    x = np.geomspace(1, 1e4, 40)
    rng = np.random.default_rng(0)
    losses = 3 * x**-0.4 * np.exp(0.01 * rng.normal(size=40))
    line = fit("power", {"x": x, "loss": losses}, delta=np.inf, bootstrap=0)
    curve = profile(line, "gamma")
    away = np.log(x) - np.mean(np.log(x))
    slope = -np.sum(away * np.log(losses)) / np.sum(away**2)
    deviation = np.sqrt(np.mean(line.residuals**2) / np.sum(away**2))
    width = np.sqrt(chi2.ppf(0.95, 1)) * deviation
    np.testing.assert_allclose(curve.interval, (slope - width, slope + width), rtol=1e-6)
    np.testing.assert_allclose(curve.ratio, ((curve.values - slope) / deviation) ** 2, atol=1e-5)


def test_a_profile_that_never_rises_ends_at_the_bound():
    """No offset in the data: every one that is small enough is as good as none."""
    x = np.geomspace(1, 1e3, 40)
    noise = np.random.default_rng(2).normal(size=40)
    data = {"x": x, "loss": 3 * x**-0.3 * np.exp(0.02 * noise)}
    found = fit("power_offset", data, bootstrap=0)
    low, high = profile(found, "E").interval
    assert low == 0
    assert 0 < high < 1
    bounded = fit("power_offset", data, bounds={"E": (1e-3, 1)}, bootstrap=0)
    assert profile(bounded, "E").interval[0] == pytest.approx(1e-3)


def test_a_profile_agrees_with_a_search_by_scipy(runs, found):
    """The best A for each a, with all others fitted: a minimum over two fixed parameters is one over one."""
    curve = profile(found, "a", points=5)
    columns = {"N": runs.N, "D": runs.D}

    def beside(log_a, value):
        held = fit_law("surface").constrained(fixed={"a": value, "A": np.exp(log_a)})
        start = held.within(found.x)
        return solve(held, columns, runs.loss, delta=found.delta, start=start).objective

    for value, objective in zip(curve.values[::2], curve.objectives[::2], strict=True):
        middle = found.x[1] + (value - found.x[3]) * np.mean(np.log(runs.N))
        best = minimize_scalar(beside, (middle - 0.05, middle + 0.05), args=(value,), tol=1e-10)
        assert best.fun == pytest.approx(objective, rel=1e-7)


def test_refusals(runs, found):
    sharp = fit("surface", runs, delta=1e-4, bootstrap=0)
    for use in (sandwich_covariance, lambda one: profile(one, "a")):
        with pytest.raises(DataError, match="delta = 0.0001"):
            use(sharp)
        with pytest.raises(DomainError, match="has no data"):
            use(from_parameters("besiroglu"))
    with pytest.raises(DomainError, match="unknown parameter 'q'"):
        profile(found, "q")
    with pytest.raises(DomainError, match="is fixed"):
        profile(fit("surface", runs, fixed={"b": 0.37}, bootstrap=0), "b")
    with pytest.raises(DomainError, match="points"):
        profile(found, "a", points=2)
    with pytest.raises(DomainError, match="level"):
        profile(found, "a", level=1.0)
    flat = fit(
        "q + k*(w*x**g + r)**-s",
        {
            "x": np.geomspace(1, 1e6, 31),
            "loss": 0.01 + 0.8 * (0.5 * np.geomspace(1, 1e6, 31) ** 0.9 + 3) ** -0.6,
        },
        delta=0.1,
        bootstrap=0,
    )
    with pytest.raises(DataError, match="cannot be told apart"):
        sandwich_covariance(flat)
