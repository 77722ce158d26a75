"""One chain of elliptical slice sampling, and the potentials that it may be given."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....solvers._jit import njit

Array = NDArray[np.float64]

_MOST_SHRINKS = 200  # of one bracket: the angle is then far below rounding errors


@njit
def potentials(
    residuals: Array, couplings: Array, pieces: Array, reach: float, found: Array
) -> float:
    r"""Evaluate a potential at residuals.

    Parameters
    ----------
    residuals : ndarray, shape (P,)
        :math:`\Delta = f - y`.
    couplings : ndarray, shape (J,)
        :math:`c_j` of :math:`V = \sum_j c_j \Delta^{2j}`; not looked at if there are pieces.
    pieces : ndarray, shape (n, 4)
        Taylor coefficients of V, constant first, around the left end of each of n equal intervals of (-reach, reach); beyond,
        V goes on as the parabola with the value, slope and curvature at that end.
    reach : float
    found : ndarray, shape (P,)
        Receives :math:`V(\Delta)`.

    Returns
    -------
    float
        Their sum.
    """
    total, count = 0.0, pieces.shape[0]
    if count == 0:
        for i in range(residuals.size):
            square = residuals[i] * residuals[i]
            power = 0.0
            for j in range(couplings.size - 1, -1, -1):
                power = (power + couplings[j]) * square
            found[i] = power
            total += power
        return total
    step = 2 * reach / count
    a, b, c, d = pieces[-1, 0], pieces[-1, 1], pieces[-1, 2], pieces[-1, 3]
    last = a + step * (b + step * (c + step * d))
    slope, bend = b + step * (2 * c + step * 3 * d), c + 3 * step * d
    for i in range(residuals.size):
        t = residuals[i] + reach
        if t < 0:
            found[i] = pieces[0, 0] + t * (pieces[0, 1] + t * pieces[0, 2])
        elif residuals[i] < reach:
            k = min(int(t / step), count - 1)
            t -= k * step
            found[i] = pieces[k, 0] + t * (pieces[k, 1] + t * (pieces[k, 2] + t * pieces[k, 3]))
        else:
            t = residuals[i] - reach
            found[i] = last + t * (slope + t * bend)
        total += found[i]
    return total


@njit
def walk(
    rng: np.random.Generator,
    position: Array,
    design: Array,
    targets: Array,
    couplings: Array,
    pieces: Array,
    reach: float,
    warmup: int,
    thinning: int,
    positions: Array,
) -> int:
    """Run a chain whose prior is standard normal.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    position : ndarray, shape (K,)
        Where the chain is; moved.
    design : ndarray, shape (K, P)
        From positions to values on the data.
    targets, couplings, pieces, reach
        Targets of the values; the rest as for `potentials`.
    warmup, thinning : int
        Moves before the first draw, and for each.
    positions : ndarray, shape (draws, K)
        Receives every draw.

    Returns
    -------
    int
        Evaluations of the energy.
    """
    count, size = design.shape
    values, ahead, trial = np.zeros(size), np.empty(size), np.empty(size)
    residuals, found = np.empty(size), np.empty(size)
    direction = np.empty(count)
    level, evaluations = 0.0, 0
    for move in range(warmup + thinning * len(positions)):
        if move % 1000 == 0:  # the start, and what rounding has added up
            values[:] = 0.0
            for k in range(count):
                for i in range(size):
                    values[i] += design[k, i] * position[k]
            for i in range(size):
                residuals[i] = values[i] - targets[i]
            level = potentials(residuals, couplings, pieces, reach, found)
            evaluations += 1
        ahead[:] = 0.0
        for k in range(count):
            direction[k] = rng.standard_normal()
            for i in range(size):
                ahead[i] += design[k, i] * direction[k]
        threshold = level - math.log(1 - rng.random())  # 1 - u is never zero
        angle = 2 * math.pi * rng.random()
        low, high = angle - 2 * math.pi, angle
        for _ in range(_MOST_SHRINKS):
            cosine, sine = math.cos(angle), math.sin(angle)
            for i in range(size):
                trial[i] = cosine * values[i] + sine * ahead[i]
                residuals[i] = trial[i] - targets[i]
            total = potentials(residuals, couplings, pieces, reach, found)
            evaluations += 1
            if total < threshold:
                for k in range(count):
                    position[k] = cosine * position[k] + sine * direction[k]
                values[:] = trial
                level = total
                break
            if angle < 0:
                low = angle
            else:
                high = angle
            angle = low + (high - low) * rng.random()
        done = move + 1 - warmup
        if done > 0 and done % thinning == 0:
            positions[done // thinning - 1] = position
    return evaluations
