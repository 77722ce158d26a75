"""Curves without a norm, the curve of many samples, and gradient flow."""

import math

import numpy as np
import pytest
from mpmath import mp
from scipy import integrate

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.solvers.perceptron import (
    _limits,
    bayes,
    fixed_norm,
    gibbs,
    gradient_flow,
    hebb,
    master_curve,
    max_stability,
    optimal_norm,
)

PRINTED_OPTIMUM = (
    0.8835851061  # whose last digits are wrong: tests/solvers/perceptron/test_accuracy.py
)


@pytest.fixture(scope="module")
def known(reference):
    return reference("perceptron")


def test_curves_have_the_known_values(known):
    alpha, _, _, *columns, stability = np.array(known["optimum"], float).T
    for solver, column in zip((bayes, gibbs, max_stability), columns, strict=True):
        np.testing.assert_allclose(solver(alpha).error, column, rtol=1e-9)
    np.testing.assert_allclose(max_stability(alpha).stability, stability, rtol=1e-6)


def test_curves_at_many_samples(known):
    constants = known["constants"]
    for name, solver in (("bayes", bayes), ("gibbs", gibbs), ("max_stability", max_stability)):
        assert 1e10 * solver(1e10).error == pytest.approx(constants[name], rel=1e-7)
    assert 1e10 * max_stability(1e10).stability == pytest.approx(constants["stability"], rel=1e-9)
    assert gibbs(1e8).error / bayes(1e8).error == pytest.approx(math.sqrt(2), rel=1e-9)
    assert hebb(1e8).error * 1e4 == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-7)
    alpha = np.geomspace(1e-9, 1e12, 85)
    order = [solver(alpha).error for solver in (bayes, max_stability, gibbs)]
    assert np.all(order[0] <= order[1] * (1 + 1e-13))
    assert np.all(order[0] <= order[2])
    for found in (bayes(alpha), gibbs(alpha), max_stability(alpha), hebb(alpha)):
        assert np.all(np.diff(found.error) < 0)
        np.testing.assert_allclose(np.cos(math.pi * found.error), found.overlap, atol=1e-12)


def test_curves_keep_shapes_and_refuse():
    for solver in (bayes, gibbs, max_stability, hebb):
        assert solver([[1.0, 2.0]]).error.shape == (1, 2)
        assert isinstance(solver(1).error, float)
        assert solver([]).error.shape == (0,)
        for value in (0, -1, math.inf, math.nan, 1e13):
            with pytest.raises(DomainError, match="alpha = .* must lie between"):
                solver(value)


def test_a_curve_that_is_not_solved_is_told(monkeypatch):
    monkeypatch.setattr(_limits, "MOST_STEPS", 1)
    with pytest.raises(ConvergenceError, match="bayes: the iteration limit"):
        bayes(5.0)


def test_the_master_curve_has_the_known_values(known):
    best = master_curve(1.0)
    for width, norm, error in known["master"]:
        found = master_curve(norm / best.scaled_norm)
        assert found.width == pytest.approx(width, rel=1e-11)
        assert found.scaled_error == pytest.approx(error, rel=1e-11)
    constants = known["constants"]
    assert best.scaled_error == pytest.approx(constants["optimum_error"], rel=1e-9)
    assert best.width == pytest.approx(constants["optimum_width"], rel=1e-8)
    assert best.scaled_norm == pytest.approx(PRINTED_OPTIMUM, rel=1e-8)
    assert best.ratio == 1
    assert best.slope == pytest.approx(0, abs=1e-14)


def test_ratios_have_the_known_values(known):
    # printed with x measured in the printed optimal norm
    unit = PRINTED_OPTIMUM / master_curve(1.0).scaled_norm
    for x, ratio in known["ratio"]:
        assert master_curve(x * unit).ratio == pytest.approx(ratio, rel=1e-10)
        assert master_curve(x).ratio == pytest.approx(ratio, rel=5e-9)


def test_ends_of_the_master_curve(known):
    found = master_curve([0.0, 1e-12, 1e12, math.inf])
    assert found.ratio[0] == math.inf
    assert found.ratio[1] * 1e-6 == pytest.approx(known["constants"]["ratio_amplitude"], rel=1e-8)
    assert found.ratio[2] == pytest.approx(found.ratio[3], rel=1e-10)
    assert found.ratio[3] == pytest.approx(known["constants"]["ratio_at_infinity"], rel=1e-6)
    assert found.scaled_error[3] == pytest.approx(known["constants"]["max_stability"], rel=1e-10)
    np.testing.assert_allclose(found.slope, [-0.5, -0.5, 0, 0], atol=1e-9)
    # first corrections: 0.7984867 X, and -0.1171968537 / X
    kappa0 = 2 * math.log(2) - 1
    for x in (1e-5, 1e-4):
        scaled = master_curve(x)
        lead = math.sqrt(math.sqrt(math.pi / 2) * kappa0 / scaled.scaled_norm) / math.pi
        assert (scaled.scaled_error / lead - 1) / scaled.scaled_norm == pytest.approx(
            0.7984867, rel=3e-3
        )
    late = master_curve(1e4)
    assert (late.scaled_error - 0.500488931778) * late.scaled_norm == pytest.approx(
        -0.1171968537, rel=1e-3
    )


