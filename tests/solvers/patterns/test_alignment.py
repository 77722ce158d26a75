"""The network that must align with a cubic target: costs, mean field, sampling and direct optimization."""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from scalinglaws.errors import DomainError
from scalinglaws.solvers.patterns import (
    alignment_rate,
    attention_overlap,
    gaussian_cost,
    log_alignment,
    optimize_configuration,
    specialized_cost,
)
from scalinglaws.solvers.patterns._alignment import psi

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "patterns_solvers.json").read_text())


def test_specialized_costs_have_the_known_values():
    n, d, cost = np.array(KNOWN["one_neuron"]).T
    assert specialized_cost(n, d, neurons=1).cost == pytest.approx(cost, rel=1e-11)
    n, d, cost, neurons, weight = np.array(KNOWN["best_neurons"]).T
    found = specialized_cost(n, d)
    assert found.cost == pytest.approx(cost, rel=2e-12)
    assert np.array_equal(found.neurons, neurons)
    assert found.squared_weight == pytest.approx(weight, rel=1e-8)


def test_gaussian_costs_have_the_known_values():
    n, d, cost, inflation = np.array(KNOWN["gaussian"]).T
    found = gaussian_cost(n, d)
    assert found.cost == pytest.approx(cost, rel=1e-9)
    assert found.inflation == pytest.approx(inflation, rel=1e-6)
    n, d, cost = np.array(KNOWN["lazy"]).T
    assert gaussian_cost(n, d, inflation=1).cost == pytest.approx(cost, rel=1e-9)


def test_mean_field_has_the_known_values():
    n, d, rate, tilt, variance, specialized = np.array(KNOWN["mean_field"]).T
    found = alignment_rate(n, d)
    assert found.rate == pytest.approx(rate, rel=1e-8)
    assert found.tilt == pytest.approx(tilt, rel=1e-8)
    assert found.variance == pytest.approx(variance, rel=1e-8)
    assert found.specialized[1] == pytest.approx(specialized[1], rel=1e-6)
    # printed 3.748024; the integrals below, at 25 digits, give another fifth digit
    assert found.specialized[0] == pytest.approx(3.7479740510, rel=1e-9)
    assert found.specialized[0] == pytest.approx(_specialized(20, 20, found.tilt[0]), rel=1e-9)


def _specialized(n, d, tilt):
    """Return the expected number of weights beyond 1, by mpmath."""
    with mpmath.workdps(25):

        def density(w):
            return mpmath.exp(-d * w**2 / 2 + tilt * (w**2 / (3 + 2 * w**2)) ** 3)

        beyond = mpmath.quad(density, [1, 1.5, 2, 2.5, 3, 4, 8])
        return float(n * beyond / (beyond + mpmath.quad(density, [0, 0.25, 0.5, 1])))


@given(st.integers(1, 2000), st.floats(0.5, 2000), st.integers(1, 40))
def test_specialized_cost_is_the_least_over_weights(n, d, neurons):
    neurons = min(neurons, n)
    found = specialized_cost(n, d, neurons=neurons)
    r = found.squared_weight * np.geomspace(0.5, 2, 201)
    costs = d * neurons * r / 2 + n / (2 * neurons * psi(r))
    assert found.cost == pytest.approx(float(costs.min()), rel=1e-12)
    best = specialized_cost(n, d)
    assert best.cost <= found.cost * (1 + 1e-12)
    assert best.cost >= best.relaxed * (1 - 1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 300), st.floats(1, 300))
def test_mean_field_is_cheaper_than_independent_patterns(n, d):
    # inflated Gaussian weights are one of the laws over which the rate is the least
    found = alignment_rate(n, d)
    assert found.rate <= gaussian_cost(n, d).cost * (1 + 1e-9)
    assert found.rate <= gaussian_cost(n, d, inflation=1).cost * (1 + 1e-9)
    # and stationary: 2 N tau v^2 = 1
    assert 2 * n * found.tilt * found.variance**2 == pytest.approx(1, rel=1e-9)


def test_exponents_on_a_ladder():
    sizes = 200 * 2 ** np.arange(5)

    def slopes(cost):
        return np.diff(np.log(cost)) / math.log(2)

    assert slopes(specialized_cost(sizes, sizes).cost) == pytest.approx([1] * 4, abs=5e-4)
    assert slopes(gaussian_cost(sizes, sizes).cost) == pytest.approx(
        [1.4051, 1.4338, 1.4542, 1.4685], abs=6e-5
    )
    assert slopes(gaussian_cost(sizes, sizes, inflation=1).cost) == pytest.approx(
        [2.9513, 2.9752, 2.9875, 2.9937], abs=6e-5
    )


def test_limits_of_large_systems():
    assert gaussian_cost(10**9, 10**9).cost == pytest.approx(2 / 3 * 5.4**0.25 * 1e9**1.5, rel=0.02)
    assert gaussian_cost(1, 1e6, inflation=1).cost == pytest.approx(0.9e18, rel=1e-4)


