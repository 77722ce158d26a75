"""Scheduled training against exact second moments, products without noise, a loop in the model's coordinates, and refusals."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate import linear
from scalinglaws.verify.simulate.schedules import ScheduledRuns, train

MODES, STEPS, NOISE, RUNS = 12, 40, 0.3, 6000
SPECTRUM = PowerLawSpectrum(1.5, 1.0, MODES)
TIME = np.arange(STEPS)
DECAY = 0.15 * (1 - TIME / STEPS)
RAMP = 1 + TIME // 10
MEMORY = 0.15 * (1.0 + TIME) ** -0.5

# name: what `train` is given, and a, gamma_2, gamma_3 of the recursion
METHODS = {
    "sgd": ({}, (0 * DECAY, DECAY, 0 * DECAY)),
    "heavy ball": ({"momentum": 0.6}, (0.6 + 0 * DECAY, 0 * DECAY, DECAY)),
    "nesterov": ({"momentum": 0.6, "nesterov": True}, (0.6 + 0 * DECAY, DECAY, 0.6 * DECAY)),
    "dana": ({"memory_rates": MEMORY, "damping": 5.0}, (1 - 5 / (5 + TIME), DECAY, MEMORY)),
}


def moments(a, direct, moves, batches, spectrum=SPECTRUM, noise=NOISE):
    """Return mean losses of two-memory methods: r = x E e^2, c = E e y, p = E y^2 / x of every mode, from Gaussian fourth moments."""
    x, r = spectrum.explicit()
    c, p = np.zeros_like(r), np.zeros_like(r)
    losses = [r.sum()]
    for keep, two, three, batch in zip(a, direct, moves, batches, strict=True):
        k, m = two + three, three * keep
        g = x * (1 + 1 / batch) * r + x / batch * (r.sum() + noise)
        r, c, p = (
            r
            - 2 * k * x * r
            + k**2 * x * g
            + (m * x) ** 2 * p
            - 2 * m * x * c
            + 2 * k * m * x**2 * c,
            keep * c + r - k * keep * x * c - k * g - m * keep * x * p - m * x * c,
            keep**2 * p + 2 * keep * c + g / x,
        )
        losses.append(r.sum())
    return np.array(losses)


def averaged(rates, batch, start=None, weight=None, spectrum=SPECTRUM, noise=NOISE):
    """Return mean losses of averages of SGD from the second moments of the pair (iterate, average)."""
    x, r = spectrum.explicit()
    tail = start is not None
    w, old = (1.0, 1.0) if tail else (weight, 1 - weight)
    c, p = (
        (r.copy(), r.copy()) if (start == 0 or not tail) else (np.zeros_like(r), np.zeros_like(r))
    )
    for t, rate in enumerate(rates):
        q = 1 - 2 * rate * x + (rate * x) ** 2 * (1 + 1 / batch)
        crossed = (1 - rate * x) * c
        r = q * r + (rate * x) ** 2 / batch * (r.sum() + noise)
        if tail and t + 1 < start:
            continue
        p = old**2 * p + 2 * w * old * crossed + w**2 * r
        c = old * crossed + w * r
    return p.sum() / ((len(rates) - start + 1) ** 2 if tail else 1)


def near(runs, expected):
    assert np.all(
        np.abs(runs.mean(axis=0) - expected)
        < 4 * runs.std(axis=0, ddof=1) / math.sqrt(len(runs)) + 1e-12
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch", [1, RAMP], ids=["one", "ramp"])
def test_mean_losses_are_those_of_the_exact_recursion(method, batch):
    given, coefficients = METHODS[method]
    found = train(
        DECAY,
        SPECTRUM,
        batch=batch,
        **given,
        at=range(0, STEPS + 1, 10),
        noise_variance=NOISE,
        draws=RUNS,
        rng=1,
    )
    expected = moments(*coefficients, np.broadcast_to(batch, STEPS))[::10]
    assert np.all(found.standard_error[1:] < 0.03 * expected[1:])
    near(found.test_loss, expected)


@pytest.mark.parametrize(
    "average",
    [{"tail_start": 0}, {"tail_start": 25}, {"tail_start": STEPS}, {"ema_weight": 0.1}],
    ids=str,
)
def test_mean_losses_of_averages_are_those_of_the_exact_recursion(average):
    found = train(DECAY, SPECTRUM, batch=2, **average, noise_variance=NOISE, draws=RUNS, rng=2)
    expected = averaged(DECAY, 2, *(average.get(name) for name in ("tail_start", "ema_weight")))
    near(found.averaged_loss, expected)
    assert found.mean_averaged_loss == found.averaged_loss.mean()
    assert found.averaged_standard_error < 0.03 * expected


def test_unlimited_batches_leave_a_product():
    eigenvalues, signal = PowerLawSpectrum(1.5, 0.5, 30).explicit()
    found = train(DECAY, PowerLawSpectrum(1.5, 0.5, 30), batch=np.inf, noise_variance=1.0)
    left = np.prod(1 - DECAY[:, None] * eigenvalues, axis=0)
    np.testing.assert_allclose(found.test_loss, np.sum(signal * left**2), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("features", [5, 20, math.inf])
def test_unlimited_batches_agree_with_a_loop_in_the_coordinates_of_the_model(method, features):
    given, (a, direct, moves) = METHODS[method]
    eigenvalues, signal = SPECTRUM.explicit()
    target = np.sqrt(signal / eigenvalues)
    found = train(
        DECAY,
        SPECTRUM,
        batch=np.inf,
        **given,
        features=features,
        tail_start=30,
        at=range(STEPS + 1),
        rng=3,
    )
    rng = np.random.default_rng(3).spawn(1)[0]
    projection = (
        np.eye(MODES)
        if math.isinf(features)
        else rng.standard_normal((features, MODES)) / math.sqrt(features)
    )
    readout, memory = np.zeros((2, len(projection)))
    path = [readout]
    for keep, two, three in zip(a, direct, moves, strict=True):
        gradient = projection @ (eigenvalues * (projection.T @ readout - target))
        memory = keep * memory + gradient
        readout = readout - two * gradient - three * memory
        path.append(readout)
    path = np.array(path)
    expected = (path @ projection - target) ** 2 @ eigenvalues
    np.testing.assert_allclose(found.test_loss[0], expected, rtol=1e-10)
    mean = (path[30:].mean(axis=0) @ projection - target) ** 2 @ eigenvalues
    assert found.averaged_loss[0, -1] == pytest.approx(mean, rel=1e-10)
    np.testing.assert_array_equal(found.averaged_loss[0, :30], found.test_loss[0, :30])
    assert found.averaged_loss[0, 30] == pytest.approx(expected[30], rel=1e-12)


@pytest.mark.parametrize(("features", "batch"), [(5, 1), (5, 3), (math.inf, 2)])
def test_runs_have_the_distribution_of_sgd_sample_by_sample(features, batch):
    given = {"features": features, "batch": batch, "noise_variance": NOISE, "draws": 4000}
    plain = linear.online_sgd(STEPS, SPECTRUM, learning_rate=0.2, **given, rng=4).test_loss
    found = train(np.full(STEPS, 0.2), SPECTRUM, **given, rng=5).test_loss
    for power in (1, 0.5, -1):  # the mean, and moments that rare losses do not dominate
        one, two = plain**power, found**power
        assert abs(one.mean() - two.mean()) < 4 * math.sqrt((one.var() + two.var()) / 4000)


def test_batch_and_noise_enter_as_they_do_sample_by_sample():
    # a single mode and one step: e' = e (1 - eta z^2) - eta sigma z xi, whose second moment is known
    spectrum = EmpiricalSpectrum([1.0], [1.0])
    losses = train([0.5], spectrum, batch=3, noise_variance=2.0, draws=40000, rng=6).test_loss
    near(losses, 1 - 2 * 0.5 + 0.25 * (1 + 2 / 3) + 0.25 * 2.0 / 3)


def test_a_draw_does_not_depend_on_how_many_are_asked_for_nor_on_threads():
    given = {"batch": 2, "features": 6, "noise_variance": NOISE, "ema_weight": 0.2, "at": [3, 20]}
    few, many = (train(DECAY, SPECTRUM, **given, draws=n, rng=7) for n in (2, 5))
    np.testing.assert_array_equal(few.test_loss, many.test_loss[:2])
    np.testing.assert_array_equal(few.averaged_loss, many.averaged_loss[:2])
    assert few == train(DECAY, SPECTRUM, **given, draws=2, rng=7)
    code = (
        "import json, numpy as np; from scalinglaws.solvers import PowerLawSpectrum;"
        "from scalinglaws.verify.simulate.schedules import train;"
        f"print(json.dumps(train(0.15 * (1 - np.arange({STEPS}) / {STEPS}), PowerLawSpectrum(1.5, 1.0, {MODES}), batch=2,"
        f" features=6, noise_variance={NOISE}, draws=2, at=[3, 20], rng=7).test_loss.tolist()))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_array_equal(json.loads(other.stdout), few.test_loss)


def test_shapes_follow_the_steps_asked_for():
    one = train(DECAY, SPECTRUM, draws=3)
    assert (one.test_loss.shape, one.steps.shape, one.averaged_loss) == ((3,), (), None)
    assert (one.mean_averaged_loss, one.averaged_standard_error) == (None, None)
    row = train(DECAY, SPECTRUM, draws=3, at=[STEPS])
    np.testing.assert_array_equal(row.test_loss[:, 0], one.test_loss)
    assert one.standard_error == one.test_loss.std(ddof=1) / math.sqrt(3)
    assert np.isnan(train(DECAY, SPECTRUM).standard_error)
    assert "ScheduledRuns" in repr(row)
    start = train(DECAY, SPECTRUM, at=0, ema_weight=0.5)
    assert (
        start.test_loss[0] == start.averaged_loss[0] == pytest.approx(SPECTRUM.explicit()[1].sum())
    )
    assert isinstance(start, ScheduledRuns)


def test_rates_of_zero_change_nothing():
    held = np.where(TIME < 20, DECAY, 0.0)
    found = train(held, SPECTRUM, at=[20, 30, STEPS], draws=2)
    np.testing.assert_array_equal(found.test_loss[:, 0], found.test_loss[:, 2])


def test_divergence_is_an_error_that_names_draw_and_step():
    with pytest.raises(DomainError, match=r"rates\[\d+\] = 3\.0 is too large: draw 0 diverges"):
        train(np.full(10000, 3.0), SPECTRUM, noise_variance=0.1)
    # resonance: each rate alone is stable at momentum 0.9
    rates = np.tile([0.38] * 3 + [0.038] * 5, 500)
    with pytest.raises(DomainError, match="diverges and overflows at step"):
        train(rates, EmpiricalSpectrum([1.0], [1.0]), batch=np.inf, momentum=0.9)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"rates": [0.1, -0.1]}, r"rates\[1\] = -0.1 is out of place"),
        ({"rates": []}, "rates = .* at least 1"),
        ({"rates": 0.1}, "rates = 0.1 must be one row"),
        ({"batch": 0.5}, "batch = 0.5"),
        ({"batch": [1, 2, 3]}, "batch must be one number, or one for each of the 2 steps"),
        ({"batch": [1, 1.5]}, r"batch\[1\] = 1.5 must be a whole number"),
        ({"momentum": 1.0}, "momentum = 1.0 must be >= 0 and < 1"),
        ({"nesterov": True}, "nesterov = True needs a momentum"),
        ({"memory_rates": [0.1]}, "memory_rates must have one entry for each of the 2 steps"),
        ({"memory_rates": [0.1, 0.1], "momentum": 0.5}, "momentum = 0.5 must be 0"),
        ({"damping": 0.0}, "damping = 0.0 must be > 0"),
        ({"tail_start": 3}, "tail_start = 3"),
        ({"ema_weight": 0.0}, "ema_weight = 0.0 must be > 0"),
        ({"ema_weight": 0.5, "tail_start": 1}, "ema_weight = 0.5 must be left out"),
        ({"at": 3}, "at = 3.0 must be at most the number of steps, 2"),
        ({"at": [2, 1]}, "sort them"),
        ({"noise_variance": -1.0}, "noise_variance = -1.0"),
        ({"features": 0}, "features = 0"),
        ({"draws": 0}, "draws = 0"),
    ],
)
def test_refusals(given, complaint):
    with pytest.raises(DomainError, match=complaint):
        train(**{"rates": [0.1, 0.1], "spectrum": SPECTRUM, **given})


def test_infinite_spectra_are_refused():
    with pytest.raises(DomainError, match="cannot be listed mode by mode"):
        train([0.1], PowerLawSpectrum(1.5, 1.0))
