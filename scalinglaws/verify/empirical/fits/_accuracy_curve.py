"""The second step from model to task: accuracy as a sigmoid of the task's loss, fitted to counts of right answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr

Array = NDArray[np.float64]

NAMES = ("u", "k", "m")
"""Ceiling, slope and midpoint."""

_STEEPEST = (math.log(0.02), math.log(100.0))  # of ln k, in spreads of the losses
_FAR = 20.0  # spreads of the losses, beyond which no midpoint is looked for
_STARTS = (0.02, 0.5, 1.0)  # how far above the best accuracy ceilings start, of what is left to 1
_LEAST = 1e-3  # of a ceiling above chance
_STEPS = 60
_SETTLED = 1e-9  # of a step
_CHUNK = 200_000  # numbers held at once, of which there are some twenty arrays


@short_repr
@dataclass(frozen=True)
@by_value
class SigmoidFits:
    r"""Sigmoids that were fitted to the same runs with several sets of weights.

    Attributes
    ----------
    parameters : ndarray, shape (B, 3)
        Ceiling u, slope k and midpoint m of each.
    objective : ndarray, shape (B,)
        Minus the weighted log likelihood, less that of the accuracies themselves: half the deviance.
    settled : ndarray of bool, shape (B,)
        Whether steps ended before the most that are taken.
    at_bounds : ndarray of bool, shape (B, 3)
        Which parameters ended at a bound of what is looked for; u not where it is given.
    """

    parameters: Array
    objective: Array
    settled: NDArray[np.bool_]
    at_bounds: NDArray[np.bool_]


def sigmoid(losses: Array, curve: Array, chance: float) -> Array:
    r"""Return :math:`c_0 + (u - c_0)/(1 + e^{k (L - m)})` at losses, shape (n,), for u, k, m, shape (3,) or (B, 3).

    For several curves, losses may have a row for each, shape (B, n).

    Examples
    --------
    >>> sigmoid(np.array([0.0, 2.0, 90.0]), np.array([0.95, 4.0, 2.0]), 0.25).round(3)
    array([0.95, 0.6 , 0.25])
    """
    u, k, m = (column[..., None] for column in np.moveaxis(np.asarray(curve), -1, 0))
    z = np.clip(k * (np.asarray(losses) - m), -700.0, 700.0)
    return np.asarray(chance + (u - chance) / (1 + np.exp(z)))


def fit_sigmoids(
    losses: Array,
    accuracies: Array,
    weights: Array,
    *,
    items: int,
    chance: float,
    ceiling: float | None = None,
) -> SigmoidFits:
    r"""Fit sigmoids by the likelihood of binomial counts, with Fisher's information in damped steps.

    Maximizes :math:`n \sum_i w_i [a_i \ln p_i + (1 - a_i) \ln(1 - p_i)]` over :math:`c_0 < u \le 1`, k > 0 and m.

    Parameters
    ----------
    losses, accuracies : ndarray, shape (n,)
        Of the runs; accuracies are shares of right answers.
    weights : ndarray, shape (B, n)
        How often each run counts, one row for each fit.
    items : int
        Questions, of which the accuracies are shares.
    chance : float
        Accuracy of who knows nothing.
    ceiling : float, optional
        u, where it is known.

    Returns
    -------
    SigmoidFits
        The best of three starts for each row; a row depends on no other.
    """
    center, spread = float(np.mean(losses)), float(np.std(losses))
    z = (losses - center) / spread
    rows = max(_CHUNK // len(z), 1)
    parts = [
        _best(_Likelihood(z, accuracies, some, items, chance), ceiling)
        for some in np.split(weights, range(rows, len(weights), rows))
    ]
    x, value, settled = (np.concatenate(entries) for entries in zip(*parts, strict=True))
    u, slope, middle = x.T
    parameters = np.stack([u, np.exp(slope) / spread, center + spread * middle], axis=1)
    low, high = _bounds(chance)
    held = (x <= low) | (x >= high)
    held[:, 0] &= ceiling is None
    return SigmoidFits(parameters, value, settled, held)


def _bounds(chance: float) -> tuple[Array, Array]:
    """Return the least and the largest of u, ln k and m in standardized losses."""
    low = np.array([chance + _LEAST, _STEEPEST[0], -_FAR])
    return low, np.array([1.0, _STEEPEST[1], _FAR])


def _best(task: _Likelihood, ceiling: float | None) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return the best coordinates of each row over all starts."""
    least = max(float(np.max(task.a)), task.chance + 0.1)
    starts = [min(least + share * max(1 - least, 0.0), 1.0) for share in _STARTS]
    x, value, settled = task.minimize(starts[0] if ceiling is None else ceiling, ceiling is None)
    for u in starts[1:] if ceiling is None else ():
        other, its_value, its_end = task.minimize(u, True)
        better = its_value < value
        x = np.where(better[:, None], other, x)
        value, settled = np.where(better, its_value, value), np.where(better, its_end, settled)
    return x, value, settled


