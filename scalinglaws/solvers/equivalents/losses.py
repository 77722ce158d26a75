"""Losses as they come in, element by element, with their errors."""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from ...results import PROMISED, Diagnostics, Status
from .kappa import MAX_STEPS
from .response import Resolved

ROUNDING = 1e-15
"""Rounding error of a sum, relative to the sum of the absolute values of its terms."""


class Tally:
    """Collects losses, estimated absolute errors, Newton steps and residuals.

    Errors are judged relative to the loss plus a part, `floor`, of the train loss at the start.
    """

    def __init__(self, count: int, total: float, noise: Array, floor: float = 1e-4) -> None:
        self.total = total
        self._floor = floor
        self._start = total + noise
        self._columns = {
            name: np.zeros(count)
            for name in ("test_loss", "train_loss", "test_error", "train_error")
        }
        self._steps = 0
        self._residual = 0.0

    def set_test(self, i: int, loss: float, error: float) -> None:
        """Record a test loss; losses are not negative, whatever rounding says."""
        self._columns["test_loss"][i], self._columns["test_error"][i] = max(loss, 0.0), error

    def set_train(self, i: int, loss: float, error: float) -> None:
        """Record a train loss."""
        self._columns["train_loss"][i], self._columns["train_error"][i] = max(loss, 0.0), error

    def set_unlimited(self, i: int, loss: float, noise: float) -> None:
        """Record losses for unlimited samples, where training does not see its own noise."""
        self.set_test(i, loss, ROUNDING * loss)
        self.set_train(i, loss + noise, ROUNDING * (loss + noise))

    def count(self, steps: int, residual: float) -> None:
        """Record how an equation was solved."""
        self._steps, self._residual = max(self._steps, steps), max(self._residual, residual)

    def solved(self, i: int, *found: Resolved) -> bool:
        """Record how kappa was found on a contour; if it was not, mark the element with NaN losses of unlimited error."""
        residual = max(at.residual for at in found)
        if math.isfinite(residual):
            self.count(max(at.steps for at in found), residual)
            return True
        self.count(MAX_STEPS, math.inf)
        self.set_test(i, math.nan, math.inf)
        self.set_train(i, math.nan, math.inf)
        return False

    def losses(self, *names: str) -> dict[str, Array]:
        """Return the columns, all or some of them."""
        return {name: self._columns[name] for name in names or self._columns}

    def diagnostics(self, method: str) -> Diagnostics:
        """Judge the whole."""
        error = 0.0
        for kind in ("test", "train"):
            loss = self._columns[f"{kind}_loss"]
            known = np.isfinite(loss)
            scale = np.maximum((loss + self._floor * self._start)[known], np.finfo(float).tiny)
            error = max(
                error, float(np.max(self._columns[f"{kind}_error"][known] / scale, initial=0.0))
            )
        failed = math.isinf(self._residual)
        status = (
            Status.MAX_ITERATIONS
            if failed
            else Status.LOST_ACCURACY
            if error > PROMISED
            else Status.CONVERGED
        )
        return Diagnostics(
            status=status,
            residual=self._residual,
            iterations=self._steps,
            method=method,
            error_estimate=error,
        )
