"""The best split of a budget between model size and time, for any loss as a function of both."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array
from ...errors import ConvergenceError, refusal
from ...reprs import short_repr
from .._roots import bounded_minimum

LogLoss = Callable[[ArrayLike, ArrayLike], Array]
"""Logarithm of the loss as a function of the logarithms of size and budget, which broadcast."""

POINTS = 33  # of the first look over all model sizes
METHOD = "scan, Brent and Newton in the logarithm of the size"

STEP = 0.06
"""Step in the logarithm of the differences at the optimum, which reach two of them far."""


@short_repr
@dataclass(frozen=True)
class Split:
    """The best size of a budget, the loss there, local exponents of both, and the slope left."""

    features: float
    loss: float
    loss_exponent: float
    features_exponent: float
    slope: float


def best_split(log_loss: LogLoss, sizes: Array, log_compute: float) -> Split:
    """Find the best size by a scan over the logarithms `sizes`, Brent's method, and Newton steps with fourth-order differences."""
    log_loss = _nowhere_zero(log_loss, log_compute)
    first = log_loss(sizes, log_compute)
    best = int(np.argmin(first))
    if best in (0, sizes.size - 1):
        raise refusal(
            "compute",
            math.exp(log_compute),
            f"compute = {math.exp(log_compute):.6g}: the best model size lies at the end of the "
            f"range, {math.exp(sizes[best]):.3g}; give a larger budget",
            named=False,
        )
    along: Callable[[float], float] = lambda x: float(log_loss(x, log_compute))  # noqa: E731
    x = bounded_minimum(along, sizes[best - 1], sizes[best + 1], xatol=2e-3)[0]
    for _ in range(2):
        h = STEP
        line = log_loss(x + h * np.arange(-2, 3), log_compute)
        slope = (line[0] - 8 * line[1] + 8 * line[3] - line[4]) / (12 * h)
        curvature = (-line[0] + 16 * line[1] - 30 * line[2] + 16 * line[3] - line[4]) / (12 * h * h)
        if not curvature > 0 or abs(slope) < 1e-9 * curvature:
            break
        x += float(np.clip(-slope / curvature, -h, h))
    if not curvature > 0:
        raise ConvergenceError(
            f"compute = {math.exp(log_compute):.6g}: the loss has no distinct minimum near features = {math.exp(x):.6g}",
            result=math.exp(x),
        )
    across = log_loss(x, log_compute + h * np.array([-2, -1, 1, 2]))
    near, far = (_mixed(log_loss, x, log_compute, step) for step in (h, 2 * h))
    mixed = (4 * near - far) / 3
    return Split(
        features=math.exp(x),
        loss=math.exp(along(x)),
        loss_exponent=-float(across[0] - 8 * across[1] + 8 * across[2] - across[3]) / (12 * h),
        features_exponent=-float(mixed / curvature),
        slope=float(slope),
    )


def _nowhere_zero(log_loss: LogLoss, log_compute: float) -> LogLoss:
    """Refuse a budget as soon as a loss of zero is met, in the scan or between its points."""

    def checked(log_features: ArrayLike, budgets: ArrayLike) -> Array:
        found = log_loss(log_features, budgets)
        zero = ~np.isfinite(found)
        if np.any(zero):
            where = math.exp(np.broadcast_to(log_features, np.shape(found))[zero].min())
            raise refusal(
                "compute",
                math.exp(log_compute),
                f"compute = {math.exp(log_compute):.6g}: the loss vanishes from features = {where:.3g} on, "
                "where every mode is learned, so that no split is the best; give a smaller budget or "
                "a larger spectrum",
                named=False,
            )
        return found

    return checked


def _mixed(log_loss: LogLoss, x: float, log_compute: float, h: float) -> float:
    """Return the mixed second difference in the logarithms of size and budget."""
    corners = log_loss(x + h * np.array([1, -1, 1, -1]), log_compute + h * np.array([1, 1, -1, -1]))
    return float(corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
