"""Linear networks of two layers at any width: reference values, quadrature, limits, and what adapted kernels miss."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from scalinglaws.errors import DomainError, ExtrapolationWarning, ResourceError
from scalinglaws.solvers.kernel_adaptation import adapt, exact_two_layer_linear
from scalinglaws.solvers.kernel_adaptation._exact_linear import _stirling

I, J = np.arange(1, 21)[:, None], np.arange(1, 6)[None]
X = np.sqrt(2) * np.cos(1.7 * I * J + 0.9 * I + 0.3 * J**2)
Y = X[:, 0] + 0.1 * (X[:, 0] ** 3 - 3 * X[:, 0])


def relative(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


def adapted(width, scale):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        return adapt(X, Y, layers=[width], activation="linear", scale=scale, ridge=0.2)


def test_known_means(reference):
    for width, mean in reference("kernel_adaptation_general")["exact"]:
        found = exact_two_layer_linear(X, Y, width=width, scale=width, ridge=0.2)
        np.testing.assert_allclose(found.mean[:3], mean, atol=1e-8)
        assert found.diagnostics.error_estimate < 1e-12


@pytest.mark.parametrize(("width", "scale"), [(1, 1.0), (3, 50.0), (20, 20.0), (200, 2.0)])
def test_another_quadrature(width, scale):
    """Over r itself, with the covariance of the targets inverted as it stands."""
    kernel = X @ X.T / 5
    prior = stats.chi2(width, scale=1 / (width * scale))

    def weigh(r):
        covariance = r * kernel + 0.2 / scale * np.eye(20)
        return prior.pdf(r) * np.exp(stats.multivariate_normal(cov=covariance).logpdf(Y) + 20)

    def point(r):
        return weigh(r) * (
            r * kernel[0] @ np.linalg.solve(r * kernel + 0.2 / scale * np.eye(20), Y)
        )

    found = exact_two_layer_linear(X, Y, width=width, scale=scale, ridge=0.2)
    points = found.readout_square * np.array([0.3, 0.7, 1, 1.5, 3])
    given = {"points": points, "limit": 500, "epsabs": 0, "epsrel": 1e-10}
    top = found.readout_square * 40
    total = integrate.quad(weigh, 0, top, **given)[0]
    assert found.mean[0] == pytest.approx(
        integrate.quad(point, 0, top, **given)[0] / total, rel=1e-7
    )
    assert found.log_evidence == pytest.approx(math.log(total) - 20, rel=1e-7)


def test_the_error_of_adapted_kernels_falls_as_one_over_the_width(reference):
    known = reference("kernel_adaptation_general")
    errors = {}
    for width, scale, wanted in known["relative_errors"]:
        exact = exact_two_layer_linear(X, Y, width=width, scale=scale, ridge=0.2).mean
        errors[width, scale] = relative(adapted(width, scale).mean, exact)
        assert errors[width, scale] == pytest.approx(wanted, rel=0.03)  # two digits are known
    scaled = [width * errors[width, width] for width in (20, 100, 1000)]
    assert scaled[2] == pytest.approx(scaled[1], rel=0.01)
    assert scaled[1] == pytest.approx(scaled[0], rel=0.05)
    # at the standard scale, kernels that do not adapt are nearer
    exact = exact_two_layer_linear(X, Y, width=100, scale=1.0, ridge=0.2).mean
    lazy = relative(adapted(100, 1.0).nngp_mean, exact)
    assert lazy == pytest.approx(known["nngp_relative_error_at_scale_1"], rel=0.05)
    assert lazy < errors[100, 1]


def test_the_free_energy_is_the_evidence_up_to_a_constant_of_order_one():
    gaps = []
    for width in (100, 1000, 10_000):
        exact = exact_two_layer_linear(X, Y, width=width, scale=width, ridge=0.2)
        constant = 10 * math.log(2 * math.pi / width)
        gaps.append(-exact.log_evidence - constant - adapted(width, width).free_energy)
    assert gaps[2] == pytest.approx(gaps[1], abs=1e-3)
    assert abs(gaps[2]) < 5  # of free energies around 9000


def test_infinite_width_is_ridge_regression():
    kernel = X @ X.T / 5
    mean = kernel @ np.linalg.solve(kernel + 0.2 * np.eye(20), Y)
    found = exact_two_layer_linear(X, Y, width=10**9, scale=1.0, ridge=0.2)
    np.testing.assert_allclose(found.mean, mean, atol=1e-7)
    assert found.readout_square == pytest.approx(1, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 6),
    st.sampled_from([1, 2, 30, 10**6, 10**9]), st.floats(-3, 6), st.floats(-4, 3),
)  # fmt: skip
def test_means_are_linear_functions_and_shrink(seed, n, d, width, log_scale, log_ridge):
    rng = np.random.default_rng(seed)
    inputs, targets = rng.standard_normal((n, d)), rng.standard_normal(n)
    found = exact_two_layer_linear(
        inputs, targets, width=width, scale=10**log_scale, ridge=10**log_ridge
    )
    np.testing.assert_allclose(inputs @ found.weights, found.mean, atol=1e-9)
    assert found.mean @ targets >= 0
    assert np.linalg.norm(found.mean) <= np.linalg.norm(targets) * (1 + 1e-12)
    assert found.diagnostics.error_estimate < 1e-8


def test_units_do_not_matter():
    one = exact_two_layer_linear(X, Y, width=5, scale=7.0, ridge=0.2)
    other = exact_two_layer_linear(
        3 * X, 2 * Y, width=5, scale=7.0, ridge=0.8, readout_variance=2.0, weight_variance=2 / 9
    )
    np.testing.assert_allclose(other.mean, 2 * one.mean, rtol=1e-10)


@pytest.mark.parametrize("half", [0.5, 3.0, 200.0, 9999.0, 10001.0, 5e8])
def test_logarithms_of_gamma_functions_do_not_cancel(half):
    with mpmath.workdps(40):
        x = mpmath.mpf(half)
        wanted = float(x * mpmath.log(x) - x - mpmath.loggamma(x))
    assert _stirling(half) == pytest.approx(wanted, abs=2e-11)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width = 0"),
        ({"scale": -1}, "scale"),
        ({"ridge": 0}, "ridge = 0 must be > 0"),
        ({"ridge": 1e-300}, "ridge = 1e-300 is too small"),
        ({"y": np.column_stack([Y, Y])}, "y must hold one target for each of 20 inputs"),
    ],
)
def test_refusals(change, message):
    given = {"X": X, "y": Y, "width": 20, "scale": 1.0, "ridge": 0.2} | change
    with pytest.raises(DomainError, match=message):
        exact_two_layer_linear(given.pop("X"), given.pop("y"), **given)


def test_memory_is_asked_for_before_it_is_taken(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "10KB")
    with pytest.raises(ResourceError, match="singular"):
        exact_two_layer_linear(X, Y, width=20, scale=1.0, ridge=0.2)