def test_direct_optimization_finds_three_neurons():
    found = optimize_configuration(100, 100, rng=0)
    assert found.cost == pytest.approx(900, rel=1e-6)
    assert found.specialized == 3
    assert found.weights[:3] == pytest.approx([math.sqrt(3)] * 3, rel=1e-3)
    assert optimize_configuration(20, 20, rng=0).cost == pytest.approx(180, rel=1e-6)


@pytest.mark.parametrize(("n", "d", "value"), KNOWN["exact_alignment"])
def test_quadrature_has_the_known_values_and_sampling_agrees(n, d, value):
    assert log_alignment(n, d, "quadrature").log_probability == pytest.approx(-value, rel=1e-10)
    found = log_alignment(n, d, rng=4)
    assert abs(found.log_probability + value) < 4 * found.standard_error


def test_quadrature_agrees_with_the_plain_integral():
    def density(w):
        return (
            2
            * math.exp(-(w**2) / 2)
            / math.sqrt(2 * math.pi)
            * special.ndtr(-((3 + 2 * w**2) ** 1.5) / w**3)
        )

    exact = integrate.quad(density, 1e-3, 20, epsabs=0, epsrel=1e-12)[0]
    assert log_alignment(1, 1, "quadrature").log_probability == pytest.approx(
        math.log(exact), rel=1e-10
    )


@pytest.mark.parametrize(("size", "value", "error"), KNOWN["sampled_alignment"])
def test_sampling_has_the_known_values(size, value, error):
    found = log_alignment(size, size, rng=9)
    assert abs(found.log_probability + value) < 4 * math.hypot(found.standard_error, error)
    assert found.standard_error < 0.04
    assert found.log_probability < -alignment_rate(size, size).rate
    assert round(found.specialized) == (3 if size == 100 else 4)


def test_moderate_probabilities_agree_with_networks():
    rng = np.random.default_rng(8)
    n, d, draws = 6, 0.05, 200_000
    w = rng.standard_normal((draws, n)) / math.sqrt(d)
    a = rng.standard_normal((draws, n)) / math.sqrt(n)
    share = float(np.mean(np.sum(a * w**3 / (3 + 2 * w**2) ** 1.5, axis=1) >= 1))
    found = log_alignment(n, d, samples=50_000, rng=1)
    spread = math.hypot(math.sqrt(share / draws), share * found.standard_error)
    assert abs(math.exp(found.log_probability) - share) < 4 * spread


@pytest.mark.parametrize(("length", "coupling", "value", "error"), KNOWN["overlap"])
def test_overlaps_have_the_known_values(length, coupling, value, error):
    assert abs(attention_overlap(coupling, length) - value) < 3 * error


def test_limits_of_the_overlap():
    for length in (2, 16, 10**6):
        small = 1e-3
        assert attention_overlap(small, length) == pytest.approx(
            (1 - 1 / length) * (small - 3 * small**3 / length), rel=1e-9
        )
    assert attention_overlap([-2, 0, 2], 8)[0] == -attention_overlap(2, 8)
    assert attention_overlap(0, 8) == 0 == attention_overlap(3, 1)
    # a hard maximum of two tokens: E|x| times E max(z1, z2)
    assert attention_overlap(50, 2) == pytest.approx(
        math.sqrt(2 / math.pi) / math.sqrt(math.pi), rel=2e-3
    )


@pytest.mark.parametrize("coupling", [0.3, 3.0, 10.0])
def test_overlap_of_two_tokens_is_a_plane_integral(coupling):
    # with z1 - z2 = sqrt(2) u, the softmax mean is (z1 + z2)/2 + (z1 - z2)/2 tanh(...)
    x, step = np.linspace(-9, 9, 3601, retstep=True)
    u = x[:, None] / math.sqrt(2)
    density = step * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    exact = density @ (u * x * np.tanh(coupling * u * x)) @ density
    assert attention_overlap(coupling, 2) == pytest.approx(exact, rel=1e-9)


def test_overlap_agrees_with_sampled_heads():
    rng = np.random.default_rng(6)
    x, z = rng.standard_normal((100_000, 1)), rng.standard_normal((100_000, 5))
    weights = np.exp(1.5 * x * z)
    heads = x[:, 0] * np.sum(weights * z, axis=1) / np.sum(weights, axis=1)
    assert abs(attention_overlap(1.5, 5) - heads.mean()) < 4 * heads.std() / math.sqrt(heads.size)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: specialized_cost(0, 3), "n = 0"),
        (lambda: specialized_cost(3, 0), "d = 0"),
        (lambda: specialized_cost(3, 3, neurons=4), "neurons = 4"),
        (lambda: gaussian_cost(3, 3, inflation=0), "inflation = 0"),
        (lambda: log_alignment(3, 3, "quadrature"), "n = 3 must be 1 or 2"),
        (lambda: log_alignment(3, 3), "rng = None"),
        (lambda: log_alignment(3, 3, "magic"), "method = 'magic'"),
        (lambda: optimize_configuration(3, 3, starts=0, rng=0), "starts = 0"),
        (lambda: attention_overlap(math.inf, 3), "coupling = inf"),
        (lambda: attention_overlap(1, 0), "length = 0"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(DomainError, match=words):
        call()
