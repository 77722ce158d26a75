"""Stability of schedules: the criterion against the spectral radius of the moments' own recursion, and what it promises."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.schedules import (
    DANA,
    SGD,
    HeavyBall,
    Nesterov,
    Schedule,
    ScheduleStability,
    stability,
)
from scalinglaws.solvers.schedules._stability import worst

TASK = PowerLawSpectrum.from_ab(2, 1.5)


def moments(lam, rate, batch, method):
    """Return the matrix by which (r, c, p) of all modes move in one step, without label noise."""
    mu = getattr(method, "momentum", 0.0)
    a, one = mu, 1.0
    two, three = (0.0, rate) if isinstance(method, HeavyBall) else (rate, rate * mu)
    if isinstance(method, SGD):
        a, one, two, three = 0.0, 0.0, rate, 0.0
    k, n = two + one * three, lam.size
    matrix = np.zeros((3 * n, 3 * n))
    for i, x in enumerate(lam):
        r, c, p = 3 * i, 3 * i + 1, 3 * i + 2
        # the mean square of the gradient is x (1 + 1/B) r_i plus x/B times all others
        g = np.zeros(3 * n)
        g[r] += x * (1 + 1 / batch)
        for j in range(n):
            g[3 * j] += x / batch
        matrix[r] += k * k * x * g
        matrix[r, r] += 1 - 2 * k * x
        matrix[r, p] += (three * a * x) ** 2
        matrix[r, c] += -2 * three * a * x + 2 * k * three * a * x * x
        matrix[c] += -k * one * g
        matrix[c, c] += a - k * a * x - three * a * one * x
        matrix[c, r] += one
        matrix[c, p] += -three * a * a * x
        matrix[p] += one * one / x * g
        matrix[p, p] += a * a
        matrix[p, c] += 2 * a * one
    return matrix


@settings(max_examples=60)
@given(
    data=st.data(),
    modes=st.integers(1, 5),
    batch=st.sampled_from([1, 2, 4.5, 30]),
    mu=st.floats(0, 0.97),
    kind=st.sampled_from(["SGD", "HeavyBall", "Nesterov"]),
)
def test_the_bound_is_where_moments_grow(data, modes, batch, mu, kind):
    lam = np.array(data.draw(st.lists(st.floats(0.05, 3), min_size=modes, max_size=modes)))
    method = {"SGD": SGD(), "HeavyBall": HeavyBall(mu), "Nesterov": Nesterov(mu)}[kind]
    task = EmpiricalSpectrum(lam, np.ones(modes))
    edge = stability(Schedule.constant(0.01, 10), task, batch=batch, method=method).max_rate
    for factor, stable in ((1 - 1e-4, True), (1 + 1e-4, False)):
        found = stability(Schedule.constant(factor * edge, 10), task, batch=batch, method=method)
        radius = np.max(np.abs(np.linalg.eigvals(moments(lam, factor * edge, batch, method))))
        assert found.stable is stable
        assert bool(radius < 1) is stable, (radius, found)


def test_sgd_is_that_of_the_linear_model():
    for features in (20, 1e4, math.inf):
        for batch in (1, 8, math.inf):
            known = linear.sgd_stability(TASK, features=features, batch=batch, learning_rate=0.3)
            found = stability(
                Schedule.cosine(rate=0.3, steps=100), TASK, features=features, batch=batch
            )
            assert isinstance(found, ScheduleStability)
            assert found.kernel_norm == pytest.approx(known.kernel_norm, rel=1e-9)
            assert found.max_rate == pytest.approx(known.max_learning_rate, rel=1e-9)
            assert found.worst_step == 0


def test_momentum_at_limited_features_is_a_sum_over_its_spectrum():
    from scalinglaws.solvers.equivalents.real_nodes import gauss_nodes

    nodes = gauss_nodes(TASK.modes(), 1000)
    for method in (HeavyBall(0.9), Nesterov(0.9)):
        mu, eta, batch = 0.9, 0.05, 4
        x, m = nodes.rates, nodes.noise
        if isinstance(method, HeavyBall):
            below = 2 * (1 - mu**2) - eta * x * ((1 - mu) + (1 + mu) / batch)
            above = 1 + mu
        else:
            below = 2 * (1 - mu**2) - eta * x * (1 - mu - 4 * mu**2 + (1 + mu) / batch)
            below -= mu * (1 + 2 * mu) * (eta * x) ** 2 * (1 + 1 / batch)
            above = 1 + mu + mu * (1 + 2 * mu) * eta * x
        known = float(m @ (eta * x / batch * above / below))
        found = stability(
            Schedule.constant(eta, 10), TASK, features=1000, batch=batch, method=method
        )
        assert found.kernel_norm == pytest.approx(known, rel=1e-7)


@settings(max_examples=40)
@given(
    b=st.floats(1.1, 4),
    modes=st.integers(1, 300),
    batch=st.floats(1, 1e3),
    mu=st.floats(0, 0.999),
    share=st.floats(1e-6, 0.99),
    nesterov=st.booleans(),
)
def test_norms_in_thirty_digits(b, modes, batch, mu, share, nesterov):
    task = PowerLawSpectrum(b, 1, modes)
    method = Nesterov(mu) if nesterov else HeavyBall(mu)
    bound = stability(Schedule.constant(0.01, 1), task, batch=batch, method=method).max_rate
    rate = share * bound
    found = stability(Schedule.constant(rate, 1), task, batch=batch, method=method)

    def norm(rate):
        eta, m, size = map(mpmath.mpf, (rate, mu, batch))
        total = mpmath.mpf(0)
        for x in map(mpmath.mpf, task.explicit()[0]):
            below = 2 * (1 - m**2) - eta * x * ((1 - m) + (1 + m) / size)
            above = 1 + m
            if nesterov:
                below += eta * x * 4 * m**2 - m * (1 + 2 * m) * (eta * x) ** 2 * (1 + 1 / size)
                above += m * (1 + 2 * m) * eta * x
            if below <= 0:
                return mpmath.inf
            total += eta * x / size * above / below
        return total

    with mpmath.workdps(30):
        # close to the bound rounding of the rate counts
        assert float(abs(found.kernel_norm / norm(rate) - 1)) < 1e-9
        assert norm(bound * (1 - 1e-9)) < 1
        assert norm(bound * (1 + 1e-9)) > 1


@settings(max_examples=60)
@given(data=st.data(), modes=st.integers(1, 6), batch=st.floats(1, 20), seed=st.integers(0, 99))
def test_the_largest_rate_suffices(data, modes, batch, seed):
    # a weighted sum of energies never grows at any smaller rates and larger batches
    lam = np.array(data.draw(st.lists(st.floats(0.05, 3), min_size=modes, max_size=modes)))
    task = EmpiricalSpectrum(lam, np.ones(modes))
    top = 0.999 * stability(Schedule.constant(0.01, 10), task, batch=batch).max_rate
    weight = 1 / (lam * (2 - top * lam * (1 + 1 / batch)))
    rng = np.random.default_rng(seed)
    rho = rng.exponential(size=modes)
    for _ in range(200):
        eta, size = top * rng.uniform(), batch / rng.uniform(1e-3, 1)
        before = weight @ rho
        noise = (eta * lam) ** 2 / size * rho.sum()
        rho = rho * ((1 - eta * lam) ** 2 + (eta * lam) ** 2 / size) + noise
        assert weight @ rho <= before * (1 + 1e-12)


def test_the_worst_step_is_found():
    schedule = Schedule.wsd(rate=0.1, steps=10**6, warmup=1000)
    ramp = Schedule.inverse_power(-1, start=100, rate=1, steps=10**6)
    found = stability(schedule, TASK, batch=4)
    assert found.worst_step >= 999 - 1
    assert found.kernel_norm == stability(Schedule.constant(0.1, 5), TASK, batch=4).kernel_norm
    # rates that rise while batches grow: the worst of all steps
    both = stability(schedule, TASK, batch=ramp)
    t = np.arange(2000.0)
    pairs = zip(schedule(t), ramp(t), strict=True)
    norms = [
        stability(Schedule.constant(float(r), 1), TASK, batch=float(b)).kernel_norm
        for r, b in list(pairs)[::50]
    ]
    assert both.kernel_norm >= 0.999 * max(norms)
    listed = stability(Schedule.from_array([0.1, 3.0, 0.1]), TASK, batch=4)
    assert (listed.stable, listed.worst_step, listed.kernel_norm) == (False, 1, math.inf)


def test_acceleration_has_no_fixed_rate():
    with pytest.raises(DomainError, match="no fixed rate to be judged by"):
        stability(Schedule.constant(0.1, 10), TASK, batch=4, method=DANA())


@pytest.mark.parametrize("batch", [4.0, math.inf])
def test_the_worst_step_of_a_constant_batch_has_the_largest_rate(batch):
    rates = np.array([0.1, 0.3, 0.2, 0.3])
    for schedule in (
        Schedule.from_array(rates),
        Schedule.from_function(lambda t: 0.1 * (3 - np.abs(1 - t)), steps=4, rate=1),
    ):
        found = worst(schedule, Schedule.constant(batch, 4))
        assert [float(column[0]) for column in found] == [1.0, pytest.approx(0.3), batch]
        assert found[0].size == 1


def test_worst_steps_of_listed_rates_and_batches_are_those_of_all_steps():
    rng = np.random.default_rng(0)
    rates, batches = rng.random(400), 1 + rng.integers(0, 50, 400)
    steps, found, sizes = worst(Schedule.from_array(rates), Schedule.from_array(batches))
    kept = [
        t
        for t in range(400)
        if not any(
            (rates[u] >= rates[t] and batches[u] <= batches[t])
            and (rates[u] > rates[t] or batches[u] < batches[t])
            for u in range(400)
        )
    ]
    assert sorted(steps) == kept
    assert np.array_equal(found, rates[steps.astype(int)])
    assert np.array_equal(sizes, batches[steps.astype(int)])
