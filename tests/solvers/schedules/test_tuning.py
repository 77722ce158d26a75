"""Tuned rates: values from two meshes, exponents, caps, and minima found by brute force."""

import math
import time

import mpmath as mp
import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.schedules import (
    DANA,
    EMA,
    HeavyBall,
    Schedule,
    TailAverage,
    stability,
    train,
    tuned_rate,
)

SPECTRUM = PowerLawSpectrum.from_ab(2, 1.5)
LONG = 10**8


def _shape(name, steps):
    made = {
        "constant": lambda: Schedule.constant(1, steps),
        "linear": lambda: Schedule.power(1, rate=1, steps=steps),
        "square": lambda: Schedule.power(2, rate=1, steps=steps),
        "cosine": lambda: Schedule.cosine(rate=1, steps=steps),
        "wsd": lambda: Schedule.wsd(rate=1, steps=steps, cooldown=0.2),
    }
    return made[name]()


@pytest.mark.parametrize(
    ("name", "loss", "rate"),
    [
        ("square", 7.76839503e-5, 0.05288),
        ("cosine", 7.85703960e-5, 0.03467),
        ("linear", 8.65924265e-5, 0.02964),
        ("constant", 4.25101028e-4, 1.050e-3),
    ],
)
def test_known_values(name, loss, rate):
    found = tuned_rate(_shape(name, LONG), SPECTRUM, batch=8, noise_variance=1)
    assert found.test_loss == pytest.approx(loss, rel=2e-9)
    assert found.rate == pytest.approx(rate, rel=5e-4)
    assert not found.capped
    assert found.bracket[0] < found.rate < found.bracket[1]
    assert found.diagnostics.status.ok


def test_a_tuned_rate_takes_less_than_a_second():
    given = {"batch": 8, "noise_variance": 1}
    tuned_rate(_shape("wsd", LONG), SPECTRUM, **given)
    spent = []
    for _ in range(3):
        start = time.process_time()
        tuned_rate(_shape("wsd", LONG), SPECTRUM, **given)
        spent.append(time.process_time() - start)
    assert min(spent) < 1


def final_loss(rates, spectrum, batch, noise):
    """Return the loss of SGD behind the last of some rates, in the digits of mpmath."""
    modes = spectrum.modes()
    x, energy = [[mp.mpf(float(e)) for e in part] for part in (modes.eigenvalues, modes.signal)]
    for rate in rates:
        driven = rate**2 / batch * (mp.fsum(energy) + noise)
        energy = [
            e * (1 - 2 * rate * r + (rate * r) ** 2 * (1 + mp.mpf(1) / batch)) + driven * r**2
            for e, r in zip(energy, x, strict=True)
        ]
    return mp.fsum(energy)


@pytest.mark.parametrize("noise", [0.3, 20.0])
def test_thirty_digits(noise):
    spectrum, shape = PowerLawSpectrum.from_ab(2, 1.5, size=12), Schedule.cosine(rate=1, steps=25)
    found = tuned_rate(shape, spectrum, batch=3, noise_variance=noise)
    with mp.workdps(30):
        form = [mp.sin(mp.pi * (25 - t) / 50) ** 2 for t in range(25)]

        def slope(log):
            rate = mp.exp(log)
            return mp.diff(
                lambda part: final_loss([part * f for f in form], spectrum, 3, mp.mpf(noise)), rate
            )

        around = (mp.log(found.rate * 0.98), mp.log(found.rate * 1.02))
        best = mp.exp(mp.findroot(slope, around, solver="illinois", tol=1e-12))
        least = final_loss([best * f for f in form], spectrum, 3, mp.mpf(noise))
    assert found.rate == pytest.approx(float(best), rel=1e-4)
    assert found.test_loss == pytest.approx(float(least), rel=1e-8)


@pytest.mark.parametrize(
    ("features", "given"),
    [
        (math.inf, {}),
        (300.0, {}),
        (math.inf, {"average": TailAverage(0.5)}),
        (math.inf, {"average": EMA(0.01)}),
        (math.inf, {"method": HeavyBall(0.9)}),
        (math.inf, {"method": DANA.decaying(1.5), "max_rate": 0.05}),
    ],
)
def test_the_least_of_many_rates(features, given):
    """No rate of a dense scan of runs ends lower."""
    shape, task = Schedule.cosine(rate=1, steps=1500), {"batch": 2, "noise_variance": 0.3}
    found = tuned_rate(shape, SPECTRUM, features=features, **task, **given)
    kept = {name: value for name, value in given.items() if name != "max_rate"}

    def loss(rate):
        run = train(shape.with_rate(rate), SPECTRUM, features=features, at=1500, **task, **kept)
        return run.test_loss if run.averaged_loss is None else run.averaged_loss

    scan = [loss(rate) for rate in np.geomspace(found.max_rate / 1e4, found.max_rate, 40)]
    assert found.test_loss <= min(scan) * (1 + 1e-9)
    for factor in (0.98, 1.02):
        if found.rate * factor < found.max_rate:
            assert loss(found.rate * factor) > found.test_loss
    assert found.test_loss == pytest.approx(loss(found.rate), rel=1e-9)


