"""What is assumed: Gaussian features. Those of a kernel on the circle are not, and cost more."""

import numpy as np
import pytest

from scalinglaws.solvers import EmpiricalSpectrum, linear
from scalinglaws.solvers.kernels import circle_eigenvalues, circle_kernel

HARMONICS, DRAWS = 400, 300


def _target(theta):
    return np.sin(theta) + np.sin(2 * theta)


@pytest.mark.parametrize(
    ("samples", "mean", "median"),
    [(5, (1.4, 2.1), (1.2, 1.8)), (20, (4, 10), (2, 3.6)), (100, (5, 15), (4, 9))],
)
def test_kernel_regression_on_the_circle_is_worse_than_gaussian_theory(samples, mean, median):
    rates = circle_eigenvalues(1, harmonics=HARMONICS)
    # one constant, a cosine and a sine of every harmonic; sin and sin 2 have a mean square of 1/2 each
    variances = np.concatenate([rates[:1], np.repeat(rates[1:], 2)])
    power = np.zeros(variances.size)
    power[[2, 4]] = 0.5
    order = np.argsort(-variances)
    order = order[variances[order] > 1e-14]
    theory = linear.ridge(
        EmpiricalSpectrum(variances[order], power[order]), samples=samples
    ).test_loss
    rng, grid = np.random.default_rng(0), 2 * np.pi * np.arange(1000) / 1000
    losses = []
    for _ in range(DRAWS):
        theta = rng.uniform(0, 2 * np.pi, samples)
        gram = circle_kernel(theta[:, None] - theta, 1)
        fitted = circle_kernel(grid[:, None] - theta, 1) @ np.linalg.solve(gram, _target(theta))
        losses.append(np.mean((fitted - _target(grid)) ** 2))
    assert mean[0] < np.mean(losses) / theory < mean[1]
    assert median[0] < np.median(losses) / theory < median[1]
    # Gaussian features of the same variances and signal: 1.16(2), 1.25(5), 1.01(6) times the theory
    drawn, weights = [], np.sqrt(power[order] / variances[order])
    for _ in range(100 if samples == 100 else 400):
        features = rng.standard_normal((samples, order.size)) * np.sqrt(variances[order])
        dual = np.linalg.solve(features @ features.T, features @ weights)
        drawn.append(np.sum(variances[order] * (features.T @ dual - weights) ** 2))
    assert 0.8 < np.mean(drawn) / theory < 1.5
