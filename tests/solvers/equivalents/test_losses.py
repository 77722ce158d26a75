"""Losses with their errors, and how all elements together are judged."""

import math
from dataclasses import replace

import numpy as np

from scalinglaws.results import Status
from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.equivalents import losses, response
from scalinglaws.solvers.equivalents.losses import Loss, Losses


def _resolved(steps, residual):
    modes = PowerLawSpectrum(1.5, 1.0, 10).modes()
    at = response.resolve(modes, math.inf, math.inf, np.array([1 + 1j]))
    return replace(at, steps=steps, residual=residual)


def test_losses_are_not_negative_and_carry_the_worst_of_what_they_rest_on():
    found = losses.solved(
        Loss(-1e-17, 1e-16), Loss(0.5, 0.1), _resolved(3, 1e-12), _resolved(9, 1e-15)
    )
    assert found == Losses(Loss(0.0, 1e-16), Loss(0.5, 0.1), 9, 1e-12)
    assert _resolved(3, 1e-12).found
    assert not _resolved(3, math.inf).found


def test_the_noise_adds_to_the_train_loss():
    found = losses.unlimited(Loss(0.25, 1e-3), 0.5)
    assert (found.test.value, found.train.value) == (0.25, 0.75)
    assert found.train.error == 1e-3 + losses.ROUNDING * 0.75


def test_columns_in_the_order_of_the_elements():
    found = [losses.unlimited(Loss(loss, 0.0), 0.5) for loss in (1.0, 2.0)]
    table = losses.columns(found)
    np.testing.assert_array_equal(table["test_loss"], [1.0, 2.0])
    np.testing.assert_array_equal(table["train_loss"], [1.5, 2.5])
    assert all(column.shape == (0,) for column in losses.columns([]).values())


def test_the_judgment_is_that_of_the_worst_element():
    fine = losses.unlimited(Loss(1.0, 1e-15), 0.0)
    poor = Losses(Loss(1.0, 1e-3), Loss(1.0, 0.0), 7, 1e-9)
    start = np.ones(2)
    good = losses.judgment([fine, fine], start, "by hand")
    assert (good.status, good.method, good.iterations) == (Status.CONVERGED, "by hand", 0)
    lost = losses.judgment([fine, poor], start, "by hand")
    assert (lost.status, lost.iterations, lost.residual) == (Status.LOST_ACCURACY, 7, 1e-9)
    assert lost.error_estimate == 1e-3 / (1 + 1e-4)
    failed = losses.judgment([fine, losses.UNSOLVED], start, "by hand")
    assert failed.status is Status.MAX_ITERATIONS
    assert failed.error_estimate < 1e-14  # of what is known
    assert losses.judgment([], np.ones(0), "by hand").status is Status.CONVERGED
