"""Accumulated noise against sums over all steps in 30 digits, its limits, and its speed."""

import math
import time

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers.schedules import Schedule, accumulated_noise

RANDOM = Schedule.from_array(np.random.default_rng(7).uniform(0, 0.5, 400))
COSINE = Schedule.cosine(rate=0.3, steps=500)
GAPS = Schedule.from_array(np.where(np.arange(300) // 50 % 2, 0.0, 0.7) + (np.arange(300) == 299))


def _exact(schedule, t, c, chi):
    """Return the noise and its derivatives, the latter as differences, from 40 digits."""
    with mp.workdps(40):
        rates = [mp.mpf(float(rate)) for rate in schedule.values()[:t]]

        def noise(c, chi):
            def integral(u):
                return (
                    mp.log1p(c * u) / c
                    if chi == 1
                    else (1 - (1 + c * u) ** (1 - chi)) / (c * (chi - 1))
                )

            total, u, before = mp.mpf(0), mp.mpf(0), mp.mpf(0)
            for rate in reversed(rates):
                u += rate
                now = integral(u)
                total += rate * (now - before)
                before = now
            return total

        c, chi, small = mp.mpf(c), mp.mpf(chi), mp.mpf(10) ** -12
        by_c = (noise(c * (1 + small), chi) - noise(c * (1 - small), chi)) / (2 * c * small)
        by_chi = (noise(c, chi + small) - noise(c, chi - small)) / (2 * small)
        return float(noise(c, chi)), float(by_c), float(by_chi)


@pytest.mark.parametrize("schedule", [RANDOM, COSINE, GAPS])
@pytest.mark.parametrize(
    ("c", "chi"),
    [
        (1e-3, 1.3),
        (0.5, 1.4),
        (3, 1),
        (3, 1 + 1e-9),
        (40, 1.4),
        (1e6, 1.2),
        (2, 0.5),
        (2, 7),
        (0.3, 40),
    ],
)
def test_thirty_digits(schedule, c, chi):
    at = [1, 13, 100, schedule.steps]
    found = accumulated_noise(schedule, at, decay_rate=c, exponent=chi)
    expected = np.array([_exact(schedule, t, c, chi) for t in at]).T
    np.testing.assert_allclose(found.noise, expected[0], rtol=1e-12)
    np.testing.assert_allclose(found.by_decay_rate, expected[1], rtol=1e-11)
    np.testing.assert_allclose(found.by_exponent, expected[2], rtol=1e-11)


def test_nothing_fades_without_a_decay_rate():
    found = accumulated_noise(RANDOM, decay_rate=0, exponent=1.4)
    np.testing.assert_allclose(
        found.noise, np.append(0, np.cumsum(RANDOM.values() ** 2)), rtol=1e-12
    )
    assert not np.any(found.by_exponent)


def test_a_constant_rate_in_closed_form():
    """Rate times G of the intrinsic time, however many steps."""
    at = np.array([1, 7, 1000, 99_999, 10**5])
    for chi in (1.375, 2.0):
        found = accumulated_noise(Schedule.constant(0.05, 10**5), at, decay_rate=3, exponent=chi)
        exact = 0.05 * -np.expm1((1 - chi) * np.log1p(3 * 0.05 * at)) / (3 * (chi - 1))
        np.testing.assert_allclose(found.noise, exact, rtol=1e-12)
        np.testing.assert_allclose(found.intrinsic_time, 0.05 * at, rtol=1e-14)


def test_by_parts_it_is_the_multi_power_law():
    """C eta_0 G(tau) less the sum of drops of the rate times G of the time since."""
    schedule = Schedule.wsd(rate=0.2, steps=3000, cooldown=0.3)
    rates, c, chi = schedule.values(), 1.7, 1.4
    times = np.append(0, np.cumsum(rates))

    def integral(u):
        return (1 - (1 + c * u) ** (1 - chi)) / (c * (chi - 1))

    drops = (rates[:-1] - rates[1:]) * integral(times[-1] - times[1:-1])
    expected = rates[0] * integral(times[-1]) - np.sum(drops)
    found = accumulated_noise(schedule, 3000, decay_rate=c, exponent=chi)
    assert isinstance(found.noise, float)
    assert found.noise == pytest.approx(expected, rel=1e-12)


@given(
    st.lists(st.floats(0.001, 10), min_size=1, max_size=80),
    st.floats(1e-6, 1e6),
    st.floats(0.05, 20),
)
def test_all_prefixes_agree_with_plain_sums(rates, c, chi):
    schedule = Schedule.from_array(rates)
    found = accumulated_noise(schedule, decay_rate=c, exponent=chi).noise
    for t in range(len(rates) + 1):
        u = np.append(np.cumsum(np.array(rates[:t])[::-1])[::-1], 0.0)
        logs = np.log1p(c * u)
        z = (1 - chi) * (logs[:-1] - logs[1:])
        mean = np.where(np.abs(z) < 1e-12, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))
        cells = np.exp((1 - chi) * logs[1:]) * (logs[:-1] - logs[1:]) * mean / c
        assert found[t] == pytest.approx(float(np.sum(np.array(rates[:t]) * cells)), rel=1e-7)


def test_fast():
    """72 000 steps at 120 points, as fits to measured curves ask for."""
    schedule = Schedule.wsd(rate=0.1, steps=72_000)
    at = np.unique(np.geomspace(20, 72_000, 120).astype(int))
    accumulated_noise(schedule, at, decay_rate=2, exponent=1.4)
    spent = []
    for _ in range(3):
        start = time.process_time()
        accumulated_noise(schedule, at, decay_rate=2, exponent=1.4)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1


def test_refused():
    for wrong, message in [
        ({"decay_rate": -1}, "decay_rate"),
        ({"decay_rate": math.inf}, "decay_rate"),
        ({"exponent": 0}, "exponent"),
        ({"exponent": 101}, "exponent"),
        ({"at": 501}, "at"),
    ]:
        with pytest.raises(DomainError, match=message):
            accumulated_noise(COSINE, **{"decay_rate": 1, "exponent": 1.4, **wrong})
    with pytest.raises(DomainError, match="schedule"):
        accumulated_noise([0.1], decay_rate=1, exponent=1.4)
    with pytest.raises(ResourceError):
        accumulated_noise(Schedule.cosine(rate=1, steps=10**13), decay_rate=1, exponent=1.4)
