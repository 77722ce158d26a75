"""Laws of training curves: reference values to all printed digits, slopes, limits, and the error of the compressed sum."""

import json
from pathlib import Path

import numpy as np
import pytest

from scalinglaws.solvers.equivalents.noise_cells import NoiseCells
from scalinglaws.solvers.schedules import Schedule
from scalinglaws.verify.empirical.curves._blocks import blocks_of, changes, warmup_end
from scalinglaws.verify.empirical.curves._laws import CURVE_LAWS, CurvePoints

REFERENCE = json.loads(
    (Path(__file__).parents[3] / "reference" / "training_curves.json").read_text()
)
LAWS = ("multi_power", "momentum")


def reference_rates():
    rising = 1e-3 * np.arange(1, 101) / 100
    s = np.arange(100, 2000)
    return np.append(rising, 1e-4 + 4.5e-4 * (1 + np.cos(np.pi * (s - 99) / 1900)))


def cosine(steps, warmup=0, peak=3e-4, end=0.1):
    k = np.arange(steps)
    fallen = end + (1 - end) * 0.5 * (1 + np.cos(np.pi * (k - warmup + 1) / (steps - warmup)))
    rates = peak * np.where(k < warmup, (k + 1) / max(warmup, 1), fallen)
    if end == 0:
        rates[-1] = 0.0
    return rates


def exact_multi_power(rates, at, L_0, A, alpha, B, C, beta, gamma):
    """The sum as it stands in the paper, warm-up dropped."""
    peak, w = rates.max(), int(np.argmax(rates))
    S, found = np.cumsum(rates), []
    for n in at:
        t = n - 1
        k = np.arange(w + 1, t + 1)
        share = np.maximum(rates[k] / peak, 1e-6)
        kept = (1 + C * share**-gamma * (S[t] - S[k - 1])) ** -beta
        found.append(
            L_0 + A * S[t] ** -alpha - B * np.sum((rates[k - 1] - rates[k]) / peak * (1 - kept))
        )
    return np.array(found)


def exact_momentum(rates, at, L_0, A, alpha, B, keep):
    w, S, m, total, totals = int(np.argmax(rates)), np.cumsum(rates), 0.0, 0.0, np.zeros(rates.size)
    for i in range(w + 1, rates.size):
        m = keep * m + rates[i - 1] - rates[i]
        total += m
        totals[i] = total
    return np.array([L_0 + A * S[n - 1] ** -alpha - B * totals[n - 1] for n in at])


def losses(law, parameters, rates, at, most=None):
    kind, unit = CURVE_LAWS[law], float(rates.max())
    points = CurvePoints(kind, Schedule.from_array(rates), np.asarray(at), unit, most)
    return np.exp(points.logs(kind.coordinates(parameters, unit))[0])


@pytest.mark.parametrize("law", LAWS)
def test_reference_values(law):
    known = REFERENCE[law]
    found = losses(law, known["parameters"], reference_rates(), np.array(known["steps"]) + 1)
    for value, digits in zip(found, known["losses"], strict=True):
        assert f"{value:.{len(digits) - 2}f}" == digits
    exact = exact_multi_power if law == "multi_power" else exact_momentum
    direct = exact(reference_rates(), [100, 1000, 2000], *known["parameters"].values())
    assert found == pytest.approx(direct, rel=1e-13)


