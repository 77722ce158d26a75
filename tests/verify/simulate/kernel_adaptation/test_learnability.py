"""Points of learnability: exact components, stratified data, gates, and the Gaussian process on the same data."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import erf

from scalinglaws.errors import DomainError
from scalinglaws.results import Status
from scalinglaws.solvers.kernels import erf_nngp
from scalinglaws.verify.simulate.kernel_adaptation import (
    LearnabilityPoint,
    _learnability,
    convolutional_point,
    gaussian_process_component,
    gaussian_process_point,
    learnability_point,
    sample_posterior,
    stratified_polynomial,
)


def point(values=(0.2, 0.3), gap=0.0, noise=0.01, r_hat=1.0, troubles=()):
    values = np.array(values)
    ones = np.ones(values.size)
    scatter = 1e-3 * np.array([1, -1] * (values.size // 2))
    return LearnabilityPoint(
        "x",
        8,
        100,
        values,
        0 * ones,
        values + gap + scatter,
        values,
        noise * ones,
        r_hat * ones,
        troubles,
    )


# stratified data


@pytest.mark.parametrize("samples", [1, 2, 50])
def test_every_stratum_has_one_point(samples):
    x, _ = stratified_polynomial(samples, dimension=3, rng=1)
    quantiles = 0.5 * (1 + erf(x[:, 0] / math.sqrt(2)))
    assert sorted(np.floor(quantiles * samples).astype(int)) == list(range(samples))


def test_one_stratum_is_an_independent_normal():
    rng = np.random.default_rng(0)
    firsts = np.array(
        [stratified_polynomial(1, dimension=1, rng=rng)[0][0, 0] for _ in range(4000)]
    )
    assert abs(firsts.mean()) < 4 / math.sqrt(4000)
    assert abs(firsts.var() - 1) < 4 * math.sqrt(2 / 4000)


def test_labels_are_a_normalized_polynomial_without_noise():
    x, y = stratified_polynomial(200, dimension=2, degree=3, rng=0)
    np.testing.assert_allclose(
        y, (x[:, 0] ** 3 - 3 * x[:, 0]) / math.sqrt(6), rtol=1e-12, atol=1e-12
    )
    assert np.mean(y**2) == pytest.approx(1, abs=0.1)


def test_strata_take_noise_from_squared_labels():
    rng = np.random.default_rng(0)
    strata = [np.mean(stratified_polynomial(300, dimension=1, rng=rng)[1] ** 2) for _ in range(200)]
    z = rng.standard_normal((200, 300))
    independent = np.mean((z**3 - 3 * z) ** 2 / 6, axis=1)
    assert np.std(strata) < 0.75 * np.std(independent)
    assert np.mean(strata) == pytest.approx(1, abs=5 * np.std(strata) / math.sqrt(200))


# the Gaussian process


def test_the_linear_kernel_is_ridge_regression():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((40, 5)), np.array([1.0, 2, 0, 0, -1])
    w /= np.linalg.norm(w)
    y = x @ w
    theta = np.linalg.solve(x.T @ x * 0.3 / 5 * 2 + 0.7 * np.eye(5), x.T @ y) * 0.3 / 5 * 2
    found = gaussian_process_component(
        x,
        y,
        ridge=0.7,
        degree=1,
        direction=3 * w,
        weight_variance=0.3,
        readout_variance=2.0,
        activation="linear",
    )
    assert found == pytest.approx(float(theta @ w), rel=1e-12)
    assert gaussian_process_component(x, y, ridge=0.7, degree=3, activation="linear") == 0


@pytest.mark.parametrize("degree", [1, 3, 5])
@pytest.mark.parametrize("variance", [0.5, 1.0, 4.0])
def test_the_component_is_that_of_the_predictor_on_a_grid(degree, variance):
    # two dimensions: the predictor's own values, integrated by the trapezoid rule, which converges exponentially
    rng = np.random.default_rng(3)
    x = rng.standard_normal((12, 2))
    y = rng.standard_normal(12)
    direction = np.array([0.6, 0.8])
    nodes = np.linspace(-9, 9, 361)
    weights = 0.05 * np.exp(-(nodes**2) / 2)
    grid = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    measure = np.multiply.outer(weights, weights).ravel() / (2 * math.pi)
    unit = math.sqrt(variance)
    kernel = 1.7 * erf_nngp(unit * x, depth=1, weight_variance=1.0)
    predictor = (
        1.7
        * erf_nngp(unit * grid, unit * x, depth=1, weight_variance=1.0)
        @ np.linalg.solve(kernel + 0.3 * np.eye(12), y)
    )
    basis = np.polynomial.hermite_e.hermeval(grid @ direction, np.eye(degree + 1)[degree])
    expected = float(measure @ (predictor * basis)) / math.sqrt(math.factorial(degree))
    found = gaussian_process_component(
        x,
        y,
        ridge=0.3,
        degree=degree,
        direction=direction,
        weight_variance=variance,
        readout_variance=1.7,
    )
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_wide_network_of_weak_signal_is_the_gaussian_process():
    x, y = stratified_polynomial(80, dimension=2, rng=0)
    lazy = gaussian_process_component(x, y, ridge=1.0)
    found = sample_posterior(
        x,
        y,
        neurons=300,
        ridge=1.0,
        scale=0.01,
        degrees=[3],
        chains=2,
        draws=150,
        warmup=100,
        rng=1,
    )
    assert found.components.mean() == pytest.approx(
        lazy, abs=4 * found.standard_error["component_3"]
    )


@pytest.mark.slow
def test_the_gaussian_process_costs_what_was_found_independently():
    # 2130 samples at eight dimensions, and .021 at sixteen and 800
    found = gaussian_process_point(2130, dimension=8, datasets=4, rng=0)
    assert found.mean == pytest.approx(0.2, abs=0.02)
    found = gaussian_process_point(800, dimension=16, datasets=4, rng=0)
    assert found.mean == pytest.approx(0.021, abs=0.003)


def test_no_data_teach_nothing():
    assert gaussian_process_component(np.empty((0, 3)), [], ridge=1.0) == 0.0


# points


def test_components_agree_with_a_test_set():
    x, y = stratified_polynomial(150, dimension=3, rng=0)
    z, w = stratified_polynomial(200_000, dimension=3, rng=1)
    found = sample_posterior(
        x,
        y,
        neurons=3,
        ridge=1.0,
        degrees=[3],
        test_inputs=z,
        test_labels=w,
        chains=2,
        draws=4,
        warmup=50,
        rng=2,
        on_failure="return",
    )
    # alignment <f y>/<y^2>; <y^2> is one
    np.testing.assert_allclose(found.components[..., 0], found.alignment, atol=0.01)


def test_a_point_is_its_data_sets():
    given = {"dimension": 3, "datasets": 2, "chains": 2, "draws": 60, "warmup": 80}
    found = learnability_point(120, rng=5, **given)
    again = learnability_point(120, rng=5, **given)
    assert found == again
    assert found.values.shape == found.lazy.shape == found.cold.shape == found.r_hat.shape == (2,)
    np.testing.assert_allclose(found.values, (found.cold + found.planted) / 2)
    assert np.all(found.lazy < found.values)
    assert found.error == pytest.approx(abs(found.values[0] - found.values[1]) / 2)
    first = np.random.default_rng(5).spawn(2)[0].spawn(2)[0]
    x, y = stratified_polynomial(120, dimension=3, rng=first)
    assert found.lazy[0] == gaussian_process_component(x, y, ridge=1.0)


def test_without_the_lazy_limit():
    found = learnability_point(
        60, dimension=2, neurons=3, datasets=2, lazy=False, chains=2, draws=20, warmup=20, rng=0
    )
    assert np.all(np.isnan(found.lazy))
    assert found.learner == "two layers, N = 3"


def test_lazy_convolutional_networks_are_ridge_regression():
    given = {"patches": 2, "patch_size": 3, "datasets": 2, "chains": 2, "draws": 100, "warmup": 100}
    found = convolutional_point(20, channels=100_000, scale=0.01, ridge=0.5, rng=0, **given)
    np.testing.assert_allclose(found.values, found.lazy, rtol=2e-3)


def test_a_gaussian_process_always_counts():
    found = gaussian_process_point(100, dimension=3, datasets=3, rng=0)
    assert found.reason == ""
    assert found.gap == found.gap_error == 0
    np.testing.assert_array_equal(found.values, found.lazy)


# gates


def test_points_that_agree_count():
    assert point().reason == ""
    assert point(gap=0.013).reason == ""  # noise .01/sqrt(2) of the mean of two


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"r_hat": 1.1}, "R-hat 1.100"),
        ({"r_hat": math.inf}, "R-hat inf"),
        ({"r_hat": math.nan}, "R-hat nan"),
        ({"gap": 0.02}, "cold minus planted 0.0200"),
        ({"gap": -0.02}, "cold minus planted -0.0200"),
        ({"troubles": ("3 effective draws of the energy",)}, "3 effective draws"),
    ],
)
def test_points_whose_chains_disagree_do_not_count(changed, reason):
    assert reason in point(**changed).reason


def test_the_gap_has_the_larger_of_two_errors():
    assert point(noise=0.01).gap_error == pytest.approx(0.01 / math.sqrt(2))
    assert point(noise=1e-6).gap_error == pytest.approx(1e-3)  # over data sets


def test_chains_that_have_not_mixed_are_gated():
    found = learnability_point(
        400, dimension=4, datasets=2, chains=2, draws=4, warmup=0, doublings=0, ridge=0.01, rng=0
    )
    assert found.reason


def test_chains_that_disagree_are_run_anew_twice_as_long(monkeypatch):
    calls, good = [], [False, False, True]
    real = _learnability.sample_posterior

    def sampled(*args, draws, warmup, rng, **given):
        calls.append((draws, warmup))
        found = real(*args, draws=draws, warmup=warmup, rng=rng, **given)
        status = Status.CONVERGED if good[(len(calls) - 1) % 3] else Status.MAX_ITERATIONS
        return replace(found, diagnostics=replace(found.diagnostics, status=status))

    monkeypatch.setattr(_learnability, "sample_posterior", sampled)
    given = {"dimension": 2, "datasets": 2, "chains": 2, "draws": 10, "warmup": 6, "rng": 0}
    learnability_point(20, doublings=3, **given)
    assert calls == [(10, 6), (20, 12), (40, 24)] * 2
    calls.clear()
    learnability_point(20, doublings=0, **given)
    assert calls == [(10, 6)] * 2


def test_a_point_survives_a_file(tmp_path):
    found = point(troubles=("no",))
    assert LearnabilityPoint.load(found.save(tmp_path / "point.npz")) == found


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: learnability_point(0, dimension=2, rng=0), "samples"),
        (lambda: learnability_point(10, dimension=0, rng=0), "dimension"),
        (lambda: learnability_point(10, dimension=2, degree=2, rng=0), "odd"),
        (lambda: learnability_point(10, dimension=2, datasets=1, rng=0), "datasets"),
        (lambda: stratified_polynomial(10, dimension=2, degree=41, rng=0), "degree"),
        (lambda: convolutional_point(10, patches=1, patch_size=2, channels=0, rng=0), "channels"),
        (
            lambda: convolutional_point(10, patches=1, patch_size=2, channels=2, chains=1, rng=0),
            "chains",
        ),
        (lambda: gaussian_process_point(10, dimension=2, ridge=0, rng=0), "ridge"),
        (lambda: gaussian_process_component([[1.0]], [1.0], ridge=1.0, degree=2), "odd"),
    ],
)
def test_bad_arguments_are_named(call, complaint):
    with pytest.raises(DomainError, match=complaint):
        call()
