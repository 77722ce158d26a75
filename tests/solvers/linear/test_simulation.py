"""Training of the random-feature model against draws: flow, descent with momentum, and one-pass SGD."""

import math

import numpy as np
import pytest

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.linear import gradient_descent, gradient_flow, online_sgd

MODES, FEATURES, SAMPLES, NOISE = 400, 60, 150, 0.09
TASK = PowerLawSpectrum.from_ab(2, 1.5, MODES)


def draws(count, seed):
    """Yield a projection, and features and labels of a sample."""
    rng = np.random.default_rng(seed)
    eigenvalues, signal = TASK.explicit()
    target = np.sqrt(signal / eigenvalues)
    for _ in range(count):
        project = rng.standard_normal((FEATURES, MODES)) / math.sqrt(FEATURES)
        psi = rng.standard_normal((SAMPLES, MODES)) * np.sqrt(eigenvalues)
        labels = psi @ target + math.sqrt(NOISE) * rng.standard_normal(SAMPLES)
        yield (
            rng,
            project,
            psi @ project.T,
            labels,
            lambda v, project=project: np.sum(eigenvalues * (target - project.T @ v) ** 2),
        )


def agree(found, expected):
    """Compare means over draws with theory: within three standard errors and the next order in 1/N."""
    found = np.array(found)
    error = found.std(axis=0) / math.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0) - expected) < 3 * error + 1.5 / FEATURES * expected)
    assert np.all(error < 0.03 * expected)


def test_gradient_flow():
    times = np.array([1.0, 10.0, 100.0, 1e3, 1e4])
    found = []
    for _, _, phi, labels, test_loss in draws(60, 1):
        rates, basis = np.linalg.eigh(phi.T @ phi / SAMPLES)
        drive = basis.T @ (phi.T @ labels / SAMPLES)
        paths = [basis @ (-np.expm1(-rates * t) / rates * drive) for t in times]
        found.append([[test_loss(v), np.mean((labels - phi @ v) ** 2)] for v in paths])
    theory = gradient_flow(times, TASK, features=FEATURES, samples=SAMPLES, noise_variance=NOISE)
    agree(found, np.stack([theory.test_loss, theory.train_loss], axis=1))


@pytest.mark.parametrize(("rate", "momentum"), [(0.15, 0.0), (0.15, 0.8), (0.9, 0.0)])
def test_gradient_descent(rate, momentum):
    steps = [5, 30, 280]
    found = []
    for _, _, phi, labels, test_loss in draws(60, 2):
        now = before = np.zeros(FEATURES)
        row = []
        for n in range(1, steps[-1] + 1):
            now, before = (
                now - rate / SAMPLES * (phi.T @ (phi @ now - labels)) + momentum * (now - before),
                now,
            )
            if n in steps:
                row.append([test_loss(now), np.mean((labels - phi @ now) ** 2)])
        found.append(row)
    sizes = {"features": FEATURES, "samples": SAMPLES, "noise_variance": NOISE}
    theory = gradient_descent(steps, TASK, **sizes, learning_rate=rate, momentum=momentum)
    agree(found, np.stack([theory.test_loss, theory.train_loss], axis=1))


def test_online_sgd():
    eigenvalues, signal = TASK.explicit()
    target = np.sqrt(signal / eigenvalues)
    steps, batch, rate = [5, 30, 200], 8, 0.3
    found = []
    for rng, project, _, _, test_loss in draws(80, 3):
        v, row = np.zeros(FEATURES), []
        for n in range(1, steps[-1] + 1):
            psi = rng.standard_normal((batch, MODES)) * np.sqrt(eigenvalues)
            labels = psi @ target + math.sqrt(NOISE) * rng.standard_normal(batch)
            phi = psi @ project.T
            v = v - rate / batch * (phi.T @ (phi @ v - labels))
            if n in steps:
                row.append(test_loss(v))
        found.append(row)
    theory = online_sgd(
        steps, TASK, features=FEATURES, batch=batch, learning_rate=rate, noise_variance=NOISE
    )
    agree(found, theory.test_loss)
