"""Fitting a law to several curves: a grid of shapes with amplitudes by non-negative least squares, then bounded least squares."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls

from ....equality import by_value
from ....errors import AccuracyWarning, DataError
from ....reprs import short_repr
from ....solvers.schedules import Schedule
from ...estimate import ScheduledCurve, ScheduleLawFit, fit_schedule_law
from ...estimate.schedule_points import covariances
from ._laws import FUNCTIONAL, MULTI_POWER, CurveLaw, CurvePoints

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

THRESHOLDS = (0.1, 0.01, 0.001)
"""Huber's thresholds of residuals of ln L, one after the other."""
_POLISHED = 4  # of the starts
_TRIES = (40, 40, 200)
_ALPHAS = (0.2, 0.4, 0.6, 0.9)
_SPEEDS = (-5.0, -3.0, -1.0)  # ln C, rates in multiples of the peak
_BETAS, _GAMMAS = (0.2, 0.6, 1.2), (0.0, 0.5, 1.0)
_MEMORIES = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)  # steps


@short_repr
@dataclass(frozen=True)
@by_value
class Used:
    """What of a curve is fitted.

    Attributes
    ----------
    schedule : Schedule
        Rates of all steps.
    steps : ndarray of int, shape (n,)
        Of the points.
    losses : ndarray, shape (n,)
        There.
    """

    schedule: Schedule
    steps: Steps
    losses: Array


@short_repr
@dataclass(frozen=True)
@by_value
class Solved:
    """A law fitted to curves; the fields are those of `CurveFit`."""

    x: Array
    covariance: Array
    block_covariance: Array
    residual_rms: float
    condition: float
    weakest: tuple[str, ...]
    converged: bool
    functional: ScheduleLawFit | None


def solve(law: CurveLaw, used: Sequence[Used], unit: float) -> Solved:
    """Fit a law.

    Parameters
    ----------
    law : CurveLaw
        The law.
    used : sequence of Used
        Points of the curves.
    unit : float
        Of the rates.

    Returns
    -------
    Solved
        The best of the fits from the best starts.

    Raises
    ------
    DataError
        If there are not two points more than parameters.
    """
    total, size = sum(one.steps.size for one in used), len(law.names)
    if total < size + 2:
        told = f"{size} parameters need at least {size + 2} losses after warm-up"
        raise DataError(f"{told}; the curves have {total}")
    if law.name == FUNCTIONAL:
        return _functional(law, used, unit)
    return _Task(law, used, unit).solved()


def _functional(law: CurveLaw, used: Sequence[Used], unit: float) -> Solved:
    """Have the functional law fitted where it is at home."""
    curves = [ScheduledCurve(one.schedule, one.steps, one.losses) for one in used]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # `converged` says it
        found = fit_schedule_law(curves, points=10**9, start=1, bootstrap=0)
    places = [CurvePoints(law, one.schedule, one.steps, found.unit) for one in used]
    jacobian = np.concatenate([points.logs(found.coordinates)[1] for points in places])
    condition, weakest = _parted(law, places, jacobian, np.diag(found.covariance) > 0)
    return Solved(
        x=found.coordinates,
        covariance=found.covariance,
        block_covariance=found.block_covariance,
        residual_rms=found.residual,
        condition=condition,
        weakest=weakest,
        converged=found.converged,
        functional=found,
    )


