"""Schedules, methods and averages as objects: their formulas, breaks, sums, and what they refuse."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.solvers.equivalents.macro_steps import backward, mesh, radau
from scalinglaws.solvers.schedules import DANA, EMA, HeavyBall, Nesterov, Schedule, TailAverage


def test_formulas():
    t = np.arange(1000.0)
    left = 1 - t / 1000
    for schedule, values in (
        (Schedule.constant(0.3, 1000), np.full(1000, 0.3)),
        (Schedule.power(1.5, rate=0.3, steps=1000), 0.3 * left**1.5),
        (Schedule.cosine(rate=0.3, steps=1000), 0.15 * (1 + np.cos(np.pi * t / 1000))),
        (Schedule.wsd(rate=0.3, steps=1000, cooldown=0.25), 0.3 * np.minimum(1, left / 0.25)),
        (
            Schedule.wsd(rate=0.3, steps=1000, cooldown=0.25, warmup=10),
            0.3 * np.minimum(1, left / 0.25) * np.minimum(1, (t + 1) / 10),
        ),
        (Schedule.inverse_power(0.4, start=20, rate=0.3, steps=1000), 0.3 * (1 + t / 20) ** -0.4),
        (Schedule.exponential(0.01, rate=0.3, steps=1000), 0.3 * 0.01 ** (t / 1000)),
        (Schedule.from_function(lambda t: 1 / (1 + t), steps=1000, rate=0.3), 0.3 / (1 + t)),
        (Schedule.from_array(0.1 + t), 0.1 + t),
    ):
        assert schedule.values() == pytest.approx(values, rel=1e-13, abs=1e-16), schedule
        assert schedule.intrinsic_time == pytest.approx(values.sum(), rel=1e-13)
        assert schedule.with_rate(2 * schedule.rate).values() == pytest.approx(
            2 * values, rel=1e-13
        )


def test_breaks():
    assert Schedule.wsd(rate=1, steps=100, cooldown=0.2, warmup=5).breaks == (5, 80)
    assert Schedule.cosine(rate=1, steps=100).breaks == ()
    assert Schedule.constant(1, 100).with_warmup(7).breaks == (7,)
    assert Schedule.from_function(np.ones_like, [3, 50], steps=100).breaks == (3, 50)
    assert Schedule.wsd(rate=1, steps=100, cooldown=0).breaks == ()
    assert Schedule.wsd(rate=1, steps=100, cooldown=1).breaks == ()


@settings(max_examples=50)
@given(
    steps=st.integers(1, 3000),
    rate=st.floats(1e-3, 1e3),
    cooldown=st.floats(0, 1),
    power=st.floats(0, 5),
)
def test_long_sums_are_sums(steps, rate, cooldown, power):
    for schedule in (
        Schedule.wsd(rate=rate, steps=steps, cooldown=cooldown),
        Schedule.power(power, rate=rate, steps=steps),
        Schedule.cosine(rate=rate, steps=steps),
        Schedule.inverse_power(power / 5, start=7, rate=rate, steps=steps),
    ):
        assert schedule._summed() == pytest.approx(schedule.values().sum(), rel=1e-6)


def test_last_rates_keep_their_digits():
    steps = 10**12
    assert Schedule.power(1, rate=1, steps=steps)(steps - 1) == pytest.approx(1e-12, rel=1e-14)
    last = Schedule.cosine(rate=1, steps=steps)(steps - 1)
    assert last == pytest.approx((math.pi / 2 * 1e-12) ** 2, rel=1e-12)


def test_schedules_are_values():
    one, two = Schedule.wsd(rate=0.1, steps=10), Schedule.wsd(rate=0.1, steps=10)
    assert one == two
    assert hash(one) == hash(two)
    assert one != Schedule.wsd(rate=0.1, steps=10, cooldown=0.3)
    assert Schedule.from_array([1, 2]) == Schedule.from_array([1.0, 2.0])
    assert repr(one) == "Schedule.wsd(cooldown=0.2, rate=0.1, steps=10)"


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Schedule.constant(0, 10), "rate = 0 must be > 0"),
        (lambda: Schedule.constant(0.1, 0), "steps = 0 must be a whole number"),
        (lambda: Schedule.constant(0.1, 2.5), "steps = 2.5 must be a whole number"),
        (lambda: Schedule.cosine(rate=math.inf, steps=3), "rate"),
        (lambda: Schedule.power(-1, rate=1, steps=3), "power = -1 must"),
        (lambda: Schedule.wsd(rate=1, steps=10, cooldown=1.5), "cooldown = 1.5 must"),
        (lambda: Schedule.wsd(rate=1, steps=10, cooldown=0.5, warmup=6), "warmup = 6 must end"),
        (lambda: Schedule.wsd(rate=1, steps=10, warmup=11), "warmup = 11"),
        (lambda: Schedule.from_function(3, steps=4), "shape = 3 must be a function"),
        (lambda: Schedule.from_function(lambda t: t[:1], steps=4), "one value for each step"),
        (lambda: Schedule.from_function(lambda t: 1 - t, steps=4), "got .* at step"),
        (lambda: Schedule.from_function(lambda t: "no", steps=4), "real numbers"),
        (lambda: Schedule.from_function(np.ones_like, [4], steps=4), "breaks"),
        (lambda: Schedule.from_array([]), "values"),
        (lambda: Schedule.from_array([0, 0]), "must not all be zero"),
        (lambda: Schedule.from_array([1, -1]), "values"),
        (lambda: Schedule.from_array([1, math.nan]), "values"),
        (lambda: Schedule.constant(0.1, 10)(10), "must be in"),
        (lambda: HeavyBall(1), "momentum = 1 must be below 1"),
        (lambda: Nesterov(-0.1), "momentum"),
        (lambda: HeavyBall(0.5, polyak=1), "polyak"),
        (lambda: DANA(0), "strength"),
        (lambda: DANA(1, -1), "decay"),
        (lambda: DANA.decaying(0), "alpha"),
        (lambda: TailAverage(-1), "start"),
        (lambda: TailAverage(1.5), "start"),
        (lambda: EMA(0), "weight"),
        (lambda: EMA(2), "weight"),
    ],
)
def test_refusals(make, complaint):
    with pytest.raises(DomainError, match=complaint):
        make()


@given(n=st.integers(6, 10**9))
def test_backward_differences_are_exact_for_powers(n):
    c = radau()
    found = backward(np.array([n]))[0]
    for power in range(6):
        known = [
            math.fsum(
                -math.comb(power, j) * x ** (power - j) * (-1 / n) ** j for j in range(1, power + 1)
            )
            for x in c[1:]
        ]
        scale = max(1, power) / n
        assert found @ c**power == pytest.approx(
            known, abs=3e-14 * scale + 1e-15 * (power == 0) / n
        )


@given(
    steps=st.integers(1, 10**9),
    ratio=st.floats(0.05, 0.6),
    single=st.integers(1, 500),
    share=st.floats(0, 1),
    fading=st.booleans(),
)
def test_meshes_cover_all_steps(steps, ratio, single, share, fading):
    landing = int(share * steps)
    found = mesh([(0, steps)], [fading], ratio, single=single, landings=[landing])
    assert found.ends[0] == 0
    assert found.ends[-1] == steps
    assert landing in found.ends
    assert np.all((found.lengths == 1) | (found.lengths >= 6))
    halved = found.halved()
    assert set(found.ends) <= set(halved.ends)
    assert halved.ends[-1] == steps
    assert np.all(found.times >= 0)
    assert np.all(found.times <= steps - 1 + 1e-6)


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule.power(0.3, rate=0.1, steps=50_000, warmup=700),
        Schedule.cosine(rate=1, steps=50_000),
        Schedule.wsd(rate=1, steps=50_000, cooldown=0.01),
        Schedule.inverse_power(30, start=100, rate=1, steps=50_000),
        Schedule.exponential(1e-30, rate=1, steps=50_000),
    ],
)
def test_the_extent_is_the_intrinsic_time_to_1e_3_from_few_steps(schedule, monkeypatch):
    summed = schedule.intrinsic_time
    monkeypatch.setattr(Schedule, "values", None)
    assert schedule.extent == pytest.approx(summed, rel=1e-3)


def test_a_function_is_listed_once_and_pickled_without_its_list():
    calls = []

    def shape(t):
        calls.append(t.size)
        return np.exp(-t / 1e4)

    schedule = Schedule.from_function(shape, steps=20_000, rate=0.1)
    calls.clear()
    values = schedule.values()
    values[:] = 0
    assert np.array_equal(schedule.values(), 0.1 * np.exp(-np.arange(20_000) / 1e4))
    assert calls == [20_000]
    assert "_values" not in schedule.__getstate__()
    assert copy.copy(schedule) == schedule
    calls.clear()
    assert schedule.with_rate(1).values()[0] == 1
    assert calls == [20_000]
