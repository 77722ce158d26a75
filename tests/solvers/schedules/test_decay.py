"""Weight decay along schedules: against the recursion of moments, against constant rates solved at once, refusals."""

import math

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.linear import online_sgd
from scalinglaws.solvers.schedules import EMA, HeavyBall, Schedule, train

INF = math.inf
TASK = PowerLawSpectrum.from_ab(2, 1.5, 200)
GIVEN = {"batch": 3, "noise_variance": 0.2, "weight_decay": 3e-3}


def iterated(rates, decay, batch, noise):
    eigenvalues, signal = TASK.explicit()
    energy, cross, losses = signal, signal, [signal.sum()]
    for eta in rates:
        x, h = eta * eigenvalues, eta * decay
        p = 1 - h - x
        driven = x**2 / batch * (energy.sum() + noise)
        energy = (p**2 + x**2 / batch) * energy + 2 * h * p * cross + h**2 * signal + driven
        cross = p * cross + h * signal
        losses.append(energy.sum())
    return np.array(losses)


@pytest.mark.parametrize("steps", [300, 20_000])
def test_schedules_against_the_recursion(steps):
    """Short runs step by step, long ones in macro steps."""
    schedule = Schedule.wsd(rate=0.2, steps=steps, cooldown=0.3)
    at = [0, 1, 7, steps // 5, steps // 2, steps]
    found = train(schedule, TASK, at=at, **GIVEN)
    assert ("macro" in found.diagnostics.method) == (steps > 2000)
    expected = iterated(schedule(np.arange(steps)), 3e-3, 3, 0.2)[at]
    np.testing.assert_allclose(found.test_loss, expected, rtol=1e-9)
    assert np.all(abs(found.test_loss - expected) <= found.test_error)
    assert found.weight_decay == 3e-3


@pytest.mark.parametrize("features", [INF, 60])
@pytest.mark.parametrize("decay", [1e-2, 1e-4])
def test_constant_rates_are_online_sgd(features, decay):
    steps = 10**7
    at = [0, 1, 100, steps // 3, steps]
    given = {**GIVEN, "features": features, "weight_decay": decay}
    found = train(Schedule.constant(0.2, steps), TASK, at=at, **given)
    expected = online_sgd(at, TASK, learning_rate=0.2, **given)
    np.testing.assert_allclose(found.test_loss, expected.test_loss, rtol=1e-10)


def test_without_decay_nothing_changes():
    schedule = Schedule.wsd(rate=0.2, steps=20_000, cooldown=0.3)
    given = {**GIVEN, "at": [100, 20_000], "features": 60}
    one, two = (train(schedule, TASK, **{**given, "weight_decay": r}) for r in (0.0, 1e-30))
    np.testing.assert_allclose(one.test_loss, two.test_loss, rtol=1e-13)


def test_refusals():
    schedule = Schedule.constant(0.1, 5000)
    for more in ({"method": HeavyBall(0.9)}, {"average": EMA(0.1)}):
        with pytest.raises(DomainError, match="is possible for SGD"):
            train(schedule, TASK, **GIVEN, **more)
    with pytest.raises(DomainError, match="weight_decay"):
        train(schedule, TASK, batch=3, weight_decay=-1)
    with pytest.raises(DomainError, match="weight_decay = 30.0 needs rates of at most 0.0625"):
        train(schedule, TASK, batch=3, weight_decay=30)
    # where every step is taken, what happens decides
    few = train(Schedule.constant(0.2, 50), TASK, batch=3, weight_decay=8, at=50)
    assert few.test_loss == pytest.approx(iterated([0.2] * 50, 8, 3, 0.0)[-1], rel=1e-12)
    with pytest.raises(DomainError, match="unstable"):
        train(Schedule.constant(0.2, 500), TASK, batch=3, weight_decay=12, at=50)
