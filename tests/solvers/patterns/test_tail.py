"""Tail probabilities of a sum of cubes: lattice, sampling, quadrature and rate function against each other."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from scalinglaws.errors import AccuracyWarning, ConvergenceError, DomainError, ResourceError
from scalinglaws.results import Status
from scalinglaws.solvers.patterns import (
    SPINODAL,
    TRANSITION,
    _normal,
    _tail_sampler,
    cube_rate,
    log_tail,
)
from scalinglaws.solvers.patterns._normal import (
    blocks,
    cell_of,
    guide,
    log_mean,
    log_sum,
    log_tail_of_normal,
)

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "patterns_solvers.json").read_text())
QUICK = [(10, 3), (100, 12)]


def _rows(*, quick):
    return [
        pytest.param(row, marks=() if quick(row) else pytest.mark.slow, id=f"{row['n']}-{row['s']}")
        for row in KNOWN["tail"]
    ]


@pytest.mark.parametrize("row", _rows(quick=lambda row: (row["n"], row["s"]) in [*QUICK, (2, 6)]))
def test_lattice_has_the_known_values(row):
    assert log_tail(row["n"], row["s"]).log_probability == pytest.approx(
        row["log_probability"], abs=5e-6
    )


@pytest.mark.parametrize("row", _rows(quick=lambda row: row["n"] <= 100))
def test_sampling_agrees_with_the_lattice(row):
    found = log_tail(row["n"], row["s"], "importance", rng=11)
    deviation = abs(found.log_probability - row["log_probability"])
    assert deviation < 4 * found.standard_error
    assert deviation < 0.05
    assert found.standard_error < 0.03


def test_a_single_tilt_misses_the_jump():
    whole = log_tail(100, 12, "importance", rng=5).log_probability
    with pytest.warns(AccuracyWarning, match="a way in which the event happens is missed"):
        tilted = log_tail(100, 12, "tilt", rng=5)
    assert tilted.log_probability < whole - 50
    assert tilted.standard_error < 0.1  # an error bar that does not know
    assert tilted.diagnostics.status is Status.UNDERSAMPLED
    # before the transition it is all there is
    assert log_tail(1000, 3, "tilt", rng=5).log_probability == pytest.approx(
        log_tail(1000, 3).log_probability, abs=0.1
    )


def test_moderate_probabilities_agree_with_plain_sampling():
    draws = np.random.default_rng(2).standard_normal((400_000, 5))
    sums = np.sum(draws**3, axis=1) / math.sqrt(75)
    for s in (0.5, 1.5, -1.0):
        share = float(np.mean(sums > s))
        assert math.exp(log_tail(5, s).log_probability) == pytest.approx(
            share, abs=4 * math.sqrt(share * (1 - share) / sums.size)
        )


def test_two_terms_agree_with_the_plane():
    # direct two-dimensional integral over the angle and the squared radius
    s = 1.5

    def given_angle(angle):
        cubes = math.cos(angle) ** 3 + math.sin(angle) ** 3
        return math.exp(-0.5 * (math.sqrt(30) * s / cubes) ** (2 / 3)) if cubes > 0 else 0.0

    exact = integrate.quad(given_angle, -math.pi / 4, 3 * math.pi / 4, epsabs=0, epsrel=1e-11)[
        0
    ] / (2 * math.pi)
    assert log_tail(2, s).log_probability == pytest.approx(math.log(exact), rel=1e-9)


def test_signs_zero_and_one_term():
    assert log_tail(7, 0).log_probability == -math.log(2)
    upper, lower = log_tail(2, 1.2).log_probability, log_tail(2, -1.2).log_probability
    assert math.exp(upper) + math.exp(lower) == pytest.approx(1, rel=1e-12)
    assert log_tail(1, 50).log_probability == pytest.approx(
        float(special.log_ndtr(-np.cbrt(math.sqrt(15) * 50))), rel=1e-14
    )


def test_arrays_broadcast_and_seeds_repeat():
    found = log_tail([[3], [10]], [1.0, 4.0], "importance", samples=500, rng=3)
    assert found.log_probability.shape == found.standard_error.shape == (2, 2)
    again = log_tail([[3], [10]], [1.0, 4.0], "importance", samples=500, rng=3)
    assert np.array_equal(found.log_probability, again.log_probability)
    assert found.log_probability[0, 0] > found.log_probability[0, 1]


def test_rate_has_the_known_values():
    sigma, rate, jump = np.array(KNOWN["rate"]).T
    found = cube_rate(sigma)
    assert found.rate == pytest.approx(rate, rel=2e-9)
    assert found.jump == pytest.approx(jump, rel=2e-9)


def test_transition_is_of_first_order():
    at, below = cube_rate(TRANSITION), cube_rate(np.nextafter(TRANSITION, 0))
    assert at.rate == pytest.approx(at.metastable, rel=1e-15)
    assert at.jump == pytest.approx(TRANSITION / 2, rel=1e-14)
    assert below.jump == 0
    assert cube_rate(np.nextafter(SPINODAL, 0)).metastable == math.inf
    assert cube_rate(SPINODAL * (1 + 1e-12)).metastable == pytest.approx(
        (SPINODAL - 3**-1.5) ** 2 / 2 + 0.5 / 3, rel=1e-9
    )  # the root begins at 3^(-3/2)


@given(st.floats(0, 1e6))
@settings(max_examples=200)
def test_rate_is_the_least_of_all_jumps(sigma):
    found = cube_rate(sigma)
    jumps = sigma * np.concatenate([[0.0], np.geomspace(1e-6, 1, 4001)])
    least = np.min((sigma - jumps) ** 2 / 2 + np.cbrt(jumps) ** 2 / 2)
    assert found.rate <= least * (1 + 1e-12)
    assert found.rate == pytest.approx(least, rel=1e-3, abs=1e-12)
    assert found.rate <= found.metastable


def test_probabilities_approach_the_rate():
    # -log P/(sqrt(15 N) I) tends to 1 as the number of terms grows at fixed scaled deviation
    sizes = np.array([100, 1000, 10_000])
    ratios, gaps = [], []
    for n in sizes.tolist():
        s = 1.5 * (15 * n) ** 0.25
        found = log_tail(n, s, "importance", samples=4000, rng=n).log_probability
        leading = math.sqrt(15 * n) * cube_rate(1.5).rate
        ratios.append(-found / leading)
        gaps.append(abs(-found - leading) / math.log(n))
    distance = np.abs(np.array(ratios) - 1)
    assert np.all(np.diff(distance) < 0)
    assert max(gaps) < 1  # corrections are logarithms


@given(st.floats(-5, 200))
def test_gaussian_tail(z):
    assert log_tail_of_normal(z) == pytest.approx(float(special.log_ndtr(-z)), rel=1e-12)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(lambda weights: sum(weights) > 1e-3),
    st.floats(0, 1, exclude_max=True),
)
def test_cells_are_those_of_a_search(weights, u):
    cumulative, first = guide(np.array(weights) / sum(weights))
    assert cell_of(u, cumulative, first) == np.searchsorted(cumulative, u, side="right")


@pytest.mark.parametrize(
    ("arguments", "keywords", "words"),
    [
        ((0, 1), {}, "n = 0"),
        ((2.5, 1), {}, "n = 2.5"),
        ((3, math.nan), {}, "s = nan"),
        ((3, 1, "magic"), {}, "method = 'magic'"),
        ((3, 1, "importance"), {}, "rng = None"),
        ((3, 1, "importance"), {"rng": 0, "samples": 1}, "samples = 1"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, words):
    with pytest.raises(DomainError, match=words):
        log_tail(*arguments, **keywords)


def test_what_no_lattice_holds_is_refused():
    with pytest.raises(ResourceError, match="importance"):
        log_tail(100, 1e5)


@pytest.mark.slow
def test_what_rounding_spoils_is_refused():
    with pytest.raises(ConvergenceError, match="importance"):
        log_tail(20_000, 60)


def test_bad_proposals_are_not_a_success(monkeypatch):
    def untilted(*_):
        cells = np.exp(-(_tail_sampler._CENTERS**2) / 2)
        return cells / cells.sum()

    monkeypatch.setattr(_tail_sampler, "_shared_cells", untilted)
    with pytest.warns(AccuracyWarning, match="too few samples matter"):
        found = log_tail(1000, 6, "importance", samples=3000, rng=1)
    assert found.diagnostics.status is Status.UNDERSAMPLED
    monkeypatch.undo()
    assert log_tail(1000, 6, "importance", samples=3000, rng=1).diagnostics.status.ok

    def leaning(mean):  # against the event
        cells = np.exp(-((_tail_sampler._CENTERS + 1.5) ** 2) / 2)
        return cells / cells.sum()

    monkeypatch.setattr(_tail_sampler, "_background_cells", leaning)
    with pytest.warns(AccuracyWarning, match="too few samples matter"):
        assert not log_tail(100, 42, "importance", rng=1).diagnostics.status.ok


def test_few_samples_are_not_a_success():
    with pytest.warns(AccuracyWarning, match="use more samples"):
        found = log_tail(10, [1.0, 10.0], "importance", samples=10, rng=0)
    assert found.diagnostics.status is Status.UNDERSAMPLED
    with pytest.warns(AccuracyWarning, match="is missed"):
        found = log_tail(10, 10.0, "tilt", rng=0)  # which cannot happen without a jump
    assert found.log_probability == -math.inf


def test_work_is_bounded_before_it_starts():
    with pytest.raises(ResourceError, match="samples would hold"):
        log_tail(100, 1.0, "importance", samples=10**11, rng=0)
    with pytest.raises(ResourceError, match="about a minute"):
        log_tail(10**15, 1.0, "importance", rng=0)
    # no kernel is called for longer than some tenths of a second
    for samples, terms in ((7, 3), (10**5, 1000), (3, 10**9), (1, 1)):
        done = np.zeros(samples)
        for rows, count in blocks(samples, terms):
            assert done[rows].size * count <= _normal._BLOCK
            done[rows] += count
        assert np.all(done == terms)


def test_means_of_weights_know_how_many_count():
    even = log_mean(np.full(200, -1000.0))
    assert (even.log_mean, even.error, even.effective) == (-1000, 0, 200)
    assert even.good
    lone = log_mean(np.array([0.0, *[-50.0] * 9999]))
    assert lone.effective == pytest.approx(1)
    assert lone.error == pytest.approx(1)
    assert not lone.good
    missed = log_mean(np.full(5, -np.inf))
    assert (missed.log_mean, missed.error, missed.good) == (-math.inf, math.inf, False)
    # two halves of one event, one of them hardly sampled
    both = log_sum([even, lone])
    assert both.effective == pytest.approx(1)
    half = log_sum([even, missed])
    assert half.log_mean == even.log_mean
    assert not half.good
    assert not log_sum([missed]).good
    assert log_sum([even, even]).log_mean == pytest.approx(-1000 + math.log(2))
    assert log_sum([even, even]).effective == pytest.approx(400)
