"""Stated accuracies of the rich flow against thirty digits: the closed form of one mode, and Taylor series of a few."""

import math

import mpmath as mp
import numpy as np
import pytest

from scalinglaws.errors import ConvergenceError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.feature_learning import (
    _flow,
    _scale_limit,
    crossover_time,
    gradient_flow,
    linear_network,
    realization_flow,
)
from scalinglaws.solvers.feature_learning._spectral_measure import Measure

DIGITS = 40


def one_mode(eigenvalue, signal, richness, t):
    r"""Return loss and scale of one mode, from df/dt = lambda (w - f) sqrt(1 + 4 gamma f^2) with lambda w^2 = signal.

    With 2 sqrt(gamma) f = sinh u and v = e^u the equation is a partial fraction.
    """
    with mp.workdps(DIGITS):
        rate, signal, richness, t = (mp.mpf(x) for x in (eigenvalue, signal, richness, t))
        aim = 2 * mp.sqrt(richness * signal / rate)
        root = mp.sqrt(aim**2 + 1)
        low, high = aim - root, aim + root
        growth = (1 - low) / (high - 1) * mp.exp(root * rate * t)
        v = (low + growth * high) / (1 + growth)
        rest = (high - low) / (1 + growth) / 2 * (1 + 1 / (v * high)) / (2 * mp.sqrt(richness))
        return rate * rest**2, (1 + mp.sqrt(1 + ((v - 1 / v) / 2) ** 2)) / 2


def time_of_scale(eigenvalue, signal, richness, scale):
    """Return when one mode has the scale."""
    with mp.workdps(DIGITS):
        rate = mp.mpf(eigenvalue)
        aim = 2 * mp.sqrt(mp.mpf(richness) * mp.mpf(signal) / rate)
        root, reached = mp.sqrt(aim**2 + 1), mp.sqrt((2 * mp.mpf(scale) - 1) ** 2 - 1)
        v, low, high = reached + mp.sqrt(reached**2 + 1), aim - root, aim + root
        return float(mp.log((v - low) / (high - v) * (high - 1) / (1 - low)) / (root * rate))


def off(found, exact):
    """Return the relative error against a number of many digits."""
    with mp.workdps(DIGITS):
        return abs(float((mp.mpf(float(found)) - exact) / exact))


def test_one_mode_at_the_cases_that_were_wrong(reference):
    for eigenvalue, signal, richness, t, loss in reference("feature_learning_accuracy")["one_mode"][
        "values"
    ]:
        found = linear_network(t, EmpiricalSpectrum([eigenvalue], [signal]), richness=richness)
        assert off(one_mode(eigenvalue, signal, richness, t)[0], mp.mpf(loss)) < 1e-9
        assert found.test_loss == pytest.approx(loss, rel=1e-8 + 2e-9 * math.log(1 / loss), abs=0)
        assert abs(found.test_loss - loss) <= found.test_error + 1e-9 * loss


@pytest.mark.parametrize("count", [40, pytest.param(3000, marks=pytest.mark.slow)])
def test_one_mode_early_and_late(count):
    """Errors stay within what the docstring says and within the estimate, down to the smallest loss that is followed."""
    rng = np.random.default_rng(1)
    for _ in range(count):
        eigenvalue, signal = 10 ** rng.uniform(-3, 3, 2)
        richness = 10 ** rng.uniform(-4, 4)
        fastest = eigenvalue * math.sqrt(1 + 4 * richness * signal / eigenvalue)
        t = np.sort(10 ** rng.uniform(-2, math.log10(320), 6)) / fastest
        found = realization_flow(t, [eigenvalue], [signal], richness=richness)
        for i, one in enumerate(t):
            loss, scale = one_mode(eigenvalue, signal, richness, one)
            fallen = max(1.0, math.log(signal) - float(mp.log(loss)))
            assert off(found.train_loss[i], loss) <= 1e-8 + 1e-9 * fallen, (fallen, richness)
            assert off(found.scale[i], scale) <= 1e-8
            assert off(found.train_loss[i], loss) * float(loss) <= found.train_error[i]
            assert off(found.scale[i], scale) * float(scale) <= found.scale_error[i]
        assert found.diagnostics.error_estimate < 1e-6


def test_a_few_modes(reference):
    """Small, merged and nearly unweighted modes, and depth, where the loss has fallen far."""
    for x, mu, richness, depth, t, loss, scale in reference("feature_learning_accuracy")[
        "few_modes"
    ]["values"]:
        found = realization_flow(t, x, mu, richness=richness, depth=depth)
        fallen = max(1.0, math.log(sum(mu) / loss))
        assert found.train_loss == pytest.approx(loss, rel=1e-8 + 1e-9 * fallen, abs=0), (x, t)
        assert found.scale == pytest.approx(scale, rel=1e-8), (x, t)
        assert abs(found.train_loss - loss) <= found.train_error
        assert abs(found.scale - scale) <= found.scale_error


def test_equal_modes_are_one():
    """Modes of the same rate learn alike: split in three, one with hardly any power, they follow the closed form."""
    t = np.array([0.1, 1.0, 5.0, 20.0])
    found = realization_flow(t, [0.7, 0.7, 0.7], [0.5, 1.5, 1e-30], richness=20.0)
    for i, one in enumerate(t):
        loss, scale = one_mode(0.7, 2.0, 20.0, one)
        assert off(found.train_loss[i], loss) * float(loss) <= found.train_error[i]
        assert off(found.train_loss[i], loss) <= 1e-8 + 1e-9 * abs(float(mp.log(loss)))
        assert off(found.scale[i], scale) <= 1e-8


def test_a_loss_too_small_to_be_followed_is_zero_within_its_error():
    found = linear_network([1e3, 1e6], EmpiricalSpectrum([1.0], [1.0]), richness=1.0)
    assert np.all(found.test_loss <= found.test_error)
    assert np.all(found.test_error <= 1e-299)


def test_times_of_a_scale():
    rng = np.random.default_rng(3)
    for _ in range(15):
        eigenvalue, signal = 10 ** rng.uniform(-2, 2, 2)
        richness = 10 ** rng.uniform(-2, 3)
        most = 0.5 + math.sqrt(0.25 + richness * signal / eigenvalue)
        for part in (1e-3, rng.uniform(0.1, 0.9), 1 - 1e-3):
            scale = 1 + part * (most - 1)
            assert crossover_time(
                EmpiricalSpectrum([eigenvalue], [signal]), richness=richness, scale=scale
            ) == pytest.approx(time_of_scale(eigenvalue, signal, richness, scale), rel=2e-9)


def test_a_limit_whose_equation_is_not_solved_is_told(monkeypatch):
    def unsolved(*_, **__):
        return Measure(np.ones(1), np.ones(1), 0.0, 0.0, residual=math.inf)

    monkeypatch.setattr(_scale_limit, "of_kernel", unsolved)
    with pytest.raises(ConvergenceError) as failure:
        gradient_flow(math.inf, PowerLawSpectrum(1.5, 0.5), richness=1, features=40)
    assert math.isnan(failure.value.result.scale)
    found = gradient_flow(
        math.inf, PowerLawSpectrum(1.5, 0.5), richness=1, features=40, on_failure="return"
    )
    assert not found.diagnostics.status.ok
    assert found.scale_error == math.inf
    assert _flow.largest_scale(PowerLawSpectrum(1.5, 0.5), 1.0, 40.0)[1] == math.inf