def test_rates_of_an_array_and_their_function_agree():
    shape = Schedule.wsd(rate=1, steps=3000)
    given = {"batch": 4, "noise_variance": 1}
    found = tuned_rate(shape, SPECTRUM, **given)
    array = tuned_rate(Schedule.from_array(shape.values()), SPECTRUM, **given)
    assert array.rate == pytest.approx(found.rate, rel=1e-4)
    assert array.test_loss == pytest.approx(found.test_loss, rel=1e-8)


def test_caps_are_told():
    """A hard task wants the largest rate; a cap that binds is the result."""
    shape = Schedule.wsd(rate=1, steps=10**4, cooldown=0.2)
    hard = PowerLawSpectrum.from_ab(1.4, 2.5)
    found = tuned_rate(shape, hard, batch=8, noise_variance=1, max_rate=0.9)
    assert found.capped
    assert found.rate == found.max_rate == 0.9
    free = tuned_rate(shape, SPECTRUM, batch=8, noise_variance=1)
    assert not free.capped
    assert free.max_rate == pytest.approx(stability(shape, SPECTRUM, batch=8).max_rate, rel=2e-6)


def test_no_bracket_is_cut_short():
    """Noise of any size only lowers the best rate; the scan follows it down."""
    shape = Schedule.power(1, rate=1, steps=100)
    for noise in (1e2, 1e4, 1e6):
        found = tuned_rate(shape, SPECTRUM, batch=1, noise_variance=noise)
        assert found.bracket[0] < found.rate < found.bracket[1]
        start = train(shape.with_rate(0.1), SPECTRUM, batch=1, at=0).test_loss
        assert found.test_loss < start
        # to leading order the loss is a parabola of the rate; its minimum at slope/(2 curvature)
        k = SPECTRUM.modes().eigenvalues
        if noise > 1e5:
            modes = SPECTRUM.modes()
            slope = 2 * float(modes.signal @ k) * float(np.sum(shape.values()))
            bend = noise * float(modes.multiplicities @ k**2) * float(np.sum(shape.values() ** 2))
            assert found.rate == pytest.approx(slope / (2 * bend), rel=1e-3)


def test_the_lowest_of_two_minima():
    """A signal at two scales has a plateau between; whichever side is lower is found."""
    x, signal = [1.0, 1e-4], [1.0, 0.02]
    shape, spectrum = Schedule.constant(1, 1800), EmpiricalSpectrum(x, signal)
    for noise in (0.001, 0.3, 3.0):
        found = tuned_rate(shape, spectrum, batch=1, noise_variance=noise)
        scan = [
            train(shape.with_rate(rate), spectrum, batch=1, noise_variance=noise, at=1800).test_loss
            for rate in np.geomspace(found.max_rate / 1e5, found.max_rate, 100)
        ]
        assert found.test_loss <= min(scan) * (1 + 1e-9)


# of the loss over 1e8 to 1e10 steps and, off caps and logarithms, the exponent of the rate
EXPONENTS = [
    ((2, 1.5), "constant", 0.3994, 0.4),
    ((2, 1.5), "linear", 0.4965, 0.25),
    ((2, 1.5), "cosine", 0.4998, 0.25),
    ((2, 1.5), "wsd", 0.4958, 0.25),
    ((2.5, 1.25), "constant", 0.5398, None),
    ((2.5, 1.25), "linear", 0.5976, 0.5),
    ((2.5, 1.25), "cosine", 0.5994, 0.5),
    ((2.5, 1.25), "wsd", 0.5968, 0.5),
    ((3.4, 3), "constant", 0.4445, 0.4444),
    ((3.4, 3), "linear", 0.6116, None),
    ((3.4, 3), "cosine", 0.6753, None),
    ((1.4, 2.5), "linear", 0.1600, None),
    ((1.4, 2.5), "cosine", 0.1600, None),
    ((1.4, 2.5), "wsd", 0.1600, None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "name", "loss", "rate"), EXPONENTS)
def test_exponents(task, name, loss, rate):
    spectrum = PowerLawSpectrum.from_ab(*task)
    short, long = (
        tuned_rate(_shape(name, steps), spectrum, batch=8, noise_variance=1)
        for steps in (10**8, 10**10)
    )
    assert math.log(short.test_loss / long.test_loss, 100) == pytest.approx(loss, abs=0.0005)
    if rate is not None:
        assert math.log(short.rate / long.rate, 100) == pytest.approx(rate, abs=0.005)


def test_refused():
    shape = Schedule.cosine(rate=1, steps=100)
    with pytest.raises(DomainError, match="max_rate"):
        tuned_rate(shape, SPECTRUM, batch=1, method=DANA())
    with pytest.raises(DomainError, match="max_rate = 50 must be below"):
        tuned_rate(shape, SPECTRUM, batch=1, max_rate=50)
    with pytest.raises(DomainError, match="average"):
        tuned_rate(shape, SPECTRUM, batch=1, method=HeavyBall(0.5), average=EMA(0.1))
    with pytest.raises(DomainError, match="batch"):
        tuned_rate(shape, SPECTRUM, batch=0.5)
    with pytest.raises(DomainError, match="noise_variance = 1e\\+30 drowns the signal"):
        tuned_rate(shape, SPECTRUM, batch=1, noise_variance=1e30)
    with pytest.raises(DomainError, match="rate"):
        tuned_rate(Schedule.constant(math.inf, 10), SPECTRUM, batch=1)
