r"""The laws of training curves, as functions of coordinates that do not depend on the unit of the rates.

With rates in multiples of the largest peak of all curves, the coordinates of the multi-power law are
:math:`L_0, \ln A, \alpha, \ln B, \ln C, \beta, \gamma`, of the momentum law :math:`L_0, \ln A, \alpha, \ln B, \ln(1 - \lambda)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford
from ....equality import by_value
from ....reprs import short_repr
from ....solvers.schedules import Schedule
from ...estimate.schedule_points import SchedulePoints
from ._blocks import MOST_BLOCKS, blocks_of, changes
from ._kernels import add_drops, add_momentum

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

FUNCTIONAL, MULTI_POWER, MOMENTUM = LAWS = ("functional", "multi_power", "momentum")
_NOTHING = 1e-80  # sum of rates that stands for none
_LEAST = 1e-12  # loss that a law may come down to, in multiples of its positive part


@short_repr
@dataclass(frozen=True)
@by_value
class CurveLaw:
    """A law: names, and where its coordinates may lie.

    Attributes
    ----------
    name : str
        As in `LAWS`.
    names : tuple of str
        Of the parameters, in the order of the coordinates.
    low, high : tuple of float
        Bounds of the coordinates; those of the logarithms of A and B are for losses of 1.
    schedules : int
        Different schedules that a fit needs at least.
    """

    name: str
    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    schedules: int

    @property
    def exponent(self) -> int:
        """Place of the exponent of the sum of rates."""
        return 3 if self.name == FUNCTIONAL else 2

    def values(self, x: Array, unit: float) -> Array:
        """Return the parameters that belong to coordinates, for rates in the unit in which they were given."""
        return np.asarray(_LOGARITHMS[self.name](np.asarray(x), math.log(unit))[0])

    def slopes(self, x: Array, unit: float) -> Array:
        """Return the derivatives of the parameters by the coordinates, shape (p, p)."""
        return np.asarray(_LOGARITHMS[self.name](np.asarray(x), math.log(unit))[1])

    def coordinates(self, parameters: dict[str, float], unit: float) -> Array:
        """Return the coordinates that belong to parameters."""
        log, held = math.log(unit), [parameters[name] for name in self.names]
        if self.name == FUNCTIONAL:
            floor, A, origin, s, C, c, chi = held
            x = [floor, _log(A) - s * log, _log(origin) - log, s]
            return np.array([*x, _log(C) + 2 * log, _log(c) + log, chi])
        x = [held[0], _log(held[1]) - held[2] * log, held[2]]
        if self.name == MULTI_POWER:
            return np.array([*x, _log(held[3]), _log(held[4]) + log, held[5], held[6]])
        return np.array([*x, _log(held[3]) + log, math.log1p(-held[4])])


def _log(value: float) -> float:
    return math.log(max(value, 1e-300))


def _functional(x: Array, log: float) -> tuple[Array, Array]:
    values, slopes = np.array(x), np.eye(x.size)
    values[1], values[2] = math.exp(x[1] + x[3] * log), math.exp(x[2] + log)
    values[4], values[5] = math.exp(x[4] - 2 * log), math.exp(x[5] - log)
    slopes[1, 3] = log
    for place in (1, 2, 4, 5):
        slopes[place] *= values[place]
    return values, slopes


def _common(x: Array, log: float) -> tuple[Array, Array]:
    values, slopes = np.array(x), np.eye(x.size)
    values[1], values[3] = math.exp(x[1] + x[2] * log), math.exp(x[3])
    slopes[1, 2] = log
    slopes[1] *= values[1]
    return values, slopes


def _multi_power(x: Array, log: float) -> tuple[Array, Array]:
    values, slopes = _common(x, log)
    values[4] = math.exp(x[4] - log)
    slopes[3, 3], slopes[4, 4] = values[3], values[4]
    return values, slopes


def _momentum(x: Array, log: float) -> tuple[Array, Array]:
    values, slopes = _common(x, log)
    values[3] = math.exp(x[3] - log)
    values[4] = -math.expm1(x[4])
    slopes[3, 3], slopes[4, 4] = values[3], -math.exp(x[4])
    return values, slopes


_LOGARITHMS: dict[str, Any] = {
    FUNCTIONAL: _functional,
    MULTI_POWER: _multi_power,
    MOMENTUM: _momentum,
}
_INF = math.inf
CURVE_LAWS = {
    FUNCTIONAL: CurveLaw(
        FUNCTIONAL, ("L_inf", "A", "tau_0", "s", "C", "c", "chi"), (-_INF,) * 7, (_INF,) * 7, 1
    ),
    MULTI_POWER: CurveLaw(
        MULTI_POWER,
        ("L_0", "A", "alpha", "B", "C", "beta", "gamma"),
        (0.0, -30.0, 0.01, -30.0, -20.0, 0.05, -0.5),
        (_INF, 60.0, 3.0, 15.0, 5.0, 3.0, 2.0),
        3,
    ),
    MOMENTUM: CurveLaw(
        MOMENTUM,
        ("L_0", "A", "alpha", "B", "lambda"),
        (0.0, -30.0, 0.01, -40.0, -16.0),
        (_INF, 60.0, 3.0, 15.0, -0.1),
        1,
    ),
}
"""Bounds of the functional law are those of `fit_schedule_law`."""


class CurvePoints:
    """Points of one curve, at which a law and its slopes can be computed."""

    def __init__(
        self,
        law: CurveLaw,
        schedule: Schedule,
        steps: Steps,
        unit: float,
        most: int | None = MOST_BLOCKS,
    ) -> None:
        self.law = law.name
        rates = schedule.values()[: steps[-1]] / unit
        if law.name == FUNCTIONAL:
            self._functional = SchedulePoints(FUNCTIONAL, schedule, steps, unit)
            self.sums = self._functional.times
            return
        sums = np.cumsum(rates)
        self.sums, self._steps = sums[steps - 1], steps
        self._logs = np.log(np.maximum(self.sums, _NOTHING))
        if law.name == MULTI_POWER:
            blocks = blocks_of(rates, sums, steps, most)
            afford(blocks.whole.size + 8 * steps.size, "the blocks of changes", "give fewer points")
            self._blocks = (self.sums, blocks.counts, blocks.whole, blocks.parts)
        else:
            self._drops = changes(rates) * rates.max()

    def annealed(self, x: Array) -> Array:
        """Return what decays of the rate have taken off, for B = 1, and its slopes in what follows ln B, shape (n, 1 + q)."""
        if self.law == MULTI_POWER:
            found = np.zeros((self.sums.size, 4))
            add_drops(*self._blocks, math.exp(x[4]), x[5], x[6], found)
            return found
        found = np.zeros((self.sums.size, 2))
        add_momentum(self._drops, self._steps, -math.expm1(x[4]), found)
        found[:, 1] *= -math.exp(x[4])
        return found

    def logs(self, x: Array) -> tuple[Array, Array]:
        """Return the logarithm of the loss, shape (n,), and its slopes in the coordinates, shape (n, p)."""
        if self.law == FUNCTIONAL:
            return self._functional.logs(x)
        bias = np.exp(x[1] - x[2] * self._logs)
        annealed = self.annealed(x)
        weight = math.exp(x[3])
        losses = x[0] + bias - weight * annealed[:, 0]
        losses = np.maximum(losses, _LEAST * (x[0] + bias))  # a trial may subtract too much
        columns = [np.ones_like(bias), bias, -bias * self._logs]
        columns += [-weight * column for column in annealed.T]
        return np.log(losses), np.stack(columns, axis=1) / losses[:, None]
