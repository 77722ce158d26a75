"""Crossover times and compute frontiers of the rich flow."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import zeta

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.feature_learning import (
    _crossover,
    _integrator,
    compute_frontier,
    crossover_time,
    gradient_flow,
)

INF = math.inf
TASK = PowerLawSpectrum(1.5, 0.5)


def test_reference_crossovers(reference):
    for alpha, beta, richness, t in reference("feature_learning_solvers")["crossover"]["values"]:
        found = crossover_time(PowerLawSpectrum(alpha, beta), richness=richness)
        assert found == pytest.approx(t, rel=1e-6)


@pytest.mark.parametrize(("beta", "measured"), [(0.25, 1.3332), (0.5, 1.9997), (0.75, 3.9984)])
def test_crossover_powers(beta, measured):
    early, late = crossover_time(PowerLawSpectrum(1.5, beta), richness=[1e-3, 1e-4])
    assert math.log10(late / early) == pytest.approx(measured, abs=1e-4)
    assert math.log10(late / early) == pytest.approx(1 / (1 - beta), abs=0.01)
    slow = crossover_time(PowerLawSpectrum(1.5, beta), richness=[1e-8, 1e-9])
    assert math.log10(slow[1] / slow[0]) == pytest.approx(1 / (1 - beta), abs=1e-5)


@settings(max_examples=30)
@given(st.floats(0.2, 2.0), st.floats(-6, 6), st.floats(1.0, 5.0))
def test_the_scale_at_the_crossover(beta, log_gamma, scale):
    richness, spectrum = 10.0**log_gamma, PowerLawSpectrum(1.6, beta, 10**6)
    t = crossover_time(spectrum, richness=richness, scale=scale)
    end = gradient_flow(INF, spectrum, richness=richness).scale
    assert math.isinf(t) == (scale >= end)
    if scale < 0.99 * end:
        assert gradient_flow(t, spectrum, richness=richness).scale == pytest.approx(scale, rel=1e-7)


def test_ends_of_the_crossover():
    easy = PowerLawSpectrum(1.5, 2.0)
    needed = 2 / zeta(2.5)  # s (s - 1) = richness |w*|^2
    assert math.isinf(crossover_time(easy, richness=0.999 * needed))
    assert math.isfinite(crossover_time(easy, richness=1.1 * needed))
    assert math.isinf(crossover_time(TASK, richness=0.0))
    np.testing.assert_array_equal(crossover_time(TASK, richness=[0.0, 1.0], scale=1.0), 0.0)
    assert crossover_time(TASK, richness=[[1.0], [2.0]], scale=[1.5, 2.0, 3.0]).shape == (2, 3)
    measured = EmpiricalSpectrum(*PowerLawSpectrum(1.5, 0.5, 200).explicit())
    assert crossover_time(measured, richness=3.0) == pytest.approx(
        crossover_time(PowerLawSpectrum(1.5, 0.5, 200), richness=3.0), rel=1e-10
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"richness": -1.0}, "richness = -1.0"),
        ({"richness": 1.0, "scale": 0.5}, "scale = 0.5 must be >= 1"),
        ({"richness": 1.0, "scale": INF}, "scale = inf"),
        ({"richness": 1e120}, "at most 1e"),
        ({"richness": 1e-250}, "below 1e-290; use a larger richness"),
    ],
)
def test_refusals_of_crossovers(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        crossover_time(TASK, **arguments)


def test_a_scale_that_is_not_reached(monkeypatch):
    monkeypatch.setattr(_crossover, "advance", lambda *arguments: (3, _integrator.MAX_NEWTON))
    with pytest.raises(ConvergenceError, match="farther from its limit"):
        crossover_time(TASK, richness=1.0)


# -- frontier -----------------------------------------------------------------------------------------------------------


def test_frontier_without_richness_is_the_linear_one():
    one, two = (
        compute_frontier(1e8, TASK, richness=0),
        linear.compute_frontier(1e8, TASK, dynamics="flow"),
    )
    for name in ("features", "time", "loss", "loss_exponent", "features_exponent"):
        assert getattr(one, name) == getattr(two, name)


@pytest.mark.parametrize(("alpha", "beta", "compute"), [(1.5, 0.5, 1e12), (1.5, 0.25, 1e10)])
def test_hard_tasks_gain(alpha, beta, compute):
    found = compute_frontier(compute, PowerLawSpectrum(alpha, beta), richness=1)
    assert found.loss_exponent == pytest.approx(
        2 * alpha * beta / (alpha * (1 + beta) + 2), abs=2e-3
    )
    assert found.features_exponent == pytest.approx(2 / (alpha * (1 + beta) + 2), abs=5e-3)
    lazy = linear.compute_frontier(compute, PowerLawSpectrum(alpha, beta), dynamics="flow")
    assert found.loss < lazy.loss
    assert found.loss_exponent > lazy.loss_exponent + 0.02


def test_easy_tasks_do_not():
    alpha, beta = 2.0, 1.25
    found = compute_frontier(1e14, PowerLawSpectrum(alpha, beta), richness=1)
    assert found.loss_exponent == pytest.approx(alpha * beta / (alpha * beta + 1), abs=5e-3)


def test_no_neighboring_size_does_better():
    found = compute_frontier(1e8, TASK, richness=3)
    near = found.features * np.array([[0.99], [1.0], [1.01]])
    losses = gradient_flow(1e8 / near, TASK, richness=3, features=near).test_loss
    assert losses[1] == pytest.approx(found.loss, rel=1e-12)
    assert losses[1] < min(losses[0], losses[2])


def test_exponents_are_derivatives():
    found = compute_frontier(
        1e7 * np.exp([-0.3, 0.0, 0.3]), PowerLawSpectrum(1.7, 0.6), richness=0.5
    )
    assert found.loss.shape == (3,)
    assert found.loss_exponent[1] == pytest.approx(
        -math.log(found.loss[2] / found.loss[0]) / 0.6, rel=1e-3
    )
    assert found.features_exponent[1] == pytest.approx(
        math.log(found.features[2] / found.features[0]) / 0.6, rel=1e-3
    )


@pytest.mark.parametrize(
    ("compute", "richness", "complaint"),
    [
        (1.0, 1, "compute = 1.0 must be >= 4"),
        (1e50, 1, "at most 1e"),
        (1e9, -1, "richness = -1 "),
        (1e9, [1, 2], "richness must be a single number"),
    ],
)
def test_refusals_of_frontiers(compute, richness, complaint):
    with pytest.raises(DomainError, match=complaint):
        compute_frontier(compute, TASK, richness=richness)
