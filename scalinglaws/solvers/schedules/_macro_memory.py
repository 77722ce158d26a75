r"""Macro steps of methods with memory: as `_macro`, with three numbers per node.

They are balanced as :math:`(r, \vartheta x c, (\vartheta x)^2 p)`, with a fixed :math:`\vartheta` close to the effective rate: else the
modes that are never learned, and stand for very many, would drown r in the rounding of p.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ._direct import LANES
from ._macro import couple

Array = NDArray[np.float64]
Steps = NDArray[np.int64]


@njit
def _lost(x: float, theta: float, c: Array, per_batch: float, lost: Array, noise: Array) -> None:
    """Fill in D = 1 - T of one step and node, without cancellation, and what it gains from one unit of noise in a mode."""
    a, rest, one, two, three = c[0], c[1], c[2], c[3], c[4]
    k, growth, scaled = two + one * three, 1.0 + per_batch, theta * x
    back = three * a / theta
    lost[0, 0] = k * x * (2.0 - k * x * growth)
    lost[0, 1] = 2.0 * back * (1.0 - k * x)
    lost[0, 2] = -back * back
    lost[1, 0] = -scaled * one * (1.0 - k * x * growth)
    lost[1, 1] = rest + a * x * (k + three * one)
    lost[1, 2] = back * a
    lost[2, 0] = -((scaled * one) ** 2) * growth
    lost[2, 1] = -2.0 * a * one * scaled
    lost[2, 2] = rest * (1.0 + a)
    noise[0] = (k * x) ** 2 * per_batch
    noise[1] = -scaled * k * one * x * per_batch
    noise[2] = (scaled * one) ** 2 * per_batch


@njit
def march_with_memory(
    x: Array,
    count: Array,
    theta: float,
    state: Array,
    lengths: Steps,
    coefficients: Array,
    per_batch: Array,
    back: Array,
    noise: float,
    floor: float,
    losses: Array,
) -> None:
    """Take all macro steps; `state` holds r and the balanced moments, `coefficients` a, 1 - a and the gammas at all points."""
    points, size = per_batch.shape[1], x.size
    rows = 3 * points
    matrix = np.zeros((rows, rows + 1 + points, LANES))
    lost, gain = np.zeros((3, 3)), np.zeros(3)
    answers = np.zeros((3, points, size))
    free = np.zeros((3, size))
    pull, answer, loss = np.zeros(points), np.zeros((points, points)), np.zeros(points)
    for i in range(lengths.size):
        if lengths[i] == 1:
            push, total = losses[i] + noise, 0.0
            for j in range(size):
                _lost(x[j], theta, coefficients[i, 0], per_batch[i, 0], lost, gain)
                r, c, p = state[0, j], state[1, j], state[2, j]
                given = push * count[j]
                for s in range(3):
                    change = lost[s, 0] * r + lost[s, 1] * c + lost[s, 2] * p
                    state[s, j] -= change - gain[s] * given
                total += state[0, j]
            losses[i + 1] = floor + total
            continue
        pull[:] = 0.0
        answer[:] = 0.0
        for block in range(0, size, LANES):
            for k in range(points):
                for j in range(LANES):
                    at = block + j
                    _lost(x[at], theta, coefficients[i, k], per_batch[i, k], lost, gain)
                    for s in range(3):
                        row = 3 * k + s
                        for column in range(rows, rows + 1 + points):
                            matrix[row, column, j] = 0.0
                        matrix[row, rows + 1 + k, j] = gain[s] * count[at]
                        # E + D (1 - E), its first column on the right-hand side
                        start = -back[i, k, 0] * state[s, at]
                        for u in range(3):
                            start += lost[s, u] * back[i, k, 0] * state[u, at]
                        matrix[row, rows, j] = start
                        for m in range(points):
                            held = (1.0 if k == m else 0.0) - back[i, k, m + 1]
                            for u in range(3):
                                entry = lost[s, u] * held
                                if s == u:
                                    entry += back[i, k, m + 1]
                                matrix[row, 3 * m + u, j] = entry
            _solve(matrix)
            for k in range(points):
                for j in range(LANES):
                    pull[k] += matrix[3 * k, rows, j]
                for l in range(points):
                    for j in range(LANES):
                        answer[k, l] += matrix[3 * k, rows + 1 + l, j]
            for s in range(3):
                row = 3 * (points - 1) + s
                for j in range(LANES):
                    free[s, block + j] = matrix[row, rows, j]
                    for l in range(points):
                        answers[s, l, block + j] = matrix[row, rows + 1 + l, j]
        couple(pull, answer, back[i], losses[i], noise, floor, loss)
        losses[i + 1] = loss[points - 1]
        for s in range(3):
            for j in range(size):
                left = free[s, j]
                for l in range(points):
                    left += answers[s, l, j] * pull[l]
                state[s, j] = left


@njit
def _solve(matrix: Array) -> None:
    """Solve in some nodes side by side, without pivots; the columns behind the square become the solutions."""
    rows, columns = matrix.shape[0], matrix.shape[1]
    for p in range(rows):
        for j in range(LANES):
            matrix[p, p, j] = 1.0 / matrix[p, p, j]
        for m in range(p + 1, columns):
            for j in range(LANES):
                matrix[p, m, j] *= matrix[p, p, j]
        for k in range(p + 1, rows):
            for m in range(p + 1, columns):
                for j in range(LANES):
                    matrix[k, m, j] -= matrix[k, p, j] * matrix[p, m, j]
    for p in range(rows - 1, 0, -1):
        for k in range(p):
            for m in range(rows, columns):
                for j in range(LANES):
                    matrix[k, m, j] -= matrix[k, p, j] * matrix[p, m, j]
