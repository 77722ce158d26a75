"""The flow of a chain of m hidden factors: explicit chains, reference values, limits in m, identities, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.feature_learning import (
    _balance,
    _warped_loss,
    gradient_flow,
    linear_network,
    realization_flow,
    static_limit,
)

INF = math.inf


def chain(t, first, others, covariance, target, metric, richness):
    """Integrate the equations of motion of an explicit chain; return losses and scales.

    `first` is A_1; `metric` is the matrix S_0 that multiplies its update.
    """
    shapes = [first.shape, *(matrix.shape for matrix in others)]
    width = shapes[-1][0]

    def split(state):
        w, rest, factors = state[:width], state[width:], []
        for shape in shapes:
            size = shape[0] * shape[1]
            factors.append(rest[:size].reshape(shape))
            rest = rest[size:]
        return w, factors

    def backward(w, factors):
        found = [w]
        for matrix in factors[::-1]:
            found.append(matrix.T @ found[-1])
        return found[::-1]

    def motion(_, state):
        w, factors = split(state)
        back = backward(w, factors)
        push = covariance @ (target - back[0])
        front = [push]
        for matrix in factors:
            front.append(matrix @ front[-1])
        moves = [richness * np.outer(back[1], metric @ push)]
        moves += [richness * np.outer(back[j + 1], front[j]) for j in range(1, len(factors))]
        return np.concatenate([front[-1], *(move.ravel() for move in moves)])

    start = np.concatenate([np.zeros(width), *(matrix.ravel() for matrix in (first, *others))])
    path = solve_ivp(motion, (0, t[-1]), start, method="DOP853", rtol=1e-11, atol=1e-13, t_eval=t).y
    losses, scales = [], []
    for state in path.T:
        w, factors = split(state)
        error = target - backward(w, factors)[0]
        losses.append(error @ covariance @ error)
        scales.append((1 + richness * w @ w) ** len(factors))
    return np.array(losses), np.array(scales)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_against_explicit_chains(depth):
    """Unlimited features and samples: all factors start as the identity."""
    task, t = PowerLawSpectrum(1.3, 0.6, 6), np.array([0.2, 1.0, 4.0, 12.0])
    eigenvalues, signal = task.explicit()
    one = np.eye(6)
    losses, scales = chain(
        t,
        one,
        [one] * (depth - 1),
        np.diag(eigenvalues),
        np.sqrt(signal / eigenvalues),
        one,
        2.0,
    )
    found = gradient_flow(t, task, richness=2, depth=depth)
    # where the loss falls exponentially: 1e-8 times the exponent
    exponent = 1 + np.log(signal.sum() / losses)
    assert np.all(np.abs(found.test_loss / losses - 1) < 1e-8 * exponent)
    np.testing.assert_allclose(found.scale, scales, rtol=1e-8)
    assert np.all(np.abs(found.test_loss - losses) <= found.test_error + 1e-10 * losses)
    assert np.all(np.abs(found.scale - scales) <= found.scale_error + 1e-10 * scales)


@pytest.mark.parametrize("samples", [INF, 6])
@pytest.mark.parametrize("depth", [2, 3])
def test_against_one_draw(samples, depth):
    """Finite features and samples: a Gaussian first factor, orthogonal others."""
    n, modes, richness = 5, 9, 2.0
    rng = np.random.default_rng(3)
    eigenvalues, signal = PowerLawSpectrum(1.5, 0.75, modes).explicit()
    target = np.sqrt(signal / eigenvalues) * rng.choice([-1, 1], modes)
    first = rng.normal(size=(n, modes)) / math.sqrt(n)
    others = [np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(depth - 1)]
    covariance = np.diag(eigenvalues)
    if samples < INF:
        inputs = rng.normal(size=(samples, modes)) * np.sqrt(eigenvalues)
        covariance = inputs.T @ inputs / samples
    overlap, t = first.T @ first, np.array([0.5, 3.0, 15.0])
    losses, scales = chain(t, first, others, covariance, target, overlap, richness)
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    x, axes = np.linalg.eigh(root @ overlap @ root)
    powers = (axes.T @ root @ target) ** 2
    rank = int(min(n, samples))
    found = realization_flow(
        t,
        x[-rank:],
        powers[-rank:],
        richness=richness,
        floor=float(np.sum(powers[:-rank])),
        depth=depth,
    )
    np.testing.assert_allclose(found.train_loss, losses, rtol=2e-8)
    np.testing.assert_allclose(found.scale, scales, rtol=2e-8)


def test_reference_values(reference):
    table = reference("feature_learning_steps")["chain_flow"]
    for beta, depth, t, loss, scale in table["rows"]:
        found = gradient_flow(
            t, PowerLawSpectrum(1.5, beta, table["size"]), richness=table["richness"], depth=depth
        )
        assert [found.test_loss, found.scale] == pytest.approx([loss, scale], rel=5e-9, abs=0)
        assert abs(found.test_loss - loss) <= found.test_error + 1e-11 * loss
        assert abs(found.scale - scale) <= found.scale_error + 1e-11 * scale


def test_slopes(reference):
    h = 0.05
    for depth, beta, t, slope in reference("feature_learning_steps")["chain_slopes"]["rows"]:
        losses = gradient_flow(
            t * np.exp([-h, h]), PowerLawSpectrum(1.5, beta), richness=1, depth=depth
        ).test_loss
        assert np.log(losses[0] / losses[1]) / (2 * h) == pytest.approx(slope, abs=1.5e-4)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 20), st.floats(0.2, 1.5), st.floats(-3, 3), st.floats(0, 6))
def test_estimates_cover_the_errors(depth, beta, log_gamma, log_t):
    """Against a grid of steps three times as fine, 80 times as accurate."""
    spectrum, given_ = PowerLawSpectrum(1.5, beta), {"richness": 10**log_gamma, "depth": depth}
    t = 10**log_t
    found = gradient_flow(t, spectrum, **given_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_warped_loss, "GRID", 200.0)
        patch.setattr(_warped_loss, "DEEP_GRID", 200.0)
        best = gradient_flow(t, spectrum, **given_)
    assert abs(found.test_loss - best.test_loss) <= found.test_error
    assert abs(found.scale - best.scale) <= found.scale_error
    assert found.test_error < 5e-8 * found.test_loss
    assert found.scale_error < 5e-8 * found.scale


def test_limits_in_the_depth():
    task, t = PowerLawSpectrum(1.5, 0.5), [0, 0.3, 10, 1e4, INF]
    for sizes in ({}, {"features": 40, "samples": 70}):
        one, plain = (
            gradient_flow(t, task, richness=3, **more, **sizes) for more in ({"depth": 1}, {})
        )
        np.testing.assert_array_equal(one.test_loss, plain.test_loss)
        np.testing.assert_array_equal(one.scale, plain.scale)
        none = gradient_flow(t, task, richness=3, depth=0, **sizes)
        lazy = linear.gradient_flow(t, task, **sizes)
        np.testing.assert_array_equal(none.test_loss, lazy.test_loss)
        np.testing.assert_array_equal(none.train_loss, lazy.train_loss)
        np.testing.assert_array_equal(none.scale, 1.0)
        # the general equations next to both ends, as smooth functions of m
        near = gradient_flow(t[:-1], task, richness=3, depth=[[1 - 1e-7], [1 + 1e-7]], **sizes)
        np.testing.assert_allclose(near.test_loss.mean(axis=0), plain.test_loss[:-1], rtol=3e-8)
        np.testing.assert_allclose(near.scale.mean(axis=0), plain.scale[:-1], rtol=3e-8)
        small = gradient_flow(t[:-1], task, richness=3, depth=1e-9, **sizes)
        np.testing.assert_allclose(small.test_loss, none.test_loss[:-1], rtol=3e-8)
    np.testing.assert_array_equal(
        linear_network([1, 10], task, richness=3).test_loss,
        gradient_flow([1, 10], task, richness=3, depth=1).test_loss,
    )


@pytest.mark.parametrize("depth", [0.5, 2, 3, 50])
def test_long_training_does_not_depend_on_the_depth(depth):
    for sizes in ({"features": 40}, {"features": 30, "samples": 100}, {"samples": 50}):
        task = PowerLawSpectrum(1.5, 0.75)
        end = static_limit(task, **sizes)
        found = gradient_flow([1e9, INF], task, richness=2, depth=depth, **sizes)
        np.testing.assert_allclose(found.test_loss, end.test_loss, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.scale[0], found.scale[1], rtol=1e-7)
    spectrum = EmpiricalSpectrum([0.5, 0.2], [1.0, 0.4])
    late = gradient_flow([300, INF], spectrum, richness=2, depth=depth).scale
    assert late[0] == pytest.approx(late[1], rel=1e-8)
    sigma = late[1] ** (1 / depth)
    assert late[1] * (sigma - 1) == pytest.approx(2 * (1.0 / 0.5 + 0.4 / 0.2), rel=1e-11)


@given(st.floats(1e-3, 1e3), st.floats(-290, 290))
def test_balance_of_the_factors(depth, log_learned):
    learned = 10.0**log_learned
    grown = float(_balance.log_growth(np.array([learned]), depth)[0])
    total = depth * grown + math.log(math.expm1(grown)) if grown > 1e-300 else -INF
    assert total == pytest.approx(math.log(learned), rel=1e-12, abs=1e-12)
    assert _balance.balanced_scale(learned, 1.0) == 0.5 + math.sqrt(0.25 + learned)


def test_depths_broadcast_and_are_kept():
    found = gradient_flow([1, 10], PowerLawSpectrum(1.5, 0.5), richness=1, depth=[[0], [1], [2.5]])
    assert found.test_loss.shape == (3, 2)
    np.testing.assert_array_equal(found.depth[:, 0], [0, 1, 2.5])
    assert np.all(np.diff(found.test_loss[:, 1]) < 0)
    drawn = realization_flow([0, 1, INF], [1, 0.1], [0.5, 0.5], richness=2, depth=[[0], [1], [3]])
    assert drawn.scale.shape == (3, 3)
    np.testing.assert_array_equal(drawn.scale[0], 1.0)
    np.testing.assert_allclose(
        drawn.scale[1], realization_flow([0, 1, INF], [1, 0.1], [0.5, 0.5], richness=2).scale
    )


@pytest.mark.parametrize("depth", [-1, math.nan, INF, 1001, "deep", True + 0j])
def test_refusals(depth):
    with pytest.raises(DomainError, match="depth"):
        gradient_flow(1, PowerLawSpectrum(1.5, 0.5), richness=1, depth=depth)
    with pytest.raises(DomainError, match="depth"):
        realization_flow(1, [1.0], [1.0], richness=1, depth=depth)
