r"""Macro steps of stochastic gradient descent: implicit collocation of the difference equation, node by node.

In each node, with :math:`d = 1 - q = \eta x (2 - \eta x (1 + 1/B))` at the collocation times and :math:`S = 1 - E`,

.. math:: \sum_m (E_{km} + d_k S_{km})\, u_m = G_k \Big(\sum_m S_{km} L_m + \sigma^2\Big), \qquad G_k = \frac{\eta_k^2}{B_k} k(x)

is solved for all right-hand sides at once; the sums over nodes then leave one small system for the losses.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ._direct import LANES

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.complex128])


@njit
def eliminate(matrix: Array, columns: Array) -> None:
    """Solve a small system in place, with pivots: `columns` becomes the solution."""
    n = matrix.shape[0]
    for p in range(n):
        best = p
        for k in range(p + 1, n):
            if abs(matrix[k, p]) > abs(matrix[best, p]):
                best = k
        for m in range(n):
            matrix[p, m], matrix[best, m] = matrix[best, m], matrix[p, m]
        columns[p], columns[best] = columns[best], columns[p]
        for k in range(p + 1, n):
            factor = matrix[k, p] / matrix[p, p]
            for m in range(p, n):
                matrix[k, m] -= factor * matrix[p, m]
            columns[k] -= factor * columns[p]
    for p in range(n - 1, -1, -1):
        for m in range(p + 1, n):
            columns[p] -= matrix[p, m] * columns[m]
        columns[p] /= matrix[p, p]


@njit
def couple(
    pull: Array, answer: Array, back: Array, start: float, noise: float, floor: float, loss: Array
) -> None:
    r"""Solve :math:`L_k = L_N + h_k + \sum_l H_{kl} (\sum_m S_{lm} L_m + \sigma^2)` for the losses inside a macro step.

    `pull` is h, `answer` H, `back` E, `start` the loss at the beginning; on return `loss` holds the losses, and `pull`
    the :math:`\sum_m S_{lm} L_m + \sigma^2`.
    """
    p = loss.size
    matrix = np.zeros((p, p))
    for k in range(p):
        right = floor + pull[k]
        for m in range(p):
            matrix[k, m] = 1.0 if k == m else 0.0
        for l in range(p):
            right += answer[k, l] * (noise - back[l, 0] * start)
            for m in range(p):
                held = (1.0 if l == m else 0.0) - back[l, m + 1]
                matrix[k, m] -= answer[k, l] * held
        loss[k] = right
    eliminate(matrix, loss)
    for l in range(p):
        right = noise - back[l, 0] * start + loss[l]
        for m in range(p):
            right -= back[l, m + 1] * loss[m]
        pull[l] = right


@njit
def march(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    lengths: Steps,
    rates: Array,
    spread: Array,
    back: Array,
    noise: float,
    floor: float,
    losses: Array,
    kept: Numbers,
) -> None:
    """Take all macro steps; `losses` are those at their ends, `kept` the energies at all their points, if there is room."""
    points, size = rates.shape[1], x.size
    matrix = np.zeros((points, points, LANES), dtype=energy.dtype)
    inverse = np.zeros((points, points, size), dtype=energy.dtype)
    free = np.zeros((points, size), dtype=energy.dtype)
    pulls = np.zeros((points, LANES), dtype=energy.dtype)
    answers = np.zeros((points, points, LANES), dtype=energy.dtype)
    lanes = np.zeros(LANES, dtype=energy.dtype)
    pull, answer, loss = np.zeros(points), np.zeros((points, points)), np.zeros(points)
    gain = np.zeros(points)
    for i in range(lengths.size):
        if lengths[i] == 1:
            eta, growth = rates[i, 0], 1.0 + spread[i, 0]
            push = eta * eta * spread[i, 0] * (losses[i] + noise)
            lanes[:] = 0.0
            for block in range(0, size, LANES):
                for j in range(LANES):
                    step = eta * x[block + j]
                    left = energy[block + j]
                    left = left - left * (step * (2.0 - step * growth)) + push * kernel[block + j]
                    energy[block + j] = left
                    lanes[j] += left
            total = 0.0
            for j in range(LANES):
                total += lanes[j].real
            losses[i + 1] = floor + total
            if kept.size:
                kept[i, points - 1] = energy
            continue
        for k in range(points):
            gain[k] = rates[i, k] ** 2 * spread[i, k]
        pulls[:] = 0.0
        answers[:] = 0.0
        for block in range(0, size, LANES):
            _invert(x, block, rates[i], spread[i], back[i], energy, matrix, free)
            for k in range(points):
                for m in range(points):
                    for j in range(LANES):
                        entry = matrix[k, m, j]
                        inverse[k, m, block + j] = entry
                        answers[k, m, j] += entry * kernel[block + j]
                for j in range(LANES):
                    pulls[k, j] += free[k, block + j]
        for k in range(points):
            pull[k] = 0.0
            for j in range(LANES):
                pull[k] += pulls[k, j].real
            for m in range(points):
                answer[k, m] = 0.0
                for j in range(LANES):
                    answer[k, m] += answers[k, m, j].real * gain[m]
        couple(pull, answer, back[i], losses[i], noise, floor, loss)
        losses[i + 1] = loss[points - 1]
        for k in range(0 if kept.size else points - 1, points):
            for j in range(size):
                left = free[k, j]
                for m in range(points):
                    left += inverse[k, m, j] * (gain[m] * pull[m]) * kernel[j]
                free[k, j] = left
            if kept.size:
                kept[i, k] = free[k]
        energy[:] = free[points - 1]


@njit
def _invert(
    x: Numbers,
    block: int,
    rates: Array,
    spread: Array,
    back: Array,
    energy: Numbers,
    matrix: Numbers,
    free: Numbers,
) -> None:
    """Invert E + dS in some nodes side by side, without pivots; and find what the energies become without noise."""
    points = rates.size
    for k in range(points):
        eta, growth = rates[k], 1.0 + spread[k]
        for j in range(LANES):
            step = eta * x[block + j]
            lost = step * (2.0 - step * growth)
            for m in range(points):
                one = 1.0 if k == m else 0.0
                # E + d (1 - E)
                matrix[k, m, j] = back[k, m + 1] + lost * (one - back[k, m + 1])
            # minus the column of the start
            free[k, block + j] = -(back[k, 0] - lost * back[k, 0]) * energy[block + j]
    for p in range(points):
        for j in range(LANES):
            scale = 1.0 / matrix[p, p, j]
            matrix[p, p, j] = 1.0
            for m in range(points):
                matrix[p, m, j] *= scale
            free[p, block + j] *= scale
        for k in range(points):
            if k != p:
                for j in range(LANES):
                    factor = matrix[k, p, j]
                    matrix[k, p, j] = 0.0
                    for m in range(points):
                        matrix[k, m, j] -= factor * matrix[p, m, j]
                    free[k, block + j] -= factor * free[p, block + j]


@njit
def march_average(
    x: Numbers,
    start: Numbers,
    lengths: Steps,
    starts: Steps,
    rates: Array,
    back: Array,
    kept: Numbers,
    keep: float,
    take: float,
    begin: int,
    averages: Array,
) -> None:
    r"""Follow the moments of an average along macro steps whose energies are known.

    With :math:`A' = k A + w e'` the moments c and p of `descend_averaged` obey

    .. math:: (E + d_c S)\, c = w \rho, \quad d_c = 1 - k (1 - \eta x); \qquad
              (E + d_p S)\, p = 2 k w (1 - \eta x)\, S c + w^2 \rho, \quad d_p = 1 - k^2.

    They start at `start` where the average begins with the first iterate (`begin` 0), else at nothing.
    """
    points, size = rates.shape[1], x.size
    mixed, averaged = start.copy(), start.copy()
    if begin > 0:
        mixed[:] = 0.0
        averaged[:] = 0.0
    one_less = 1.0 - keep
    matrix = np.zeros((points, points), dtype=start.dtype)
    column = np.zeros(points, dtype=start.dtype)
    second = np.zeros(points, dtype=start.dtype)
    for i in range(lengths.size):
        if starts[i] + lengths[i] < begin:
            continue
        square = 0.0
        for j in range(size):
            if lengths[i] == 1:
                moved = (1.0 - rates[i, 0] * x[j]) * mixed[j]
                left = kept[i, points - 1, j]
                averaged[j] = keep * keep * averaged[j] + 2 * keep * take * moved + take**2 * left
                mixed[j] = keep * moved + take * left
                square += averaged[j].real
                continue
            for k in range(points):
                lost = one_less + keep * rates[i, k] * x[j]
                column[k] = take * kept[i, k, j] - back[i, k, 0] * (1.0 - lost) * mixed[j]
                for m in range(points):
                    one = 1.0 if k == m else 0.0
                    matrix[k, m] = back[i, k, m + 1] + lost * (one - back[i, k, m + 1])
            _solve(matrix, column)
            for k in range(points):
                held = column[k] - back[i, k, 0] * mixed[j]  # S c
                for m in range(points):
                    held -= back[i, k, m + 1] * column[m]
                second[k] = (
                    2 * keep * take * (1.0 - rates[i, k] * x[j]) * held
                    + take * take * kept[i, k, j]
                    - back[i, k, 0] * (keep * keep) * averaged[j]
                )
            for k in range(points):
                for m in range(points):
                    one = 1.0 if k == m else 0.0
                    lost_square = one_less * (1.0 + keep)
                    matrix[k, m] = back[i, k, m + 1] + lost_square * (one - back[i, k, m + 1])
            mixed[j] = column[points - 1]
            _solve(matrix, second)
            averaged[j] = second[points - 1]
            square += averaged[j].real
        averages[i + 1] = square


@njit
def _solve(matrix: Numbers, column: Numbers) -> None:
    """Solve a small system in place, without pivots."""
    n = column.size
    for p in range(n):
        scale = 1.0 / matrix[p, p]
        for k in range(p + 1, n):
            factor = matrix[k, p] * scale
            for m in range(p + 1, n):
                matrix[k, m] -= factor * matrix[p, m]
            column[k] -= factor * column[p]
    for p in range(n - 1, -1, -1):
        for m in range(p + 1, n):
            column[p] -= matrix[p, m] * column[m]
        column[p] /= matrix[p, p]
