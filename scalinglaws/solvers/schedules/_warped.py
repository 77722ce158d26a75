r"""The time-warped law along a schedule: in every node a decay at the rate 2x in intrinsic time, driven by the temperature.

Within a step the temperature :math:`\theta = \eta/B` stays as it is, so that the integral over time is

.. math:: v(t + 1) = e^{-2 x \eta_t} v(t) + \frac{\eta_t}{B_t}\, k(x) \frac{1 - e^{-2 x \eta_t}}{2 x} (\sigma^2 + \dots),

a difference equation that macro steps solve as they do that of `_macro`.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ._macro import couple

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.complex128])


@njit
def warp(
    x: Numbers, kernel: Numbers, energy: Numbers, eta: float, spread: float, push: float
) -> float:
    """Take one step, driven by `push`; return the sum over nodes."""
    total = 0.0
    for j in range(x.size):
        lost = -np.expm1(-2.0 * eta * x[j])
        left = energy[j] * (1.0 - lost) + eta * spread * push * kernel[j] * lost / (2.0 * x[j])
        energy[j] = left
        total += left.real
    return total


@njit
def descend_warped(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    rates: Array,
    spread: Array,
    noise: float,
    floor: float,
    feedback: float,
    first: int,
    last: int,
    losses: Array,
) -> None:
    """Take steps one by one; `feedback` is the weight of the loss beside the noise."""
    for t in range(first, last):
        push = noise + feedback * losses[t]
        losses[t + 1] = floor + warp(x, kernel, energy, rates[t], spread[t], push)


@njit
def march_warped(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    lengths: Steps,
    rates: Array,
    spread: Array,
    back: Array,
    noise: float,
    floor: float,
    feedback: float,
    losses: Array,
) -> None:
    """Take macro steps; `losses` are the floor and the sums over nodes at their ends."""
    points, size = rates.shape[1], x.size
    matrix = np.zeros((points, 2 * points + 1), dtype=energy.dtype)
    row = np.zeros((points, size), dtype=energy.dtype)
    free = np.zeros(size, dtype=energy.dtype)
    gain = np.zeros(points, dtype=energy.dtype)
    pull, answer, loss = np.zeros(points), np.zeros((points, points)), np.zeros(points)
    coupled = np.zeros((points, points))
    for i in range(lengths.size):
        if lengths[i] == 1:
            push = noise + feedback * losses[i]
            losses[i + 1] = floor + warp(x, kernel, energy, rates[i, 0], spread[i, 0], push)
            continue
        pull[:] = 0.0
        answer[:] = 0.0
        for j in range(size):
            for k in range(points):
                eta = rates[i, k]
                lost = -np.expm1(-2.0 * eta * x[j])
                gain[k] = eta * spread[i, k] * kernel[j] * lost / (2.0 * x[j])
                for m in range(points):
                    one = 1.0 if k == m else 0.0
                    matrix[k, m] = back[i, k, m + 1] + lost * (one - back[i, k, m + 1])
                    matrix[k, points + m] = one
                matrix[k, 2 * points] = -(back[i, k, 0] - lost * back[i, k, 0]) * energy[j]
            _reduce(matrix)
            for k in range(points):
                pull[k] += matrix[k, 2 * points].real
                for m in range(points):
                    answer[k, m] += (matrix[k, points + m] * gain[m]).real
            free[j] = matrix[points - 1, 2 * points]
            for m in range(points):
                row[m, j] = matrix[points - 1, points + m] * gain[m]
        if feedback > 0.0:
            couple(i, pull, answer, back, losses[i], noise, floor, loss, coupled)
        else:
            pull[:] = noise
        total = 0.0
        for j in range(size):
            left = free[j]
            for m in range(points):
                left += row[m, j] * pull[m]
            energy[j] = left
            total += left.real
        losses[i + 1] = floor + total


@njit
def _reduce(matrix: Numbers) -> None:
    """Bring the left square of a matrix to the identity, without pivots."""
    n, width = matrix.shape
    for p in range(n):
        scale = 1.0 / matrix[p, p]
        for m in range(p, width):
            matrix[p, m] *= scale
        for k in range(n):
            if k != p:
                factor = matrix[k, p]
                for m in range(p, width):
                    matrix[k, m] -= factor * matrix[p, m]
