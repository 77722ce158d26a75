"""Gauss nodes at finite N: positive, resummed, against gradient descent, contours, and momentum while it is smooth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.equivalents import real_nodes
from scalinglaws.solvers.equivalents.elliptic import contour_nodes, interval, kappas
from scalinglaws.solvers.equivalents.real_nodes import gauss_nodes

INF = math.inf
TASKS = [(2, 1.5), (2.6, 1.4), (1.6, 2), (3.4, 3)]
RATE, BATCH, NOISE = 0.1, 4.0, 0.1
REACH = 2 / (RATE * (1 + 1 / BATCH))


def _losses(nodes, at):
    """Iterate the energies at the nodes of gradient descent, one step after the other."""
    x, energies, found = nodes.rates, nodes.signal.copy(), []
    factor = 1 - 2 * RATE * x + RATE**2 * x**2 * (1 + 1 / BATCH)
    added = nodes.noise * x**2 * RATE**2 / BATCH
    for step in range(at[-1] + 1):
        loss = nodes.floor + float(np.sum(energies))
        if step in at:
            found.append(loss)
        energies = factor * energies + added * (loss + NOISE)
    return np.array(found)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("features", [1.0, 2.5, 1e3, 1e6])
def test_rules_are_positive_and_resum_what_they_stand_for(task, features):
    modes = PowerLawSpectrum.from_ab(*task).modes()
    nodes = gauss_nodes(modes, features)
    low, high = interval(modes, features, 1e-13)
    assert np.all((nodes.rates > low / 2) & (nodes.rates < 2 * high))
    assert np.all((nodes.signal > 0) != (nodes.noise > 0))
    learned = float(np.sum(nodes.signal)) + nodes.floor
    assert learned == pytest.approx(float(np.sum(modes.signal)), rel=1e-12)
    trace = float(np.sum(nodes.noise * nodes.rates))
    assert trace == pytest.approx(float(modes.multiplicities @ modes.eigenvalues), rel=1e-11)
    assert nodes.error < 1e-9


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("features", [1e3, 1e6, 1e9])
def test_losses_of_gradient_descent(task, features):
    spectrum, at = PowerLawSpectrum.from_ab(*task), [300, 1000, 10000]
    exact = linear.online_sgd(
        at, spectrum, features=features, batch=BATCH, learning_rate=RATE, noise_variance=NOISE
    ).test_loss
    np.testing.assert_allclose(
        _losses(gauss_nodes(spectrum.modes(), features), at), exact, rtol=5e-12
    )


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("features", [1.0, 1e3, 1e5, 1e9])
def test_sums_at_all_times(task, features):
    modes = PowerLawSpectrum.from_ab(*task).modes()
    _compared(modes, features, 1e-9, 1e-8)


@pytest.mark.parametrize("features", [90.0, 99.0, 101.0, 1e3])
def test_fewer_modes_or_nearly_as_many(features):
    _compared(PowerLawSpectrum.from_ab(2, 1.5, 100).modes(), features, 1e-9, 3e-8)


def test_as_many_modes_as_features():
    nodes = gauss_nodes(PowerLawSpectrum.from_ab(2, 1.5, 30).modes(), 30)
    assert nodes.error < 1e-3
    assert float(np.sum(nodes.signal)) == pytest.approx(1.57, rel=5e-2)
    assert nodes.floor == 0.0


def _compared(modes, features, signal, noise):
    nodes, best = gauss_nodes(modes, features), contour_nodes(modes, features, tolerance=1e-15)
    low, high = interval(modes, features, 1e-13)
    times = np.geomspace(0.1 / high, 1 / low, 60)[:, None]
    real, contour = np.exp(-2 * times * nodes.rates), np.exp(-2 * times * best.rates)
    exact = 2 * (contour @ best.signal).real
    assert np.all(np.abs(real @ nodes.signal - exact) < signal * (exact + nodes.floor))
    exact = 2 * (contour @ best.noise).real
    np.testing.assert_allclose(real @ (nodes.noise * nodes.rates**2), exact, rtol=noise)
    assert nodes.error < signal


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
def test_the_tolerance_is_kept(tolerance):
    modes = PowerLawSpectrum.from_ab(2, 1.5).modes()
    nodes = gauss_nodes(modes, 1e4, tolerance=tolerance)
    assert nodes.error < tolerance
    assert nodes.rates.size < 2 * (6 + 2.2 * math.log(1 / tolerance))


def test_heavy_ball_while_contours_follow_it():
    # few steps, so that polynomials in the rate stay small on the contour
    modes, features, momentum, rate = PowerLawSpectrum.from_ab(2, 1.5).modes(), 1e3, 0.7, 0.05
    real = gauss_nodes(modes, features)
    contour = contour_nodes(modes, features, tolerance=1e-30)

    def errors(x, steps):
        error, last = np.ones_like(x), np.ones_like(x)
        for _ in range(steps):
            error, last = error - rate * x * error + momentum * (error - last), error
        return error

    for steps in (1, 10, 60):
        found = float(np.sum(real.signal * errors(real.rates, steps) ** 2))
        exact = 2 * float(np.sum(contour.signal * errors(contour.rates, steps) ** 2).real)
        assert found == pytest.approx(exact, rel=1e-9)


@given(st.floats(1.1, 2), st.floats(0.2, 2), st.floats(0, 5), st.floats(0, 6))
def test_any_task(alpha, beta, log_features, log_size):
    size = INF if log_size > 5 else float(round(10**log_size))
    modes, features = PowerLawSpectrum(alpha, beta, size).modes(), 10**log_features
    if features > 100 * size:
        return  # the modes themselves are better
    nodes = gauss_nodes(modes, features)
    assert nodes.error < 1e-3 if abs(size - features) < 1e-2 * features else nodes.error < 2e-9
    assert np.all(nodes.rates > 0)
    total = float(np.sum(modes.signal))
    assert float(np.sum(nodes.signal)) + nodes.floor == pytest.approx(total, rel=1e-8)
    assert nodes.rates.size < 500


def test_without_a_signal_only_noise_is_left():
    nodes = gauss_nodes(EmpiricalSpectrum([1.0, 0.5, 0.2], [0.0, 0.0, 0.0]).modes(), 2)
    assert not np.any(nodes.signal)
    assert nodes.floor == 0.0
    assert np.sum(nodes.noise * nodes.rates) == pytest.approx(1.7, rel=1e-12)


def test_refusals(monkeypatch):
    modes = PowerLawSpectrum.from_ab(2, 1.5).modes()
    with pytest.raises(DomainError, match="finite number of features"):
        gauss_nodes(modes, INF)
    monkeypatch.setattr(real_nodes, "kappas", lambda *given: (*kappas(*given)[:2], False))
    with pytest.raises(ConvergenceError, match="features = 100"):
        gauss_nodes(modes, 100)


@pytest.mark.parametrize("features", [10.0, 101.0, 1e4, 1e9])
def test_degenerate_levels(features):
    modes = EmpiricalSpectrum([1e-2, 1e-4, 1e-6], [0.5, 0.3, 0.2], [100, 5049, 171600]).modes()
    _compared(modes, features, 1e-10, 1e-9)


def test_modes_one_by_one_where_features_abound():
    spectrum = PowerLawSpectrum.from_ab(2, 1.5, 10)
    nodes = gauss_nodes(spectrum.modes(), 1e12)
    places, weights = nodes.rates[nodes.signal > 0], nodes.signal[nodes.signal > 0]
    lam, signal = spectrum.explicit()
    for t in (0.0, 3.0, 30.0):
        assert weights @ np.exp(-t * places) == pytest.approx(signal @ np.exp(-t * lam), rel=1e-9)
    assert nodes.error < 1e-9
