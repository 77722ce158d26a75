"""Intervals hold the truth as often as they say, and verdicts tell power laws from what is none."""

import math

import numpy as np
import pytest
from scipy import special

from scalinglaws.verify import empirical
from scalinglaws.verify.empirical._exponents import (
    capacity_over,
)
from scalinglaws.verify.empirical._intervals import measured_exponents
from scalinglaws.verify.empirical._sample import Modes, Sample
from scalinglaws.verify.empirical._windows import modes_of, slope
from scalinglaws.verify.simulate.empirical import draw_task

QUANTITIES = ("capacity", "decay", "source")


def _measured(samples, alpha, decay, sets):
    for rng in range(sets):
        task = draw_task(samples, alpha=alpha, decay=decay, rng=rng)
        yield empirical.measure(gram=task.gram, labels=task.labels, held_out=False, rng=rng)


def _values(found, name):
    entries = [getattr(each, name) for each in found]
    return np.array([entry.value for entry in entries]), np.array(
        [entry.interval for entry in entries]
    )


def _cover(intervals, truth):
    return float(np.mean((intervals[:, 0] <= truth) & (truth <= intervals[:, 1])))


@pytest.mark.parametrize(("alpha", "decay"), [(1.2, 0.36), (2.0, 1.0)])
def test_intervals_hold_the_truth(alpha, decay):
    """Eight sets: were the intervals those of 80 %, all eight would hold the truth in one of six tries."""
    found = list(_measured(400, alpha, decay, 8))
    for name, truth in zip(QUANTITIES, (alpha, decay, decay / alpha), strict=True):
        _, intervals = _values(found, name)
        assert _cover(intervals, truth) >= 7 / 8
    values, _ = _values(found, "capacity")
    assert np.mean(values) == pytest.approx(alpha, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("row", range(4))
def test_coverage_and_bias_of_gaussian_samples(row, reference):
    """The recorded table: bias of capacity within 1 %, coverage at least 0.9, and no interval that holds everything.

    100 sets: of the first 24, three miss the decay of (2, 1), which intervals of 95 % do in one of nine tries; of all, five do.
    """
    entry = reference("empirical_measure")["gaussian"][row]
    alpha, decay = entry["capacity"], entry["decay"]
    found = list(_measured(500, alpha, decay, 100))
    for name, truth in zip(QUANTITIES, (alpha, decay, decay / alpha), strict=True):
        values, intervals = _values(found, name)
        deviation = float(np.std(values, ddof=1))
        half = float(np.mean(intervals[:, 1] - values))
        assert _cover(intervals, truth) >= 0.9
        assert 1.5 * deviation <= half <= 5 * deviation
    values, _ = _values(found, "capacity")
    assert np.mean(values) == pytest.approx(alpha, rel=0.01)
    assert np.mean(values) == pytest.approx(entry["corrected"], abs=0.01)
    values, _ = _values(found, "decay")
    error = float(np.std(values, ddof=1)) / math.sqrt(
        24
    )  # of the recorded mean, which has the larger error
    assert abs(np.mean(values) - entry["corrected_decay"]) < 4 * error
    split = np.array([each.split_decay for each in found])
    assert abs(np.mean(split) - np.mean(values)) < 0.1 * decay
    power_laws = [each.verdict["capacity"] == "power law" for each in found]
    assert np.mean(power_laws) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("row", range(4))
def test_capacities_near_1(row, reference):
    entry = reference("empirical_measure")["shallow"][row]
    sets = 12 if entry["samples"] <= 600 else 4
    found = list(_measured(entry["samples"], entry["capacity"], 0.06, sets))
    values, intervals = _values(found, "capacity")
    assert _cover(intervals, entry["capacity"]) >= 0.75
    assert np.mean(values) == pytest.approx(entry["capacity"], rel=0.01)
    assert np.mean(values) == pytest.approx(entry["mean"], abs=2 * entry["error"])
    shallow = [each.capacity for each in found if each.capacity.value < 1.05]
    assert all("larger than what it corrects" in entry.reason for entry in shallow)


def test_a_shallow_task_with_a_shallow_source():
    """Exponents of language: capacity 1.1 to 1.2, source about 0.05. Without corrections, the decay would be half again as large."""
    found = list(_measured(600, 1.2, 0.06, 4))
    values, intervals = _values(found, "capacity")
    assert np.mean(values) == pytest.approx(1.2, rel=0.01)
    assert _cover(intervals, 1.2) >= 3 / 4
    values, intervals = _values(found, "decay")
    assert _cover(intervals, 0.06) >= 3 / 4
    raw = [
        -slope(
            np.log(modes_of(each.spectrum.window) + 0.5),
            np.log(1 - np.cumsum(each.spectrum.shares)[modes_of(each.spectrum.window) - 1]),
        )
        for each in found
        if each.spectrum is not None
    ]
    assert np.mean(raw) > 1.3 * 0.06
    assert np.mean(values) == pytest.approx(0.06, abs=0.03)


def test_without_the_rest_of_the_spectrum_features_are_no_power_law():
    """4000 features of capacity 1.2 have the eigenvalues of a capacity of 1.25: the tail beyond carries weight."""
    rng, k = np.random.default_rng(0), np.arange(1.0, 4001)
    found = []
    for _ in range(3):
        features = rng.standard_normal((500, 4000)) * k**-0.6
        modes = Sample(features @ features.T, rng.standard_normal((500, 1)), is_gram=True).modes(75)
        found.append(capacity_over(modes, (5, 55)))
    assert np.mean(found) == pytest.approx(1.25, abs=0.015)


def test_parts_of_the_error_make_the_interval():
    task = draw_task(300, alpha=1.6, decay=0.8, rng=3)
    found = empirical.measure(gram=task.gram, labels=task.labels, held_out=False)
    for name in QUANTITIES:
        entry = getattr(found, name)
        half = 1.96 * math.hypot(entry.statistical, entry.systematic, entry.drift)
        assert entry.interval == pytest.approx((entry.value - half, entry.value + half))
        local = [value for _, _, value in entry.local]
        assert entry.systematic == pytest.approx((max(local) - min(local)) / 2)
        assert len(entry.local) == len(entry.consecutive) == 3
    assert found.source.value == pytest.approx(found.decay.value / found.capacity.value)
    # of the ratio itself: capacity and decay of the same half belong together
    halves = np.array([half.decay / half.capacity for half in found.half_samples])
    assert len(halves) == 20
    assert found.source.statistical == pytest.approx(np.std(halves, ddof=1))
    assert found.source.drift == pytest.approx(abs(np.mean(halves) - found.source.value))
    assert all(half.window == (5, found.spectrum.window[1] // 2) for half in found.half_samples)


# -- what is no power law -----------------------------------------------------------------------------------------------


def _gaussian(eigenvalues, signal, rest=0.0, samples=500, noise=0.0, rng=0):
    """Draw a task of any spectrum, as far as its modes are listed; the rest of the trace is white."""
    source = np.random.default_rng(rng)
    phi = source.standard_normal((samples, eigenvalues.size))
    scaled = phi * np.sqrt(eigenvalues)
    gram = scaled @ scaled.T + rest * np.eye(samples)
    labels = phi @ np.sqrt(signal) + noise * source.standard_normal(samples)
    return empirical.measure(gram=gram, labels=labels, held_out=False)


K = np.arange(1.0, 1501)
TAIL = float(special.zeta(1.5, 1501))
KINK = np.where(K < 20, K**-1.3, 20**1.7 * K**-3.0)


@pytest.mark.parametrize(
    ("eigenvalues", "words"),
    [
        (np.exp(-K / 15), "over consecutive parts of the window"),
        (np.exp(-2 * np.sqrt(K)), "over consecutive parts of the window"),
        (KINK, "over consecutive parts of the window"),
        (np.where(K < 20, K**-2.0, 20**-0.7 * K**-1.3), "over consecutive parts of the window"),
        (np.where(K < 15, 1.0, 1e-2), "over consecutive parts of the window"),
        (8.0 ** -np.floor(np.log2(K)), "they fall in steps"),
        (K**-0.5, "1 or less"),
        (np.exp(-K), ""),
    ],
)
def test_eigenvalues_that_are_no_power_law(eigenvalues, words):
    found = _gaussian(eigenvalues, K**-1.6)
    assert found.verdict["capacity"] != "power law"
    assert found.verdict["source"] != "power law"
    if words:
        assert found.verdict["capacity"] == "not a power law"
        assert words in found.capacity.reason
        assert len(found.capacity.consecutive) == 3


def test_labels_that_are_noise():
    for rng in range(2):
        found = _gaussian(K**-1.5, 0 * K, TAIL, noise=1.0, rng=rng)
        assert found.verdict["capacity"] == "power law"
        assert found.verdict["decay"] == "not a power law"
        assert "no more of the labels than they would of noise" in found.decay.reason
        assert found.verdict["source"] == "not a power law"
        low, high = found.decay.interval
        assert low < 0 < high < 0.12


def test_which_point_it_is_has_no_power_law():
    task = draw_task(300, alpha=1.5, decay=0.7, rng=1)
    found = empirical.measure(gram=task.gram, labels=np.arange(300), held_out=False)
    assert found.outputs == 300
    assert found.verdict["decay"] == "not a power law"
    assert abs(found.decay.value) < 1e-3
    assert any("taken for 300 classes" in note for note in found.notes)


def test_labels_that_end_in_noise():
    """Signal in few modes, then a plateau: told, with enough samples, from a decay."""
    found = _gaussian(K**-1.5, np.where(K < 4, 1.0, 0.0), TAIL, noise=1.0)
    assert found.verdict["decay"] != "power law"


def test_labels_that_few_modes_hold():
    rng, k = np.random.default_rng(2), np.arange(1.0, 301)
    features = rng.standard_normal((400, 300)) * k**-0.8
    features -= features.mean(axis=0)
    gram = features @ features.T
    _, vectors = np.linalg.eigh(gram)
    found = empirical.measure(gram=gram, labels=vectors[:, -1:-9:-1], held_out=False)
    assert found.decay.value is None
    assert found.verdict["decay"] == "not a power law"
    assert "the first 8 modes hold all of the labels" in found.decay.reason
    assert "there is no decay" in found.source.reason
    assert found.spectrum is None
    assert found.verdict["capacity"] == "power law"


def test_too_few_samples():
    task = draw_task(100, alpha=2.0, decay=1.0, rng=0)
    found = empirical.measure(gram=task.gram, labels=task.labels, held_out=False)
    assert set(found.verdict.values()) == {"too few samples"}
    assert found.spectrum is None
    assert found.half_samples == ()
    assert "100 samples resolve modes up to 15" in found.capacity.reason
    assert len(found.decay.consecutive) == 3
    tiny = empirical.measure(gram=np.eye(3), labels=[1.0, 2.0, 4.0], held_out=False)
    assert set(tiny.verdict.values()) == {"too few samples"}
    assert tiny.decay.consecutive == ()


def test_halves_with_fewer_modes_than_the_window():
    modes = Sample(
        np.diag(1.0 / np.arange(1, 401) ** 2),
        np.random.default_rng(0).standard_normal((400, 1)),
        True,
    ).modes(61)
    short = Modes(modes.eigenvalues[:10], modes.shares[:10], 1.0, 200.0)
    found = measured_exponents(modes, lambda count: [short] * 20)
    assert found.capacity.verdict == "too few samples"
    assert "fewer modes than the" in found.capacity.reason


def test_a_population_has_no_statistics():
    k = np.arange(1.0, 401)
    modes = Modes(k**-1.5, 0.5**0.6 * ((k - 0.5) ** -0.6 - (k + 0.5) ** -0.6), 1.0, math.inf)
    found = measured_exponents(modes, None)
    for entry in (found.capacity, found.decay, found.source):
        assert entry.verdict == "power law"
        assert entry.statistical == entry.drift == 0
    assert found.half_samples == ()
    bent = Modes(modes.eigenvalues * (1 + np.log(k)) ** 2, modes.shares, 1.0, math.inf)
    assert measured_exponents(bent, None).capacity.verdict == "not a power law"
