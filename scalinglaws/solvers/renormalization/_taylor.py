"""Flows with quadratic right-hand sides, by their Taylor series."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arguments import Array
from .._jit import njit

_ORDER = 24
_MOST_STEPS = 20_000
_HUGE = 1e150  # of a coupling: products stay numbers
_REMAINDER = 1e-17  # of the last term of the series, over the coupling
_ROUNDING = 1e-15
_FARTHEST = 1e9
_NOTHING = (
    1e-290  # smaller couplings count as 0: the terms of their series would not be normal numbers
)


class Path(NamedTuple):
    """Values at the times asked for (NaN beyond `end`), where the flow ended, steps, and at each time the relative error."""

    values: Array
    end: float
    steps: int
    errors: Array


class QuadraticFlow(NamedTuple):
    r"""The system :math:`\dot y_i = \sum_j A_{ij} y_j + \sum_n b_n y_{j_n} y_{k_n}`, the latter over n with :math:`i_n = i`.

    Attributes
    ----------
    linear : ndarray, shape (d, d)
        A.
    pairs : ndarray of int, shape (n, 3)
        i, j, k.
    weights : ndarray, shape (n,)
        b.
    """

    linear: Array
    pairs: NDArray[np.int64]
    weights: Array

    def along(self, start: Array, times: Array) -> Path:
        """Follow the flow from a start, shape (d,), at time 0 to times in rising order, shape (n,), one by one.

        A flow that diverges ends there, or where a coupling exceeds 1e150; `end` is infinite for one that does not. The error is
        the difference to a second pass with steps half as long, and the rounding of so many steps.
        """
        passes = []
        for share in (1.0, 0.5):
            values = np.full((times.size, start.size), math.nan)
            end, steps = _march(self.linear, self.pairs, self.weights, start, times, share, values)
            passes.append((values, end, steps))
        (_, _, _), (values, end, steps) = passes
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(passes[0][0] - values) / np.maximum(np.abs(values), 1e-290)
        errors = np.max(apart, axis=1) + _ROUNDING * math.sqrt(steps + 1)
        errors[np.isnan(errors)] = math.inf  # one of the passes did not get there
        if steps < _MOST_STEPS:
            errors[times >= end] = 0.0  # nothing is known there
        return Path(values, end, steps, errors)


def quadratic_flow(linear: Array, *terms: tuple[int, int, int, float]) -> QuadraticFlow:
    """Build a flow from the linear part and terms (i, j, k, b), each b y_j y_k in the slope of y_i."""
    pairs = np.array([term[:3] for term in terms], dtype=np.int64).reshape(-1, 3)
    return QuadraticFlow(
        np.array(linear, dtype=float), pairs, np.array([term[3] for term in terms], dtype=float)
    )


@njit
def _march(
    linear: Array,
    pairs: NDArray[np.int64],
    weights: Array,
    start: Array,
    times: Array,
    share: float,
    values: Array,
) -> tuple[float, int]:
    size = start.size
    series = np.zeros((_ORDER + 1, size))
    for i in range(size):
        series[0, i] = start[i] if abs(start[i]) >= _NOTHING else 0.0
    now, place, steps = 0.0, 0, 0
    rate, largest = 1e-150, 0.0
    for i in range(size):
        largest = max(largest, abs(start[i]))
        for j in range(size):
            rate += abs(linear[i, j])
    for n in range(weights.size):
        rate += abs(weights[n]) * largest
    unit = 1.0 / rate
    while place < times.size and steps < _MOST_STEPS:
        for order in range(_ORDER):
            for i in range(size):
                total = 0.0
                for j in range(size):
                    total += linear[i, j] * series[order, j]
                series[order + 1, i] = total
            for n in range(weights.size):
                i, j, k = pairs[n, 0], pairs[n, 1], pairs[n, 2]
                total = 0.0
                for m in range(order + 1):
                    total += series[m, j] * series[order - m, k]
                series[order + 1, i] += weights[n] * total
            for i in range(size):
                series[order + 1, i] *= unit / (order + 1)
        step = _FARTHEST  # in units of time in which coefficients are about as large as couplings
        for i in range(size):
            for order in (_ORDER - 1, _ORDER):
                last = abs(series[order, i])
                size_now = abs(series[0, i]) + abs(
                    series[1, i]
                )  # not 0 where a coupling changes sign
                if last > 0.0 and size_now > 0.0:
                    allowed = (math.log(_REMAINDER) + math.log(size_now / last)) / order
                    step = min(step, math.exp(allowed))
        step *= share * unit
        while place < times.size and times[place] - now <= step:
            _evaluate(series, (times[place] - now) / unit, values[place])
            place += 1
        if place == times.size:
            return math.inf, steps + 1
        steps += 1
        largest = 0.0
        for i in range(size):
            largest = max(largest, abs(series[0, i]))
        if not step > 1e-14 * now or not largest < _HUGE:
            return now, steps
        now += step
        _evaluate(series, step / unit, series[0])
        for i in range(size):
            if abs(series[0, i]) < _NOTHING:
                series[0, i] = 0.0
        unit = step
    return math.inf, steps


@njit
def _evaluate(series: Array, step: float, out: Array) -> None:
    for i in range(out.size):
        total = 0.0
        for order in range(series.shape[0] - 1, -1, -1):
            total = total * step + series[order, i]
        out[i] = total
