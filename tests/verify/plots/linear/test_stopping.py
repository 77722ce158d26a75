"""Least losses of stopping and ridge, as they are drawn."""

import numpy as np
import pytest

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.linear import gradient_flow
from scalinglaws.verify.plots.linear import best_losses, loss_curves

SAMPLES = [1e4, 1e6, 1e8]


def curves(axis):
    return {line.get_gid(): np.asarray(line.get_ydata(), dtype=float) for line in axis.get_lines()}


def test_both_fall_alike_until_ridge_saturates():
    left, right = best_losses(PowerLawSpectrum.from_ab(2, 1.5), SAMPLES).axes
    found = curves(left)
    for name, law in (("stopping", "linear.early_stopping"), ("ridge", "linear.optimal_ridge")):
        np.testing.assert_allclose(found[name][-1], found[law][-1], rtol=1e-3)
    ratio = curves(right)
    np.testing.assert_allclose(ratio["ratio"], found["stopping"] / found["ridge"])
    assert ratio["closed"][0] == pytest.approx(0.983508, abs=1e-6)
    np.testing.assert_allclose(ratio["ratio"], 0.9835, atol=1e-3)
    _, right = best_losses(PowerLawSpectrum.from_ab(6, 1.5), SAMPLES).axes
    ratio = curves(right)
    assert "closed" not in ratio
    assert np.all(np.diff(np.log10(ratio["ratio"])) < -0.1)


def test_finite_tasks_have_no_leading_terms():
    left, right = best_losses(
        PowerLawSpectrum.from_ab(2, 1.5, 500), [100, 1e4], noise_variance=0.1
    ).axes
    assert set(curves(left)) == {"stopping", "ridge"}
    assert set(curves(right)) == {"ratio"}


def test_decays_are_drawn_with_the_limit_of_ridge():
    t = [*np.geomspace(1, 1e5, 9), np.inf]
    runs = {
        f"r = {r:g}": gradient_flow(
            t, PowerLawSpectrum.from_ab(2, 1.5), samples=100, weight_decay=r, temperature=0.1
        )
        for r in (0.0, 1e-3, 1e-2)
        if r > 0
    }
    lines = curves(loss_curves(runs).axes[0])
    for name, run in runs.items():
        assert lines[f"{name}, test loss, limit"][0] == run.test_loss[-1]


def test_refusals():
    task = PowerLawSpectrum.from_ab(2, 1.5)
    for call in (
        lambda: best_losses("x", SAMPLES),
        lambda: best_losses(task, [10.0]),
        lambda: best_losses(task, [1.0, 1e3]),
        lambda: best_losses(task, [100, 1e14]),
        lambda: best_losses(task, SAMPLES, noise_variance=0),
    ):
        with pytest.raises(DomainError):
            call()
    assert theory.law("linear.early_stopping").forms["ratio"]