def _start(z: Array, accuracies: Array, u: float, chance: float) -> Array:
    """Return u, ln k and m: a line through the logits of how far accuracies are from chance to u."""
    share = np.clip((accuracies - chance) / (u - chance), 0.02, 0.98)
    logit = np.log(share / (1 - share))
    slope = -float(np.sum(z * (logit - logit.mean())) / np.sum(z * z))
    slope = min(max(slope, 0.2), 20.0)
    return np.array([u, math.log(slope), float(np.clip(logit.mean() / slope, -5.0, 5.0))])


class _Likelihood:
    """Half the deviance of weighted binomial counts, in u, ln k and m of standardized losses."""

    def __init__(self, z: Array, a: Array, weights: Array, items: int, chance: float) -> None:
        self.z, self.a, self.chance = z, a, chance
        self.counts = items * weights
        inside = np.clip(a, 1e-300, 1.0), np.clip(1 - a, 1e-300, 1.0)
        self.least = a * np.log(inside[0]) + (1 - a) * np.log(inside[1])

    def probability(self, x: Array) -> tuple[Array, Array]:
        """Return accuracies, and how far they are from chance to the ceiling."""
        t = np.exp(x[:, 1:2]) * (self.z - x[:, 2:3])
        s = 1 / (1 + np.exp(np.clip(t, -700.0, 700.0)))
        p = self.chance + (x[:, :1] - self.chance) * s
        return np.clip(p, 1e-12, 1 - 1e-12), s

    def value(self, x: Array) -> Array:
        """Return half the deviance of each row."""
        p, _ = self.probability(x)
        fit = self.a * np.log(p) + (1 - self.a) * np.log1p(-p)
        return np.asarray(np.sum(self.counts * (self.least - fit), axis=1))

    def minimize(self, ceiling: float, free: bool) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Go down from one ceiling for all rows, each with a damping of its own."""
        start = _start(self.z, self.a, ceiling, self.chance)
        rows = len(self.counts)
        low, high = _bounds(self.chance)
        x = np.tile(np.clip(start, low, high), (rows, 1))
        if not free:
            x[:, 0] = start[0]
        value = self.value(x)
        damping, settled = np.full(rows, 1e-3), np.zeros(rows, dtype=bool)
        for _ in range(_STEPS):
            gradient, information = self._slopes(x)
            held = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
            held[:, 0] |= not free
            step = _steps(gradient, information, held, damping)
            tried = np.where(held, x, np.clip(x + step, low, high))
            new = self.value(tried)
            down = (new <= value) & ~settled
            small = np.max(np.abs(tried - x), axis=1) < _SETTLED
            x = np.where(down[:, None], tried, x)
            value = np.where(down, new, value)
            settled |= small | (damping > 1e12)
            damping = np.where(down, damping / 5, damping * 4)
            damping = np.maximum(damping, 1e-12)
            if settled.all():
                break
        return x, value, settled

    def _slopes(self, x: Array) -> tuple[Array, Array]:
        """Return gradients of half the deviance and Fisher's information, shapes (B, 3) and (B, 3, 3)."""
        p, s = self.probability(x)
        k, reach = np.exp(x[:, 1:2]), x[:, :1] - self.chance
        bend = reach * s * (1 - s) * k
        toward = (s, -bend * (self.z - x[:, 2:3]), bend)  # of p in each coordinate, (B, n)
        sharp = self.counts / (p * (1 - p))
        off = sharp * (self.a - p)
        gradient = -np.stack([np.sum(off * one, axis=1) for one in toward], axis=1)
        information = np.empty((len(x), 3, 3))
        for i in range(3):
            for j in range(i + 1):
                information[:, i, j] = np.sum(sharp * toward[i] * toward[j], axis=1)
                information[:, j, i] = information[:, i, j]
        return gradient, information


def _steps(gradient: Array, information: Array, held: NDArray[np.bool_], damping: Array) -> Array:
    """Return damped steps; a coordinate that is held stays."""
    diagonal = np.einsum("bii->bi", information)
    floor = 1e-12 * np.max(diagonal, axis=1, keepdims=True) + 1e-300
    matrix = information.copy()
    moves = ~held
    matrix *= moves[:, :, None] * moves[:, None, :]
    place = np.arange(3)
    matrix[:, place, place] += np.where(held, 1.0, damping[:, None] * diagonal + floor)
    right = np.where(held, 0.0, -gradient)
    return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0])