def test_errors_collapse_on_the_master_curve(known):
    x = np.geomspace(0.1, 10, 41)
    alpha = 1e3
    best = optimal_norm(alpha)
    ratio = fixed_norm(alpha, x * best.norm).error / best.error
    assert np.max(np.abs(ratio / master_curve(x).ratio - 1)) < 1e-4
    for alpha, value in known["collapse"]:
        best = optimal_norm(alpha)
        found = fixed_norm(alpha, 0.1 * best.norm).error / best.error
        assert found == pytest.approx(value, abs=6e-7)


def test_refusals_of_the_master_curve():
    for value in (-1, math.nan, 1e-13, 1e13):
        with pytest.raises(DomainError, match="x = "):
            master_curve(value)
    assert master_curve([[1.0, 2.0]]).ratio.shape == (1, 2)
    assert master_curve([]).ratio.shape == (0,)


def test_gradient_flow_has_the_known_values(known):
    norm, ratio = np.array(known["gradient_flow_ratio"]).T
    np.testing.assert_allclose(gradient_flow(norm).error_ratio, ratio, atol=6e-6)
    norm, time = np.array(known["gradient_flow_time"]).T
    np.testing.assert_allclose(gradient_flow(norm).time, time, rtol=4e-7)


def test_gradient_flow_is_the_solution_of_its_differential_equation():
    half, weight = np.polynomial.legendre.leggauss(400)
    z, share = 4.75 * (1 + half), 4.75 * weight
    share = share * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2)

    def rates(_, state):
        norm, phi = state[0], state[1:]
        fall = 1 - np.tanh(norm * z)
        bent = share @ (fall * (2 - fall))
        return np.concatenate([[share @ (z * fall)], fall - bent * phi])

    ends = gradient_flow([0.2, 1.0, 4.0])
    solved = integrate.solve_ivp(
        rates,
        (0, ends.time[-1]),
        np.zeros(z.size + 1),
        t_eval=ends.time,
        method="LSODA",
        rtol=1e-10,
        atol=1e-12,
    ).y
    np.testing.assert_allclose(solved[0], ends.norm, rtol=1e-7)
    tangent = share @ solved[1:] ** 2 / ends.norm**2
    np.testing.assert_allclose(ends.scaled_tangent, tangent, rtol=1e-7)


def test_gradient_flow_between_its_limits():
    norm = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 61)])
    found = gradient_flow(norm)
    assert np.all(found.error_ratio >= 1 - 1e-12)
    assert np.max(found.error_ratio) < 1.15
    assert found.error_ratio[0] == found.relative_error[0] == 1
    assert np.all(np.diff(found.relative_error) < 0)
    assert np.all(np.diff(found.time) > 0)
    late = found.norm > 1e3
    growth = (math.pi**2 / 8 * math.sqrt(2 / math.pi) * found.time[late]) ** (1 / 3)
    np.testing.assert_allclose(found.norm[late], growth, rtol=1e-5)
    assert found.relative_error[-1] * 1e3 == pytest.approx(0.5551741228, rel=1e-8)
    # the fixed norm's, from the solver at many samples
    few = fixed_norm(1e9, norm[1:40]).error / hebb(1e9).error
    np.testing.assert_allclose(found.relative_error_fixed_norm[1:40], few, rtol=1e-6)
    for value in (-1, math.inf, math.nan, 1e-7, 1e7):
        with pytest.raises(DomainError, match="norm = "):
            gradient_flow(value)
    assert gradient_flow([[1.0]]).time.shape == (1, 1)


def test_gradient_flow_is_as_accurate_as_stated():
    """With h and r from 20 digits, the past is one panel of 24 nodes here: all of it is a polynomial to rounding."""
    norm = 0.8
    nodes, weights = np.polynomial.legendre.leggauss(24)
    past = 0.5 * norm * (1 + nodes)

    def mean(f):
        return float(mp.quad(lambda z: 2 * mp.npdf(z) * f(z), [0, 1, 2.5, 5, 13], maxdegree=4))

    with mp.workdps(20):
        h = np.array([mean(lambda z, at=at: mp.sech(at * z) ** 2) for at in past])
        r = np.array([mean(lambda z, at=at: z * (1 - mp.tanh(at * z))) for at in past])
    decay = np.polynomial.Legendre.fit(past, h / r, 23, domain=[0, norm]).integ()
    z, share = np.polynomial.legendre.leggauss(120)
    z = 5.5 * (1 + z)
    share = 5.5 * share * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2)
    kept = 0.5 * norm * weights * np.exp(decay(past) - decay(norm)) / r
    phi = (1 - np.tanh(np.outer(z, past))) @ kept
    found = gradient_flow(norm)
    stated = found.diagnostics.error_estimate
    assert stated <= 1e-11
    assert found.time == pytest.approx(0.5 * norm * float(weights @ (1 / r)), rel=stated)
    assert found.scaled_tangent == pytest.approx(float(share @ phi**2) / norm**2, rel=stated)