@pytest.mark.parametrize("law", LAWS)
def test_coordinates_give_the_parameters_back(law):
    kind, parameters = CURVE_LAWS[law], REFERENCE[law]["parameters"]
    x = kind.coordinates(parameters, 3e-4)
    assert kind.values(x, 3e-4) == pytest.approx(list(parameters.values()), rel=1e-12)
    for place in range(x.size):
        step = np.zeros(x.size)
        step[place] = 1e-6
        slope = (kind.values(x + step, 3e-4) - kind.values(x - step, 3e-4)) / 2e-6
        assert kind.slopes(x, 3e-4)[:, place] == pytest.approx(slope, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_slopes(law):
    kind, rates = CURVE_LAWS[law], reference_rates()
    points = CurvePoints(kind, Schedule.from_array(rates), np.arange(100, 2001, 50), 1e-3)
    x = kind.coordinates(REFERENCE[law]["parameters"], 1e-3)
    slopes = points.logs(x)[1]
    for place in range(x.size):
        step = np.zeros(x.size)
        step[place] = 1e-5
        difference = (points.logs(x + step)[0] - points.logs(x - step)[0]) / 2e-5
        assert slopes[:, place] == pytest.approx(difference, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("end", [0.1, 0.0])
@pytest.mark.parametrize("shape", ["cosine", "wsd", "steps"])
def test_compressed_sum(shape, end):
    steps, warmup = 20_000, 600
    rates = cosine(steps, warmup, end=end)
    if shape != "cosine":
        rates[warmup:] = 3e-4
        rates[-4000:] = 3e-4 * np.linspace(1, end, 4000)
    if shape == "steps":
        rates[-4000:] = np.repeat(3e-4 * np.array([0.5, 0.2, max(end, 0.01), end]), 1000)
    at = np.unique(
        np.append(np.linspace(warmup + 1, steps, 200).astype(int), steps - np.arange(20))
    )
    known = dict(REFERENCE["multi_power"]["parameters"], C=430.0)
    exact = exact_multi_power(rates, at, *known.values())
    found = losses("multi_power", known, rates, at, 300)
    assert np.all(np.isfinite(found))
    assert np.max(np.abs(found - exact)) < 1e-4  # the limit is 1e-3
    sums = np.cumsum(rates)
    assert len(blocks_of(rates, sums, at).whole) <= 300
    assert blocks_of(rates, sums, at[-1:]).whole[:, 0].sum() == pytest.approx(1 - end, rel=1e-12)


@pytest.mark.parametrize("end", [0.1, 0.0])
def test_compressed_sum_of_a_long_run(end):
    rates, at = cosine(72_000, 2_160, end=end), np.linspace(2_161, 72_000, 120).astype(int)
    known = dict(REFERENCE["multi_power"]["parameters"], C=430.0)
    exact = losses(
        "multi_power", known, rates, at
    )  # which is compared with the sum as it stands above
    assert np.max(np.abs(losses("multi_power", known, rates, at, 300) - exact)) < 1e-4


def test_blocks_hold_changes_of_one_sign():
    rng = np.random.default_rng(0)
    rates = np.append(1.0, np.exp(-rng.random(3000)))
    sums = np.cumsum(rates)
    found = blocks_of(rates, sums, np.array([3001]))
    drops = changes(rates)
    runs = np.count_nonzero(np.diff(np.sign(drops[1:]))) + 1
    assert runs <= len(found.whole) <= runs + 300
    assert np.sum(np.abs(found.whole[:, 0])) == pytest.approx(np.sum(np.abs(drops)), rel=1e-12)


def test_warmup_ends_at_the_first_maximum():
    rates = np.array([0.1, 0.2, 0.3, 0.3, 0.2, 0.3, 0.1])
    assert warmup_end(rates) == 2
    assert np.flatnonzero(changes(rates)).tolist() == [4, 5, 6]


def test_multi_power_law_without_gamma_is_the_functional_law():
    """By parts, the noise is C eta_0 G(tau) - C sum of changes times G, and what the first rate left behind adds the memory."""
    rates, unit = np.repeat([1.0, 0.4, 0.15], 400), 0.2
    at, c, chi, amplitude = np.arange(300, 1201, 50), 0.03, 1.4, 0.02
    noise = amplitude * NoiseCells(rates).noise(at, c, chi)[:, 0]
    sums = np.cumsum(rates)[at - 1]
    final = 1 / (c * (chi - 1))  # G at infinity
    memory = amplitude * final * (1 + c * sums) ** (1 - chi)
    known = {"L_0": 3 + amplitude * final, "A": 1.0, "alpha": 0.5, "B": amplitude * final}
    known |= {"C": c / unit, "beta": chi - 1, "gamma": 0.0}
    found = losses("multi_power", known, rates * unit, at)
    expected = 3 + noise + memory + (sums * unit) ** -0.5
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_constant_rate_leaves_a_power_of_the_sum(law):
    at = np.array([1, 10, 500])
    known = REFERENCE[law]["parameters"]
    found = losses(law, known, np.full(500, 2e-3), at)
    expected = known["L_0"] + known["A"] * (2e-3 * at) ** -known["alpha"]
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("law", LAWS)
def test_schedule_that_ends_at_zero_is_finite(law):
    rates = np.append(np.linspace(1e-3, 0, 1001), np.zeros(100))
    known = REFERENCE[law]["parameters"]
    assert np.all(np.isfinite(losses(law, known, rates, np.arange(1, 1102), 300)))


@pytest.mark.parametrize("steps", [2_000, 20_000])
@pytest.mark.parametrize("speed", [(0.37, 3.0, 0.65), (0.0067, 3.0, 2.0), (7.4, 3.0, -0.5)])
def test_compressed_sum_far_from_the_reference(steps, speed):
    """In multiples of B, where single changes are seen, at the corners of what is fitted."""
    k = np.arange(1, steps + 1)
    at = np.unique(np.append(np.geomspace(20, steps, 40), steps - np.geomspace(1, steps / 2, 40)))
    at = at.astype(int)
    known = dict(zip(CURVE_LAWS["multi_power"].names, (2.0, 0.0, 0.5, 1.0, *speed), strict=True))
    for rates in (1 - k / steps, 0.5 * (1 + np.cos(np.pi * k / steps)), 0.1 ** (k / steps)):
        exact = losses("multi_power", known, rates, at)
        assert np.max(np.abs(losses("multi_power", known, rates, at, 300) - exact)) < 1e-3
