"""The Gaussian tail, down to where it underflows and beyond, and random draws from piecewise-constant densities."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .. import _jit

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_FAR = 25.0  # beyond it nine terms of the asymptotic series are exact to rounding


@_jit.njit
def log_tail_of_normal(z: float) -> float:
    """Return the logarithm of the probability that a standard normal number exceeds z."""
    if z < _FAR:
        return math.log(0.5 * math.erfc(z * _ROOT_HALF))
    total, term, q = 1.0, 1.0, 1 / (z * z)
    for k in range(1, 9):
        term *= -(2 * k - 1) * q
        total += term
    return -0.5 * z * z - math.log(z) - LOG_ROOT_2PI + math.log(total)


def guide(probabilities: Array) -> tuple[Array, Indices]:
    """Return cumulative probabilities of cells, and for each of as many equal slices of [0, 1] the first cell that it meets."""
    cumulative = np.cumsum(probabilities)
    cumulative /= cumulative[-1]
    return cumulative, np.searchsorted(
        cumulative, np.arange(cumulative.size) / cumulative.size, side="right"
    )


@_jit.njit
def cell_of(u: float, cumulative: Array, first: Indices) -> int:
    """Return the cell in which a uniform number falls, in constant time on average."""
    j = first[int(u * first.size)]
    while cumulative[j] <= u:
        j += 1
    return int(j)


def log_mean(logs: Array) -> tuple[float, float]:
    """Return the logarithm of the mean of exponentials and its standard error."""
    largest = float(logs.max())
    if largest == -math.inf:
        return -math.inf, math.inf
    weights = np.exp(logs - largest)
    mean = float(weights.mean())
    return largest + math.log(mean), float(weights.std(ddof=1)) / (math.sqrt(logs.size) * mean)
