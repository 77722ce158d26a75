"""Stated accuracies of kernel adaptation, against thirty digits or another algorithm that has more than it needs."""

import math

import mpmath
import numpy as np
import pytest
from scipy.special import roots_genlaguerre

from scalinglaws.solvers import kernel_adaptation as solve

mp = mpmath.mp


def _overlap(k, m, q):
    """Write the component of erf(w x) on a normalized Hermite polynomial out, k odd."""
    double = mpmath.fac2(k - 2) if k > 1 else mpmath.mpf(1)
    g = 2 / mpmath.sqrt(mp.pi) * mpmath.mpf(-2) ** ((k - 1) // 2) * double
    return m**k * g * (1 + 2 * q) ** (-mpmath.mpf(k) / 2) / mpmath.sqrt(mpmath.factorial(k))


def _expectation(weigh, dimension):
    """Average over the prior of m, the squared length across it at its mean."""
    d = mpmath.mpf(dimension)
    points = [mpmath.mpf(j) / 4 for j in range(-24, 25)]
    return mpmath.sqrt(d / (2 * mp.pi)) * mpmath.quad(
        lambda m: mpmath.exp(-d * m * m / 2) * weigh(m, m * m + (d - 1) / d), points
    )


def _dual(k, t, *, dimension, width, scale):
    """Return the mean predictor and log Z of one feature at a dual variable."""
    rate = mpmath.mpf(scale) / (2 * width)

    def weighted(power):
        def weigh(m, q):
            c = _overlap(k, m, q)
            return c**power * mpmath.exp(rate * (t * c) ** 2)

        return _expectation(weigh, dimension)

    total = weighted(0)
    return t * weighted(2) / total, mpmath.log(total)


@pytest.mark.parametrize(("k", "ridge"), [(1, 0.03), (3, 0.002)])
def test_one_feature_of_two_layers(k, ridge):
    sizes = {"dimension": 20, "width": 200.0, "scale": 100.0}
    found = solve.two_layer(
        [1.0], degrees=[k], ridge_per_sample=ridge, perpendicular="concentrated", **sizes
    )
    with mpmath.workdps(25):

        def slope(t):
            return 1 - ridge * t - _dual(k, t, **sizes)[0]

        start = mpmath.mpf(float(found.dual[0]))
        t = mpmath.findroot(slope, (start * (1 + mpmath.mpf("1e-8")), start), tol=1e-36)
        mean, log_total = _dual(k, t, **sizes)
        value = 100 * t - 50 * mpmath.mpf(ridge) * t**2 - 200 * log_total
    assert found.mean[0] == pytest.approx(float(mean), rel=1e-12, abs=1e-12)
    assert found.free_energy == pytest.approx(float(value), rel=1e-12)
    back = solve.samples_for_alignment(float(mean), degree=k, **sizes)
    assert 1 / back.samples_per_ridge == pytest.approx(ridge, rel=1e-11)


@pytest.mark.parametrize(("k", "ridge"), [(1, 0.03), (3, 0.01)])
def test_one_feature_with_the_length_across_integrated(k, ridge):
    """By 200 nodes of Gauss and Laguerre, in place of a trapezoid in the logarithm."""
    d = 20
    found = solve.two_layer(
        [1.0], degrees=[k], ridge_per_sample=ridge, dimension=d, width=200.0, scale=100.0
    )
    u, weights = roots_genlaguerre(150, (d - 3) / 2)
    m = np.linspace(-6, 6, 6001)
    q = m[:, None] ** 2 + 2 / d * u
    c = np.array(_overlap(k, 1, 0), float) * m[:, None] ** k * (1 + 2 * q) ** (-k / 2)
    tilted = np.exp(-d * m[:, None] ** 2 / 2 + 0.25 * (found.dual[0] * c) ** 2) * weights
    kernel = (tilted * c**2).sum() / tilted.sum()
    t = 1 / (ridge + kernel)
    assert found.dual[0] == pytest.approx(t, rel=1e-11)
    assert found.mean[0] == pytest.approx(1 - ridge * t, rel=1e-12, abs=1e-12)


def test_where_two_modes_are_born():
    """The condition on the curvature at zero, and the equations, in thirty digits."""
    sizes = {"dimension": 50, "width": 100.0, "scale": 100.0}
    found = solve.two_layer_thresholds([1.0], degrees=[1], perpendicular="concentrated", **sizes)
    with mpmath.workdps(30):
        d = mpmath.mpf(50)
        # d = (chi / N) (t c'(0))^2 gives t, and the equations the ridge at which it is the solution
        slope = 2 / mpmath.sqrt(mp.pi) / mpmath.sqrt(1 + 2 * (d - 1) / d)
        t = mpmath.sqrt(d) / slope
        ridge = (1 - _dual(1, t, **sizes)[0]) / t
    assert found.bimodality == pytest.approx(float(ridge), rel=1e-10)


@pytest.mark.parametrize("samples", [5.0, 25.0, 200.0, 5000.0])
def test_free_energy_of_a_convolutional_network(samples):
    given = {"ridge": 0.05, "scale": 50.0, "channels": 200, "patches": 6, "patch_size": 10}
    found = solve.linear_cnn(samples=samples, **given)
    with mpmath.workdps(40):
        P, kappa_0, chi, C, N, S = map(mpmath.mpf, (samples, 0.05, 50, 200, 6, 10))
        kappa_0, d = mpmath.mpf(0.05), N * S

        def pieces(b, kappa):
            modes = ((N, b / d), (N * (S - 1), 1 / d))
            ridge = kappa - kappa_0 - sum(g * v * kappa / (kappa + P * v) for g, v in modes)
            logs = P * (mpmath.log(kappa) - 1 + kappa_0 / kappa)
            logs += sum(g * mpmath.log(1 + P * v / kappa) for g, v in modes)
            value = C / 2 * (b - 1 - mpmath.log(b)) + chi / 2 / (b / d + kappa / P) + logs / 2
            return ridge, value

        def effective(b):
            start = mpmath.mpf(float(found.effective_ridge))
            return mpmath.findroot(lambda kappa: pieces(b, kappa)[0], start)

        def slope(b):
            return mpmath.diff(lambda at: pieces(at, effective(at))[1], b)

        b = mpmath.findroot(slope, mpmath.mpf(float(found.inflation)), tol=1e-24)
        value = pieces(b, effective(b))[1]
    assert found.inflation == pytest.approx(float(b), rel=1e-10)
    assert found.free_energy == pytest.approx(float(value), rel=1e-13)


@pytest.mark.parametrize(("width", "scale"), [(3, 1.0), (20, 20.0), (400, 50.0)])
def test_the_mean_of_a_linear_network(width, scale):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((4, 3)), rng.standard_normal(4)
    found = solve.exact_two_layer_linear(X, y, width=width, scale=scale, ridge=0.3)
    with mpmath.workdps(30):
        values, vectors = mpmath.eigsy(mpmath.matrix((X @ X.T / 3).tolist()))
        values = [max(value, mpmath.mpf(0)) for value in values]
        rotated = vectors.T * mpmath.matrix(y.tolist())
        noise = mpmath.mpf(0.3) / mpmath.mpf(scale)

        def weigh(log_r):
            r = mpmath.exp(log_r)
            found = width * log_r / 2 - r * width * mpmath.mpf(scale) / 2
            for value, part in zip(values, rotated, strict=True):
                variance = r * value + noise
                found -= mpmath.log(variance) / 2 + part**2 / (2 * variance)
            return mpmath.exp(found)

        center = mpmath.log(float(found.readout_square))
        step = 2 / mpmath.sqrt(width)
        points = [center + j * step for j in (-60, -30, -15, *range(-8, 9), 12)]
        total = mpmath.quad(weigh, points)
        shrunk = [
            part
            * mpmath.quad(
                lambda x, value=value: (
                    weigh(x) * mpmath.exp(x) * value / (mpmath.exp(x) * value + noise)
                ),
                points,
            )
            / total
            for value, part in zip(values, rotated, strict=True)
        ]
        mean = np.array([float(entry) for entry in vectors * mpmath.matrix(shrunk)])
    np.testing.assert_allclose(found.mean, mean, atol=1e-10 * np.abs(y).max())


@pytest.mark.parametrize("scale", [20.0, 60.0])
def test_kernels_that_adapt(scale):
    """One layer: the equation for the covariance of weights, iterated with damping until nothing moves."""
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    found = solve.adapt(X, y, layers=[80], activation="erf", scale=scale, ridge=0.4)
    covariance = np.eye(3) / 3

    def activated(covariance):
        kernel = X @ covariance @ X.T
        a = 1 + 2 * np.diagonal(kernel)
        root = np.sqrt(np.outer(a, a))
        u = 2 * kernel / root
        return 2 / math.pi * np.arcsin(u), u, a, root

    for _ in range(4000):
        Q, u, a, root = activated(covariance)
        inverse = np.linalg.inv(Q + 0.4 * np.eye(12))
        tilde = inverse @ y
        pull = -0.5 * (scale * np.outer(tilde, tilde) - inverse)
        B = pull * 2 / math.pi / np.sqrt(1 - u**2)
        gradient = B * 2 / root - 2 * np.diag((B * u).sum(axis=1) / a)
        wanted = 3 * np.eye(3) + 2 / 80 * X.T @ gradient @ X
        covariance = np.linalg.inv(0.9 * np.linalg.inv(covariance) + 0.1 * wanted)
    Q = activated(covariance)[0]
    solved = np.linalg.solve(Q + 0.4 * np.eye(12), y)
    ratio = 3 * covariance
    value = 40 * (np.trace(ratio) - 3 - np.linalg.slogdet(ratio)[1])
    value += scale / 2 * y @ solved + 0.5 * np.linalg.slogdet(Q + 0.4 * np.eye(12))[1]
    assert found.free_energy == pytest.approx(value, rel=1e-9)
    np.testing.assert_allclose(found.mean, Q @ solved, atol=1e-7 * np.abs(y).max())
