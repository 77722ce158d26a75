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
def _lost(
    i: int, k: int, x: float, theta: float, table: Array, per_batch: Array, lost: Array
) -> None:
    """Fill in D = 1 - T of one node at a point of a macro step, and in its last column what noise in a mode adds."""
    a, rest, one = table[i, k, 0], table[i, k, 1], table[i, k, 2]
    two, three, noise = table[i, k, 3], table[i, k, 4], per_batch[i, k]
    whole, growth, scaled = two + one * three, 1.0 + noise, theta * x
    back = three * a / theta
    lost[0, 0] = whole * x * (2.0 - whole * x * growth)
    lost[0, 1] = 2.0 * back * (1.0 - whole * x)
    lost[0, 2] = -back * back
    lost[1, 0] = -scaled * one * (1.0 - whole * x * growth)
    lost[1, 1] = rest + a * x * (whole + three * one)
    lost[1, 2] = back * a
    lost[2, 0] = -((scaled * one) ** 2) * growth
    lost[2, 1] = -2.0 * a * one * scaled
    lost[2, 2] = rest * (1.0 + a)
    lost[0, 3] = (whole * x) ** 2 * noise
    lost[1, 3] = -scaled * whole * one * x * noise
    lost[2, 3] = (scaled * one) ** 2 * noise


@njit
def march_with_memory(
    x: Array,
    count: Array,
    theta: float,
    state: Array,
    lengths: Steps,
    table: Array,
    per_batch: Array,
    back: Array,
    noise: float,
    floor: float,
    losses: Array,
    matrix: Array,
    answers: Array,
    lost: Array,
    real: Array,
) -> None:
    """Take all macro steps; `state` holds r and the balanced moments, `table` a, 1 - a and the gammas at all points.

    Room to work in is given: `matrix` (3p, 4p + 1, lanes), `answers` (3, p + 1, n), `lost` (3, 4), `real` (2p + 2, p).
    """
    points, size = per_batch.shape[1], x.size
    rows = 3 * points
    for i in range(lengths.size):
        if lengths[i] == 1:
            push, total = losses[i] + noise, 0.0
            for j in range(size):
                _lost(i, 0, x[j], theta, table, per_batch, lost)
                r, c, p = state[0, j], state[1, j], state[2, j]
                for s in range(3):
                    change = lost[s, 0] * r + lost[s, 1] * c + lost[s, 2] * p
                    state[s, j] -= change - lost[s, 3] * push * count[j]
                total += state[0, j]
            losses[i + 1] = floor + total
            continue
        pull, answer, loss = real[2 * points], real[:points], real[2 * points + 1]
        for k in range(points):
            pull[k] = 0.0
            for l in range(points):
                answer[k, l] = 0.0
        for block in range(0, size, LANES):
            _fill(i, block, x, count, theta, state, table, per_batch, back, lost, matrix)
            _solve(matrix)
            for k in range(points):
                for j in range(LANES):
                    pull[k] += matrix[3 * k, rows, j]
                for l in range(points):
                    for j in range(LANES):
                        answer[k, l] += matrix[3 * k, rows + 1 + l, j]
            for s in range(3):
                for l in range(points + 1):
                    for j in range(LANES):
                        answers[s, l, block + j] = matrix[rows - 3 + s, rows + l, j]
        couple(i, pull, answer, back, losses[i], noise, floor, loss, real[points : 2 * points])
        losses[i + 1] = loss[points - 1]
        for s in range(3):
            for j in range(size):
                left = answers[s, 0, j]
                for l in range(points):
                    left += answers[s, l + 1, j] * pull[l]
                state[s, j] = left


@njit
def _fill(
    i: int,
    block: int,
    x: Array,
    count: Array,
    theta: float,
    state: Array,
    table: Array,
    per_batch: Array,
    back: Array,
    lost: Array,
    matrix: Array,
) -> None:
    """Write E + D (1 - E) of macro step i in some nodes, and behind it what comes of the start and of noise at each point."""
    points = per_batch.shape[1]
    rows = 3 * points
    for k in range(points):
        for j in range(LANES):
            at = block + j
            _lost(i, k, x[at], theta, table, per_batch, lost)
            for s in range(3):
                row = 3 * k + s
                for column in range(points):
                    matrix[row, rows + 1 + column, j] = 0.0
                matrix[row, rows + 1 + k, j] = lost[s, 3] * count[at]
                start = -state[s, at]
                for u in range(3):
                    start += lost[s, u] * state[u, at]
                matrix[row, rows, j] = start * back[i, k, 0]
                for m in range(points):
                    held = (1.0 if k == m else 0.0) - back[i, k, m + 1]
                    for u in range(3):
                        matrix[row, 3 * m + u, j] = lost[s, u] * held
                    matrix[row, 3 * m + s, j] += back[i, k, m + 1]


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
