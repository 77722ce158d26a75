"""Schedules where rates or times are taken: the same as their numbers; and what a schedule does to small steps of a rich network."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.feature_learning import (
    gradient_descent,
    gradient_flow,
    online_dmft,
    reuse_dmft,
)
from scalinglaws.solvers.schedules import Schedule
from scalinglaws.verify.simulate import feature_learning as simulated

TASK = PowerLawSpectrum(1.5, 0.75, 40)
SCHEDULE = Schedule.wsd(rate=0.2, steps=30, cooldown=0.4, warmup=4)


def _online(rates, steps=30):
    return online_dmft(steps, TASK, features=20, batch=10, learning_rate=rates, richness=1)


def _reuse(rates, steps=30):
    return reuse_dmft(steps, TASK, features=20, samples=15, learning_rate=rates, richness=1)


def _descent(rates, steps=30):
    return gradient_descent(steps, TASK, richness=1, learning_rate=rates)


def _relative(rates, steps=30):
    return gradient_descent(steps, TASK, richness=1, relative_rate=rates)


CALLS = (_online, _reuse, _descent, _relative)


@pytest.mark.parametrize("call", CALLS)
def test_a_schedule_is_its_rates(call):
    found, listed = call(SCHEDULE), call(SCHEDULE.values())
    np.testing.assert_array_equal(found.test_loss, listed.test_loss)
    np.testing.assert_array_equal(found.learning_rate, listed.learning_rate)
    assert call(Schedule.from_array(SCHEDULE.values())).test_loss[-1] == listed.test_loss[-1]


@pytest.mark.parametrize("call", CALLS)
def test_a_schedule_of_other_steps_is_refused(call):
    with pytest.raises(DomainError, match="must have the 29 steps of the run; it has 30"):
        call(SCHEDULE, 29)


def test_steps_that_are_not_taken_are_refused_as_in_an_array():
    with pytest.raises(DomainError, match="learning_rate"):
        _online(Schedule.from_array([0.1, 0.0] * 15))


def test_the_flow_along_a_schedule_is_the_flow_at_its_intrinsic_times():
    found = gradient_flow(SCHEDULE, TASK, richness=[[0.0], [2.0]], features=20)
    times = np.concatenate(([0.0], np.cumsum(SCHEDULE.values())))
    assert found.t.shape == (2, 31)
    np.testing.assert_array_equal(found.t[0], times)
    np.testing.assert_allclose(found.t[0, -1], SCHEDULE.intrinsic_time, rtol=1e-14)
    again = gradient_flow(times, TASK, richness=[[0.0], [2.0]], features=20)
    np.testing.assert_array_equal(found.test_loss, again.test_loss)


def test_steps_of_any_schedule_deviate_from_the_flow_in_proportion_to_their_rates():
    given = {"features": 40, "richness": 2.0, "draws": 4, "rng": 1}
    task, end = PowerLawSpectrum(1.5, 0.5, 60), 8.0
    flow = simulated.gradient_flow(end, task, **given).test_loss
    excess = []
    for rate in (0.04, 0.02, 0.01):
        steps = round(2 * end / rate)
        rates = Schedule.power(1, rate=rate, steps=steps).values()
        decay, constant = (
            simulated.gradient_descent(row.size, task, learning_rate=row, **given).test_loss
            for row in (rates * end / rates.sum(), np.full(steps, end / steps))
        )
        excess.append((decay / flow - 1, decay / constant - 1))
    off, between = np.abs(np.mean(excess, axis=2)).T
    assert off[0] < 5e-3
    for row in (off, between):  # half the rate, half the deviation
        np.testing.assert_allclose(row[:-1] / row[1:], 2, rtol=0.1)
