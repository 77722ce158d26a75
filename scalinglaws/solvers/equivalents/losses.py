"""Losses with their errors: what a solver finds for one element, and the judgment of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...arguments import Array
from ...results import PROMISED, Diagnostics, Status
from .kappa import MAX_STEPS
from .response import Resolved

ROUNDING = 1e-15
"""Rounding error of a sum, relative to the sum of the absolute values of its terms."""


class Loss(NamedTuple):
    """A mean loss and its estimated absolute error."""

    value: float
    error: float


class Losses(NamedTuple):
    """What is found for one element: losses, Newton steps taken, and the residual for kappa."""

    test: Loss
    train: Loss = Loss(0.0, 0.0)
    steps: int = 0
    residual: float = 0.0


UNSOLVED = Losses(Loss(math.nan, math.inf), Loss(math.nan, math.inf), MAX_STEPS, math.inf)
"""The equation for kappa was not solved: nothing is known."""


def unlimited(test: Loss, noise: float) -> Losses:
    """Return losses for unlimited samples, where training does not see its own noise."""
    train = test.value + noise
    return Losses(test, Loss(train, test.error + ROUNDING * train))


def solved(test: Loss, train: Loss, *found: Resolved) -> Losses:
    """Return losses that rest on kappa at some nodes; none is negative, whatever rounding says."""
    return Losses(
        Loss(max(test.value, 0.0), test.error),
        Loss(max(train.value, 0.0), train.error),
        max(at.steps for at in found),
        max(at.residual for at in found),
    )


def columns(found: Sequence[Losses]) -> dict[str, Array]:
    """Return losses and errors of all elements as arrays, by the names of a solution's fields."""
    rows = np.array([(*one.test, *one.train) for one in found], float).reshape(-1, 4)
    names = ("test_loss", "test_error", "train_loss", "train_error")
    return dict(zip(names, rows.T.copy(), strict=True))


def judgment(
    found: Sequence[Losses],
    start: Array,
    method: str,
    *,
    floor: float = 1e-4,
    other: float = 0.0,
) -> Diagnostics:
    """Judge all elements.

    Errors count relative to the loss plus a part, `floor`, of the train loss at the start; `other` is an error of what else
    was computed, relative to that itself.
    """
    table = columns(found)
    error = other
    for kind in ("test", "train"):
        loss = table[f"{kind}_loss"]
        known = np.isfinite(loss)
        scale = np.maximum((loss + floor * start)[known], np.finfo(float).tiny)
        error = max(error, float(np.max(table[f"{kind}_error"][known] / scale, initial=0.0)))
    residual = max((one.residual for one in found), default=0.0)
    status = (
        Status.MAX_ITERATIONS
        if math.isinf(residual)
        else Status.LOST_ACCURACY
        if error > PROMISED
        else Status.CONVERGED
    )
    return Diagnostics(
        status=status,
        residual=residual,
        iterations=max((one.steps for one in found), default=0),
        method=method,
        error_estimate=error,
    )
