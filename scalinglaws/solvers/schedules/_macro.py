r"""Macro steps of stochastic gradient descent: implicit collocation of the difference equation, node by node.

In each node, with :math:`d = 1 - q = \eta x (2 - \eta x (1 + 1/B))` at the collocation times and :math:`S = 1 - E`,

.. math:: \sum_m (E_{km} + d_k S_{km})\, u_m = G_k \Big(\sum_m S_{km} L_m + \sigma^2\Big), \qquad G_k = \frac{\eta_k^2}{B_k} k(x)

is solved for all right-hand sides at once; the sums over nodes then leave one small system for the losses. Weight decay r adds
:math:`\eta r (2 - \eta r - 2 \eta x)` to d, and on the right what cross moments drive (`driven_by_decay`).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .._jit import njit
from ._direct import LANES

Array = NDArray[np.float64]
Steps = NDArray[np.int64]
WIDE = 64
"""Real nodes that are eliminated side by side: enough for vector instructions, few enough for the fast cache; of complex ones 8."""
Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.complex128])


@njit
def eliminate(matrix: Array, columns: Array) -> None:
    """Solve a small system in place, with pivots: `columns` becomes the solution."""
    n = columns.size
    for p in range(n):
        best = p
        for k in range(p + 1, n):
            if abs(matrix[k, p]) > abs(matrix[best, p]):
                best = k
        if best != p:
            for m in range(p, n):
                kept = matrix[p, m]
                matrix[p, m] = matrix[best, m]
                matrix[best, m] = kept
            held = columns[p]
            columns[p] = columns[best]
            columns[best] = held
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
    i: int,
    pull: Array,
    answer: Array,
    back: Array,
    start: float,
    noise: float,
    floor: float,
    loss: Array,
    matrix: Array,
) -> None:
    r"""Solve :math:`L_k = L_N + h_k + \sum_l H_{kl} (\sum_m S_{lm} L_m + \sigma^2)` for the losses inside macro step i.

    `pull` is h, `answer` H, `back` E, `start` the loss at the beginning; on return `loss` holds the losses, and `pull`
    the :math:`\sum_m S_{lm} L_m + \sigma^2`.
    """
    p = loss.size
    for k in range(p):
        loss[k] = floor + pull[k]
        for m in range(p):
            matrix[k, m] = 1.0 if k == m else 0.0
        for l in range(p):
            loss[k] += answer[k, l] * (noise - back[i, l, 0] * start)
            for m in range(p):
                held = (1.0 if l == m else 0.0) - back[i, l, m + 1]
                matrix[k, m] -= answer[k, l] * held
    eliminate(matrix, loss)
    for l in range(p):
        right = noise - back[i, l, 0] * start + loss[l]
        for m in range(p):
            right -= back[i, l, m + 1] * loss[m]
        pull[l] = right


@njit
def march(
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    decay: float,
    driven: Numbers,
    lengths: Steps,
    rates: Array,
    spread: Array,
    back: Array,
    noise: float,
    floor: float,
    losses: Array,
    kept: Numbers,
    inverse: Numbers,
    free: Numbers,
    small: Numbers,
    real: Array,
) -> None:
    """Take all macro steps; `losses` are those at their ends, `kept` the energies at all their points, if there is room.

    With weight `decay` the energies are also `driven`, shape (steps, p, n).

    Room to work in is given: `inverse` (p, p, n), `free` (p, n), `small` (2p + 2, p, lanes), `real` (2p + 3, p).
    """
    points = rates.shape[1]
    for i in range(lengths.size):
        if lengths[i] == 1:
            push = rates[i, 0] ** 2 * spread[i, 0] * (losses[i] + noise)
            losses[i + 1] = floor + _single(
                i, x, kernel, energy, decay, driven, rates[i, 0], spread[i, 0], push
            )
            if kept.size:
                for j in range(x.size):
                    kept[i, points - 1, j] = energy[j]
            continue
        pull, answer = real[2 * points], real[:points]
        loss, gain = real[2 * points + 1], real[2 * points + 2]
        for k in range(points):
            for j in range(x.size):
                free[k, j] = driven[i, k, j] if driven.size else 0.0
        _responses(i, x, kernel, energy, decay, rates, spread, back, inverse, free, small, real)
        couple(i, pull, answer, back, losses[i], noise, floor, loss, real[points : 2 * points])
        losses[i + 1] = loss[points - 1]
        for k in range(points):
            gain[k] *= pull[k]
        for k in range(0 if kept.size else points - 1, points):
            for j in range(x.size):
                left = free[k, j]
                for m in range(points):
                    left += inverse[k, m, j] * gain[m] * kernel[j]
                free[k, j] = left
                if kept.size:
                    kept[i, k, j] = left
                if k == points - 1:
                    energy[j] = left


@njit
def _single(
    i: int,
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    decay: float,
    driven: Numbers,
    eta: float,
    per_batch: float,
    push: float,
) -> float:
    """Take one step; return the sum of the energies."""
    growth, total, shrunk = 1.0 + per_batch, 0.0, eta * decay
    for j in range(x.size):
        step = eta * x[j]
        lost = step * (2.0 - step * growth) + shrunk * (2.0 - shrunk - 2.0 * step)
        left = energy[j] - energy[j] * lost + push * kernel[j]
        if driven.size:
            left += driven[i, 0, j]
        energy[j] = left
        total += left.real
    return total


@njit
def _responses(
    i: int,
    x: Numbers,
    kernel: Numbers,
    energy: Numbers,
    decay: float,
    rates: Array,
    spread: Array,
    back: Array,
    inverse: Numbers,
    free: Numbers,
    small: Numbers,
    real: Array,
) -> None:
    """Fill in the inverses of all nodes in macro step i, and what the losses inside it respond with."""
    points, lanes = rates.shape[1], LANES if np.iscomplexobj(x) else WIDE
    for k in range(2 * points + 1):
        for m in range(points):
            for j in range(lanes):
                small[k, m, j] = 0.0
    for block in range(0, x.size, lanes):
        _invert(
            i, x, block, decay, rates, spread, back, energy, small, free, small[2 * points + 1, 0]
        )
        for k in range(points):
            for m in range(points):
                for j in range(lanes):
                    entry = small[k, m, j]
                    inverse[k, m, block + j] = entry
                    small[points + k, m, j] += entry * kernel[block + j]
            for j in range(lanes):
                small[2 * points, k, j] += free[k, block + j]
    for k in range(points):
        real[2 * points + 2, k] = rates[i, k] ** 2 * spread[i, k]
        real[2 * points, k] = 0.0
        for j in range(lanes):
            real[2 * points, k] += small[2 * points, k, j].real
    for k in range(points):
        for m in range(points):
            real[k, m] = 0.0
            for j in range(lanes):
                real[k, m] += small[points + k, m, j].real
            real[k, m] *= real[2 * points + 2, m]


@njit
def _invert(
    i: int,
    x: Numbers,
    block: int,
    decay: float,
    rates: Array,
    spread: Array,
    back: Array,
    energy: Numbers,
    matrix: Numbers,
    free: Numbers,
    scales: Numbers,
) -> None:
    """Invert E + dS in some nodes side by side, without pivots; and find what the energies become without noise.

    On entry `free` holds what drives them besides.
    """
    points, lanes = rates.shape[1], LANES if np.iscomplexobj(x) else WIDE
    for k in range(points):
        eta, growth, first = rates[i, k], 1.0 + spread[i, k], back[i, k, 0]
        shrunk = eta * decay
        for j in range(lanes):
            step = eta * x[block + j]
            lost = step * (2.0 - step * growth) + shrunk * (2.0 - shrunk - 2.0 * step)
            scales[j] = lost
            # minus the column of the start
            free[k, block + j] -= (first - lost * first) * energy[block + j]
        for m in range(points):
            held, one = back[i, k, m + 1], 1.0 if k == m else 0.0
            for j in range(lanes):  # E + d (1 - E)
                matrix[k, m, j] = held + scales[j] * (one - held)
    for p in range(points):
        for j in range(lanes):
            scales[j] = 1.0 / matrix[p, p, j]
            matrix[p, p, j] = 1.0
            free[p, block + j] *= scales[j]
        for m in range(points):
            for j in range(lanes):
                matrix[p, m, j] *= scales[j]
        for k in range(points):
            if k != p:
                for j in range(lanes):
                    scales[j] = matrix[k, p, j]
                    matrix[k, p, j] = 0.0
                    free[k, block + j] -= scales[j] * free[p, block + j]
                for m in range(points):
                    for j in range(lanes):
                        matrix[k, m, j] -= scales[j] * matrix[p, m, j]


@njit
def march_average(
    x: Numbers,
    mixed: Numbers,
    averaged: Numbers,
    lengths: Steps,
    starts: Steps,
    rates: Array,
    back: Array,
    kept: Numbers,
    keep: float,
    take: float,
    begin: int,
    averages: Array,
    matrix: Numbers,
) -> None:
    r"""Follow the moments of an average along macro steps whose energies are known.

    With :math:`A' = k A + w e'` the moments c and p of `descend_averaged` obey

    .. math:: (E + d_c S)\, c = w \rho, \quad d_c = 1 - k (1 - \eta x); \qquad
              (E + d_p S)\, p = 2 k w (1 - \eta x)\, S c + w^2 \rho, \quad d_p = 1 - k^2.

    They are `mixed` and `averaged`; `matrix` (p + 2, p) is room to work in. The second matrix is that of all nodes, and only
    the last p is needed.
    """
    points, size = rates.shape[1], x.size
    one_less = 1.0 - keep
    lost_square = one_less * (1.0 + keep)
    column, last = matrix[points], matrix[points + 1]
    for i in range(lengths.size):
        if starts[i] + lengths[i] < begin:
            continue
        square = 0.0
        if lengths[i] > 1:  # the last row of the inverse
            for k in range(points):
                last[k] = 1.0 if k == points - 1 else 0.0
                for m in range(points):
                    one = 1.0 if k == m else 0.0
                    matrix[m, k] = back[i, k, m + 1] + lost_square * (one - back[i, k, m + 1])
            solve(matrix, last)
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
            solve(matrix, column)
            gained = last[0] * 0.0
            for k in range(points):
                held = column[k] - back[i, k, 0] * mixed[j]  # S c
                for m in range(points):
                    held -= back[i, k, m + 1] * column[m]
                gained += last[k] * (
                    2 * keep * take * (1.0 - rates[i, k] * x[j]) * held
                    + take * take * kept[i, k, j]
                    - back[i, k, 0] * (keep * keep) * averaged[j]
                )
            mixed[j] = column[points - 1]
            averaged[j] = gained
            square += averaged[j].real
        averages[i + 1] = square


@njit
def solve(matrix: Numbers, column: Numbers) -> None:
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
