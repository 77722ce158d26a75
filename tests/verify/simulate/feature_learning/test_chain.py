"""Chains of hidden factors against another integrator, the exact reduction, printed values and chains of few factors."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.solvers import feature_learning as solve
from scalinglaws.solvers.spectra import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.verify.simulate.feature_learning import chain_flow, gradient_flow

TASK = PowerLawSpectrum(1.5, 0.5, 25)


def test_against_another_integrator():
    """All entries by LSODA, for a spectrum that is no power law."""
    eigenvalues, signal = np.array([1.0, 0.7, 0.2, 0.1]), np.array([0.5, 0.1, 0.3, 0.2])
    target, m, gamma = np.sqrt(signal / eigenvalues), 3, 1.7

    def velocity(t, state):
        w, factors = state[:4], state[4:].reshape(m, 4, 4)
        back = [w]
        for factor in factors[::-1]:
            back.insert(0, factor.T @ back[0])
        front = [eigenvalues * (target - back[0])]
        for factor in factors:
            front.append(factor @ front[-1])
        turns = [gamma * np.outer(back[j + 1], front[j]) for j in range(m)]
        return np.concatenate([front[m], np.ravel(turns)])

    start = np.concatenate([np.zeros(4), np.tile(np.eye(4), (m, 1, 1)).ravel()])
    t = np.array([0.0, 0.5, 2.0, 6.0])
    states = solve_ivp(velocity, (0, 6), start, "LSODA", t, rtol=1e-10, atol=1e-12).y.T
    losses, scales = [], []
    for state in states:
        learned = state[:4]
        for factor in state[4:].reshape(m, 4, 4)[::-1]:
            learned = factor.T @ learned
        losses.append(np.sum(eigenvalues * (target - learned) ** 2))
        scales.append((1 + gamma * state[:4] @ state[:4]) ** m)
    found = chain_flow(t, EmpiricalSpectrum(eigenvalues, signal), depth=m, richness=gamma, pace=0.1)
    np.testing.assert_allclose(found.test_loss[0], losses, rtol=1e-6)
    np.testing.assert_allclose(found.kernel_scale[0], scales, rtol=1e-6)
    np.testing.assert_array_equal(found.train_loss, found.test_loss)


@pytest.mark.parametrize(
    ("depth", "beta", "losses", "scales"),
    [
        (2, 0.5, [0.419929203132, 0.027104102705], [3.65913507254, 10.8339785667]),
        (3, 0.5, [0.338760419093, 0.0118884106572], [5.63982879738, 19.1020898094]),
        (2, 0.25, [0.909327621152, 0.0365500576162], [4.23187503465, 23.0651911006]),
        (3, 0.25, [0.750611647746, 0.00677925715793], [7.13634816773, 46.658769347]),
    ],
)
def test_values_of_the_specification(depth, beta, losses, scales):
    task = PowerLawSpectrum(1.5, beta, 50)
    for pace, accuracy in ((0.5, 2e-5), (0.1, 2e-6)):
        found = chain_flow([1, 10], task, depth=depth, richness=2, pace=pace)
        np.testing.assert_allclose(found.test_loss[0], losses, rtol=accuracy)
        np.testing.assert_allclose(found.kernel_scale[0], scales, rtol=accuracy)


def test_chains_of_one_factor_and_of_none():
    t = np.array([0.0, 0.1, 1.0, 10.0])
    one, flow = chain_flow(t, TASK, depth=1, richness=3), gradient_flow(t, TASK, richness=3)
    np.testing.assert_allclose(one.test_loss, flow.test_loss, rtol=3e-5)
    np.testing.assert_allclose(one.kernel_scale, flow.kernel_scale, rtol=3e-5)
    eigenvalues, signal = TASK.explicit()
    lazy = np.exp(-2 * np.outer(t, eigenvalues)) @ signal
    for depth, richness in ((0, 3.0), (2, 0.0)):
        found = chain_flow(t, TASK, depth=depth, richness=richness)
        np.testing.assert_allclose(found.test_loss[0], lazy, rtol=3e-5)
        np.testing.assert_array_equal(found.kernel_scale, 1.0)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("richness", [0.1, 2.0, 100.0])
def test_stated_accuracy(depth, richness):
    """Against a twentieth of the default pace, while the loss is above 1e-4 of the first one; and the order."""
    t = np.array([0.0, 0.03, 0.3, 1.0, 3.0])
    fine, half, rough = (
        chain_flow(t, TASK, depth=depth, richness=richness, pace=pace).test_loss[0]
        for pace in (0.0125, 0.125, 0.25)
    )
    kept = fine > 1e-4 * fine[0]
    assert np.max(np.abs(rough / fine - 1)[kept]) < 3e-5
    assert np.max(np.abs(half - fine)[kept]) < 0.15 * np.max(np.abs(rough - fine)[kept])


def test_the_reduction_holds_for_chains():
    t = np.array([0.5, 5.0])
    for depth in (2, 5):
        found = chain_flow(t, TASK, depth=depth, richness=0.7, pace=0.2)
        expected = solve.gradient_flow(t, TASK, richness=0.7, depth=depth)
        np.testing.assert_allclose(found.test_loss[0], expected.test_loss, rtol=2e-4)
        np.testing.assert_allclose(found.kernel_scale[0], expected.scale, rtol=2e-4)


def test_shapes_and_a_task_without_signal():
    assert chain_flow(1.0, TASK, depth=1, richness=1).test_loss.shape == (1,)
    assert chain_flow([1.0, 2.0], TASK, depth=1, richness=1).test_loss.shape == (1, 2)
    found = chain_flow(5.0, EmpiricalSpectrum([1.0], [0.0]), depth=2, richness=1)
    assert found.test_loss == 0
    assert found.kernel_scale == 1


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"depth": -1}, "depth = -1"),
        ({"depth": 1.5}, "depth = 1.5"),
        ({"richness": -1}, "richness = -1"),
        ({"pace": 2}, "pace = 2"),
        ({"t": [2, 1]}, "is less than"),
        ({"t": np.inf}, "t = inf"),
        ({"spectrum": PowerLawSpectrum(1.5, 1)}, "give a finite size"),
    ],
)
def test_refusals(changes, complaint):
    given = {"t": 1.0, "spectrum": TASK, "depth": 1, "richness": 1.0, **changes}
    with pytest.raises(DomainError, match=complaint):
        chain_flow(given.pop("t"), given.pop("spectrum"), **given)


def test_too_long_and_too_rich():
    with pytest.raises(ResourceError, match="needs at least"):
        chain_flow(1e12, TASK, depth=1, richness=1.0)
    with pytest.raises(ResourceError, match="given up|needs at least"):
        chain_flow(3e3, PowerLawSpectrum(1.5, 0.5, 300), depth=5, richness=1e4)
    with pytest.raises(DomainError, match="numbers overflow"):
        chain_flow(0.01, EmpiricalSpectrum([1.0], [1e4]), depth=100, richness=1e4)
