"""Online SGD with a memory of vectors: against the march over pairs of steps, with unlimited and limited features."""

import math

import numpy as np
import pytest

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.feature_learning import online_dmft
from scalinglaws.solvers.feature_learning.dmft.compression import Compression
from scalinglaws.solvers.feature_learning.dmft.memory import Memory
from scalinglaws.solvers.feature_learning.dmft.nodes import nodes_for

INF = math.inf


def remembered(steps, spectrum, features, batch, rate, richness, variance, noise, *, finer=False):
    """Return losses and scales of the exact recursion."""
    nodes = nodes_for(spectrum, features, steps, finer=finer)
    memory = Memory(nodes, richness, noise, variance)
    found = [(memory.loss(), memory.scale)]
    rates = np.broadcast_to(rate, steps)
    for t in range(steps):
        memory.step(rates[t], batch)
        found.append((memory.loss(), memory.scale))
    losses, scales = np.array(found).T
    return losses + nodes.floor, scales


@pytest.mark.parametrize(
    ("size", "beta", "features", "variance", "noise", "tolerance"),
    [
        (INF, 0.5, INF, 0.0, 0.0, 1e-14),
        (INF, 0.5, INF, 1.5, 0.3, 1e-14),
        (INF, 0.5, 20, 0.0, 0.0, 1e-12),
        (INF, 0.5, 20, 1.5, 0.0, 1e-12),
        (40, 0.5, 60, 1.5, 0.2, 1e-11),
    ],
)
def test_the_recursion_is_the_march(size, beta, features, variance, noise, tolerance):
    spectrum = PowerLawSpectrum(1.5, beta, size)
    for rate in (0.05, 0.05 / (1 + 0.05 * np.arange(60))):
        given = {"richness": 1, "initial_variance": variance, "noise_variance": noise}
        march = online_dmft(60, spectrum, features=features, batch=10, learning_rate=rate, **given)
        losses, scales = remembered(60, spectrum, features, 10.0, rate, 1, variance, noise)
        np.testing.assert_allclose(losses, march.test_loss, rtol=tolerance)
        np.testing.assert_allclose(scales, march.scale, rtol=tolerance)


def test_long_steps_need_a_contour_close_to_the_spectrum():
    spectrum = PowerLawSpectrum(1.5, 0.75, 40)
    march = online_dmft(
        60, spectrum, features=20, batch=10, learning_rate=0.25, richness=2, initial_variance=1.5
    )
    close = remembered(60, spectrum, 20, 10.0, 0.25, 2, 1.5, 0.0, finer=True)[0]
    np.testing.assert_allclose(close, march.test_loss, rtol=1e-11)
    wide = remembered(60, spectrum, 20, 10.0, 0.25, 2, 1.5, 0.0)[0]
    assert np.max(np.abs(wide / march.test_loss - 1)) > 1e-11


@pytest.mark.parametrize(
    ("beta", "richness", "rate", "batch", "coarse", "fine"),
    [(0.5, 1, 0.05, 10, 2e-6, 3e-7), (1.25, 1, 0.1, 5, 2e-6, 6e-7)],
)
def test_compression(beta, richness, rate, batch, coarse, fine):
    spectrum = PowerLawSpectrum(1.5, beta)
    march = online_dmft(400, spectrum, batch=batch, learning_rate=rate, richness=richness)
    nodes = nodes_for(spectrum, INF, 400)
    for window, tolerance, allowed in ((4, 1e-6, coarse), (8, 1e-7, fine)):
        memory = Memory(nodes, richness, 0.0, 0.0)
        held = Compression(memory, window, tolerance)
        for t in range(400):
            held.step(rate, batch)
            assert abs(memory.loss() / march.test_loss[t + 1] - 1) < allowed
            assert abs(memory.scale / march.scale[t + 1] - 1) < allowed
        assert memory.count < 260  # of 800


def test_without_richness_there_is_no_memory():
    spectrum = PowerLawSpectrum(1.5, 0.5)
    memory = Memory(nodes_for(spectrum, INF, 40), 0.0, 0.1, 0.0)
    for _ in range(40):
        memory.step(0.1, 5.0)
    march = online_dmft(40, spectrum, batch=5, learning_rate=0.1, richness=0, noise_variance=0.1)
    assert memory.count == 0
    np.testing.assert_allclose(memory.loss(), march.test_loss[-1], rtol=1e-13)


@pytest.mark.parametrize(("features", "modes"), [(12, 25), (40, 25)])
def test_one_draw_of_features_is_unlimited_features_of_another_covariance(features, modes):
    """Real SGD of a network, with its readout and label noise, and the Markovian recursion on the row space of its features."""
    rng = np.random.default_rng(5)
    batch, richness, rate, steps = 3, 3.0, 0.02, 120
    eigenvalues = np.arange(1, modes + 1) ** -1.5
    target = rng.normal(size=modes) * np.sqrt(np.arange(1, modes + 1) ** 0.25)
    first = rng.normal(size=(features, modes))
    w = 1.2 * rng.normal(size=features)
    A = first.copy()
    # the reduced model: u = w/sqrt(N), X = A S_0^(-1/2)/sqrt(N) on the row space
    values, vectors = np.linalg.eigh(first.T @ first / features)
    kept = values > 1e-9 * values[-1]
    root = np.sqrt(values[kept])[:, None] * vectors[:, kept].T  # S_0^(1/2), to the row space
    u, X = w / np.sqrt(features), first @ vectors[:, kept] / np.sqrt(features * values[kept])
    np.testing.assert_allclose(X.T @ X, np.eye(kept.sum()), atol=1e-12)
    g, H, c = X.T @ u, np.eye(kept.sum()), u @ u
    for _ in range(steps):
        psi = rng.normal(size=(batch, modes)) * np.sqrt(eigenvalues)
        labels = psi @ target + 0.5 * rng.normal(size=batch)
        signal = psi.T @ (labels - psi @ A.T @ w / features) / batch
        moved = w + rate * A @ signal
        A = A + rate * richness / features * np.outer(w, first.T @ first @ signal)
        w = moved
        phi = psi @ root.T
        e = rate * phi.T @ (labels - phi @ g) / batch
        alpha, square = g @ e, e @ H @ e
        g, H, c = (
            g + (H + richness * c * np.eye(g.size)) @ e + richness * alpha * e,
            H + richness * (np.outer(g, e) + np.outer(e, g)) + richness**2 * c * np.outer(e, e),
            c + 2 * alpha + square,
        )
    np.testing.assert_allclose(root.T @ g, A.T @ w / features, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(c, w @ w / features, rtol=1e-12)


def test_noise_is_the_part_of_the_target_out_of_reach():
    """The floor of N features is what they cannot express, and acts as label noise would."""
    spectrum = PowerLawSpectrum(1.5, 0.5, 40)
    nodes = nodes_for(spectrum, 10, 200)
    power = float(np.sum(nodes.signal).real) + nodes.floor
    np.testing.assert_allclose(power, float(np.sum(spectrum.explicit()[1])), rtol=1e-10)
    np.testing.assert_allclose(
        float(np.sum(nodes.variances).real), float(np.sum(spectrum.explicit()[0])), rtol=1e-10
    )
