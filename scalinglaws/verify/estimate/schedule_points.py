"""Points of measured curves with their schedules: what laws say of the losses there, with slopes, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...arguments import one_row
from ...errors import refusal
from ...solvers.equivalents.noise_cells import NoiseCells
from ...solvers.schedules import Schedule

Array = NDArray[np.float64]

_LARGEST_RATE = 1e30
BLOCK = 10
"""Neighboring points of a curve whose residuals may go together."""


class SchedulePoints:
    """Points of one curve, at which a law and its slopes can be computed."""

    def __init__(self, law: str, schedule: Schedule, steps: NDArray[np.int64], unit: float) -> None:
        self._law, self._steps = law, steps
        rates = schedule.values()[: steps[-1]] / unit
        if law == "functional":
            self._cells = NoiseCells(rates)
        self.times = np.concatenate(([0.0], np.cumsum(rates)))[steps]
        self._clock = steps.astype(float) if law == "steps" else self.times

    def logs(self, x: Array) -> tuple[Array, Array]:
        """Return the logarithm of the loss, shape (n,), and its slopes in the coordinates, shape (n, p)."""
        origin = math.exp(x[2])
        logs = np.log(self._clock + origin)
        bias = np.exp(x[1] - x[3] * logs)
        columns = [np.ones_like(bias), bias, -x[3] * bias * origin / (self._clock + origin)]
        columns.append(-bias * logs)
        losses = x[0] + bias
        if self._law == "functional":
            scale = math.exp(x[4])
            decay = math.exp(x[5])
            value, by_decay, by_exponent = scale * self._cells.noise(self._steps, decay, x[6]).T
            noise = [value, decay * by_decay, by_exponent]
            losses = losses + noise[0]
            columns += noise
        return np.log(losses), np.stack(columns, axis=1) / losses[:, None]


def checked_schedule(schedule: Schedule | ArrayLike) -> Schedule:
    """Return a schedule of rates that can be multiplied, possibly made from an array of them."""
    if not isinstance(schedule, Schedule):
        schedule = Schedule.from_array(one_row("schedule", schedule, low=0))
    if not 1 / _LARGEST_RATE <= schedule.rate <= _LARGEST_RATE:
        raise refusal("schedule", schedule, "must have a largest rate between 1e-30 and 1e30")
    return schedule


def thinned(steps: NDArray[np.int64], count: int, first: int) -> NDArray[np.int64]:
    """Return the places of at most so many steps, from a first one on, dense at both ends."""
    late = np.flatnonzero(steps >= first)
    if late.size <= count:
        return late
    kept = steps[late]
    wanted = spread_steps(int(kept[-1]), count, float(kept[0]))
    right = np.clip(np.searchsorted(kept, wanted), 1, kept.size - 1)
    nearer = wanted - kept[right - 1] < kept[right] - wanted
    return np.asarray(late[np.unique(np.where(nearer, right - 1, right))])


def spread_steps(last: int, count: int, first: float) -> Array:
    """Return steps up to the last, half of them evenly in log t from the first, half evenly in log(T - t)."""
    half = count // 2
    early = np.geomspace(first, last, count - half)
    late = last + 1 - np.geomspace(1.0, max(last + 1 - first, 1.0), half)
    return np.sort(np.clip(np.round(np.concatenate((early, late))), first, last))


def smallest_fall(rates: Array) -> float:
    """Return the smallest share of its earlier maximum to which a rate falls."""
    tops = np.maximum.accumulate(rates)
    return float(np.min(rates[tops > 0] / tops[tops > 0]))


def larger_variance(slopes: Array, *covariances: Array) -> Array:
    """Return the larger of the variances of rows of slopes."""
    found = [np.einsum("ni,ij,nj->n", slopes, matrix, slopes) for matrix in covariances]
    return np.asarray(np.maximum(np.max(found, axis=0), 0.0))


def covariances(jacobian: Array, residuals: Array, sizes: Sequence[int]) -> tuple[Array, Array]:
    """Return the covariance of what was fitted for independent residuals, and for blocks of neighbors on a curve."""
    count, size = jacobian.shape
    scale = np.linalg.norm(jacobian, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scaled = jacobian / scale
    inverse = np.linalg.pinv(scaled.T @ scaled, rcond=1e-14, hermitian=True)
    freedom = max(count - size, 1)
    plain = inverse * float(residuals @ residuals) / freedom
    middle, blocks, begin = np.zeros((size, size)), 0, 0
    for points in sizes:
        for place in np.array_split(np.arange(begin, begin + points), max(points // BLOCK, 1)):
            pull = scaled[place].T @ residuals[place]
            middle += np.outer(pull, pull)
            blocks += 1
        begin += points
    small = blocks / max(blocks - 1, 1) * count / freedom  # few blocks vary less than many
    sandwich = inverse @ middle @ inverse * small
    return plain / np.outer(scale, scale), sandwich / np.outer(scale, scale)