class _Task:
    """Points of several curves, and a law to be fitted to them."""

    def __init__(self, law: CurveLaw, used: Sequence[Used], unit: float) -> None:
        self._law = law
        self._points = [CurvePoints(law, one.schedule, one.steps, unit) for one in used]
        self._sizes = [one.steps.size for one in used]
        self._losses = np.concatenate([one.losses for one in used])
        self._target = np.log(self._losses)
        self._low, self._high = np.array(law.low), np.array(law.high)
        for place in (1, 3):  # amplitudes are measured in losses
            self._low[place] += float(np.max(self._target))
            self._high[place] += float(np.max(self._target))
        self._high[0] = float(np.max(self._losses))  # that of a constant rate: decays go below it
        self._known: tuple[bytes, Array, Array] | None = None

    def solved(self) -> Solved:
        """Polish the best starts; the first of equals wins."""
        found = [self._polished(start) for start in self._starts()]
        best = min(found, key=lambda one: float(one.cost))
        residuals, jacobian = self._both(best.x)
        residuals = residuals - self._target
        free = best.active_mask == 0
        size = len(self._law.names)
        plain, blocks = np.zeros((2, size, size))
        at = np.ix_(free, free)
        plain[at], blocks[at] = covariances(jacobian[:, free], residuals, self._sizes)
        condition, weakest = _parted(self._law, self._points, jacobian, free)
        return Solved(
            x=best.x,
            covariance=plain,
            block_covariance=blocks,
            residual_rms=float(np.sqrt(np.mean(residuals**2))),
            condition=condition,
            weakest=weakest,
            converged=bool(best.status > 0),
            functional=None,
        )

    def _both(self, x: Array) -> tuple[Array, Array]:
        """Return values and slopes, which are asked for one after the other."""
        key = x.tobytes()
        if self._known is None or self._known[0] != key:
            parts = [points.logs(x) for points in self._points]
            values = np.concatenate([part[0] for part in parts])
            self._known = (key, values, np.concatenate([part[1] for part in parts]))
        return self._known[1:]

    def _polished(self, start: Array) -> Any:
        low, high = self._low, self._high
        x, found = start, None
        for delta, tries in zip(THRESHOLDS, _TRIES, strict=True):
            inside = np.clip(
                x, low + 1e-9 * (1 + np.abs(low)), high - 1e-9 * np.minimum(1, np.abs(high))
            )
            found = least_squares(
                lambda y: self._both(y)[0] - self._target,
                inside,
                jac=lambda y: self._both(y)[1],
                bounds=(low, high),
                x_scale="jac",
                loss="huber",
                f_scale=delta,
                max_nfev=tries,
            )
            x = found.x
        return found

    def _starts(self) -> list[Array]:
        """Return the best few points of the grid, amplitudes by non-negative least squares in relative errors."""
        biases = {
            alpha: np.concatenate([points.sums**-alpha for points in self._points])
            for alpha in _ALPHAS
        }
        ranked: list[tuple[float, int, Array]] = []
        for shape in self._shapes():
            trial = np.concatenate(([0.0, 0.0, 0.5, 0.0], shape))
            taken = np.concatenate([points.annealed(trial)[:, 0] for points in self._points])
            for alpha, bias in biases.items():
                scale = float(np.max(bias))
                columns = np.stack((np.ones_like(bias), bias / scale, -taken), axis=1)
                relative = columns / self._losses[:, None]
                amplitudes, error = nnls(*_reduced(relative))
                logs = np.log(np.maximum(amplitudes, 1e-12))
                start = [amplitudes[0], logs[1] - math.log(scale), alpha, logs[2], *shape]
                ranked.append((float(error), len(ranked), np.array(start)))
        ranked.sort(key=lambda one: one[:2])
        return [start for _, _, start in ranked[:_POLISHED]]

    def _shapes(self) -> list[tuple[float, ...]]:
        """Return the grid of what follows ln B in the coordinates."""
        if self._law.name == MULTI_POWER:
            return list(product(_SPEEDS, _BETAS, _GAMMAS))
        return [(-math.log(memory),) for memory in _MEMORIES]


def _reduced(columns: Array) -> tuple[Array, Array]:
    """Return a small problem of least squares with the solution of ``columns @ x = 1``."""
    both = np.column_stack((columns, np.ones(len(columns))))
    triangle = np.asarray(np.linalg.qr(both, mode="r"))
    return triangle[:, :-1], triangle[:, -1]


def _parted(
    law: CurveLaw, points: Sequence[CurvePoints], jacobian: Array, free: NDArray[np.bool_]
) -> tuple[float, tuple[str, ...]]:
    """Say how well the parameters are told apart, A at the geometric mean of the sums of rates."""
    middle = float(np.mean(np.log(np.concatenate([one.sums for one in points]))))
    centered = jacobian.copy()
    centered[:, law.exponent] += middle * jacobian[:, 1]
    names = [name for name, is_free in zip(law.names, free, strict=True) if is_free]
    return told_apart(centered[:, free], names)


def told_apart(jacobian: Array, names: Sequence[str]) -> tuple[float, tuple[str, ...]]:
    """Return the condition number of a Jacobian with columns of length 1, and the two largest parts of the worst known combination.

    Examples
    --------
    >>> told_apart(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.9], [0.0, 0.0, 0.1]]), ("A", "B", "beta"))[1]
    ('B', 'beta')
    """
    lengths = np.linalg.norm(jacobian, axis=0)
    scaled = jacobian / np.where(lengths > 0, lengths, 1.0)
    _, values, rows = np.linalg.svd(scaled, full_matrices=False)
    condition = float(values[0] / values[-1]) if values[-1] > 0 else math.inf
    order = np.argsort(-np.abs(rows[-1]), kind="stable")[:2]
    return condition, tuple(names[j] for j in sorted(order))
