"""Simulated perceptrons: minima that are minima, limits, agreement with the theory, and refusals."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from scalinglaws.errors import ConvergenceError, DomainError, ResourceError
from scalinglaws.solvers import perceptron as solve
from scalinglaws.verify.simulate.perceptron import _fixed_norm as module
from scalinglaws.verify.simulate.perceptron import _gradient_flow as flow_module
from scalinglaws.verify.simulate.perceptron import fixed_norm, gradient_flow
from scalinglaws.verify.simulate.perceptron._teacher import angle_over_pi, tasks


def drawn(alpha=3, size=30, distribution="gaussian", seed=0):
    (task,) = tasks(np.random.default_rng(seed), 1, round(alpha * size), size, distribution)
    return task


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
@pytest.mark.parametrize("norm", [0.1, 3.0, 20.0])
def test_the_minimum_is_that_of_another_method(loss, norm):
    signed, _ = drawn()
    found = module.minimizer(signed, signed.sum(axis=0), norm, loss)
    found *= math.sqrt(30) / np.linalg.norm(found)

    def value(w):
        return np.logaddexp.reduce(module.log_loss(norm * (signed @ w), loss)[0])

    other = minimize(
        value,
        signed.sum(axis=0) / np.linalg.norm(signed.sum(axis=0)) * math.sqrt(30),
        method="SLSQP",
        constraints=[{"type": "eq", "fun": lambda w: w @ w - 30}],
        options={"ftol": 1e-13, "maxiter": 2000},
    )
    assert value(found) <= other.fun + 1e-7
    assert angle_over_pi(found, other.x) < 2e-3


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_logarithms_and_ratios_of_losses_do_not_underflow(loss):
    u = np.array([-800.0, -30.0, -1.0, 0.0, 0.5, 17.9, 18.1, 900.0])
    logs, ratios = module.log_loss(u, loss)
    if loss == "exponential":
        np.testing.assert_array_equal(logs, -u)
        return
    assert logs[-1] == -1800
    assert ratios[-1] == -2
    near = u[1:5]
    value = np.log1p(np.exp(-2 * near))
    np.testing.assert_allclose(logs[1:5], np.log(value), rtol=1e-14)
    np.testing.assert_allclose(ratios[1:5] * value, -(1 - np.tanh(near)), rtol=1e-13)
    np.testing.assert_allclose(logs[5:7], -2 * u[5:7], rtol=1e-15)


@pytest.mark.parametrize("distribution", ["gaussian", "binary"])
def test_zero_norm_is_hebbs_rule_and_the_limit(distribution):
    found = fixed_norm([0, 1e-4], alpha=2, inputs=60, distribution=distribution, draws=3)
    np.testing.assert_allclose(found.error[:, 0], found.error[:, 1], rtol=1e-3)
    assert found.train_loss[0, 0] == pytest.approx(math.log(2))


def test_errors_agree_with_the_replica_equations():
    """Twenty seeds at N = 200: within three standard errors, Gaussian and binary; the loss by its logarithm."""
    for distribution, alpha in (("gaussian", 2.0), ("binary", 2.0)):
        norms = [0.5, 2, 8]
        found = fixed_norm(
            norms, alpha=alpha, inputs=200, distribution=distribution, draws=20, rng=5
        )
        theory = solve.fixed_norm(alpha, norms)
        spread = found.error.std(axis=0, ddof=1) / math.sqrt(20)
        assert np.all(np.abs(found.error.mean(axis=0) - theory.error) < 3 * spread)
        logs = np.log(found.train_loss)
        distance = np.median(logs, axis=0) - np.log(theory.train_loss)
        assert np.all(np.abs(distance) < 5 * logs.std(axis=0, ddof=1) / math.sqrt(20))


def test_exponential_loss_agrees_too():
    found = fixed_norm(1, alpha=2, inputs=150, loss="exponential", draws=16, rng=2)
    spread = found.error.std(ddof=1) / 4
    assert abs(found.error.mean() - 0.186481625) < 3 * spread


def test_margins_follow_their_density():
    found = fixed_norm([1, 8], alpha=4, inputs=150, margins=True, draws=6, rng=1)
    assert found.margins.shape == (6, 2, 600)
    solution = solve.fixed_norm(4, [1, 8])
    fine = np.linspace(-4, 6, 4001)
    density = solution.margin_density(fine)
    for j in range(2):
        cumulated = np.cumsum(density[j]) * (fine[1] - fine[0])
        quantiles = np.interp([0.1, 0.5, 0.9], cumulated, fine)
        measured = np.quantile(found.margins[:, j], [0.1, 0.5, 0.9])
        np.testing.assert_allclose(measured, quantiles, atol=0.05)


def test_draws_do_not_depend_on_their_number():
    few = fixed_norm([1, 4], alpha=2, inputs=20, draws=2, rng=3)
    many = fixed_norm([1, 4], alpha=2, inputs=20, draws=4, rng=3)
    np.testing.assert_array_equal(few.error, many.error[:2])


def test_the_flow_is_where_euler_steps_arrive():
    found = gradient_flow([0.5, 1.5], alpha=4, inputs=15, rng=4)
    signed, teacher = drawn(4, 15)
    ((signed, teacher),) = tasks(np.random.default_rng(4), 1, 60, 15, "gaussian")
    w, t, step = np.zeros(15), 0.0, 2e-4
    while np.linalg.norm(w) < 1.5 * math.sqrt(15):
        w += step * 15 / 60 * ((1 - np.tanh(signed @ w)) @ signed)
        t += step
    assert found.time[0, 1] == pytest.approx(t, rel=1e-3)
    assert found.error[0, 1] == pytest.approx(angle_over_pi(w, teacher), rel=1e-3)


def test_the_flow_at_many_samples_is_that_of_the_theory():
    norms = [1, 3, 5]
    found = gradient_flow(norms, alpha=60, inputs=60, draws=4)
    theory = solve.gradient_flow(norms)
    np.testing.assert_allclose(found.time.mean(axis=0), theory.time, rtol=0.03)
    ratio = (found.error / found.error_fixed_norm).mean(axis=0)
    np.testing.assert_allclose(ratio, theory.error_ratio, atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"norm": [2, 1]}, "norm"),
        ({"norm": -1}, "norm"),
        ({"norm": [1, 1e21]}, "norm.1. = 1e.21 must lie between 0 and"),
        ({"alpha": 0}, "alpha = 0 must"),
        ({"alpha": 1e-3}, "at least one sample"),
        ({"inputs": 1}, "inputs = 1 must"),
        ({"distribution": "ternary"}, "distribution"),
        ({"loss": "hinge"}, "loss"),
        ({"draws": 0}, "draws = 0 must"),
        ({"margins": 1}, "margins"),
    ],
)
def test_refusals(arguments, complaint):
    with pytest.raises(DomainError, match=complaint):
        fixed_norm(**{"norm": 1, "alpha": 2, "inputs": 20, **arguments})


def test_results_and_draws_beyond_memory_are_refused(monkeypatch):
    for simulated in (fixed_norm, gradient_flow):
        with pytest.raises(ResourceError, match="the results would hold .* use fewer draws"):
            simulated(1, alpha=2, inputs=20, draws=10**13)
    with pytest.raises(ResourceError, match="the margins would hold"):
        fixed_norm(1, alpha=2, inputs=20, draws=10**10, margins=True)
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "10MB")
    # 10 samples of 1000 inputs: the data fit, the flow's Jacobian does not
    fixed_norm(1, alpha=0.01, inputs=1000)
    with pytest.raises(ResourceError, match="one draw would hold"):
        gradient_flow(1, alpha=0.01, inputs=1000)


def test_a_norm_may_be_asked_for_again():
    found = gradient_flow([0.5, 2, 2, 2], alpha=8, inputs=30, draws=8, rng=3)
    again = gradient_flow([2, np.nextafter(2, 3)], alpha=8, inputs=30, draws=8, rng=3)
    for rows in (found.time[:, 1:], found.error[:, 1:], again.time, again.error):
        np.testing.assert_allclose(rows, rows[:, :1] * np.ones(rows.shape[1]), rtol=1e-6)
    np.testing.assert_allclose(found.time[:, 1], again.time[:, 0], rtol=1e-5)
    many = gradient_flow(np.geomspace(1e-12, 3, 400), alpha=4, inputs=10)
    assert np.all(np.diff(many.time) > 0)


def test_the_flow_refuses_zero_and_what_it_does_not_reach(monkeypatch):
    with pytest.raises(DomainError, match="norm = 0"):
        gradient_flow(0, alpha=2, inputs=10)
    monkeypatch.setattr(flow_module, "_LATEST", 1.0)
    with pytest.raises(ConvergenceError, match="the norm 5 is not reached"):
        gradient_flow(5, alpha=2, inputs=10)


def test_a_minimum_that_is_not_reached_is_told(monkeypatch):
    monkeypatch.setattr(module, "_ITERATIONS", 1)
    monkeypatch.setattr(module, "_DENSE", 0)
    with pytest.raises(ConvergenceError, match="L-BFGS stopped at norm 20"):
        fixed_norm(20, alpha=2, inputs=20)
