r"""Gradient descent of a chain of m hidden factors on the population loss, step by step.

With :math:`g = \Lambda v`, the error v of the predictor, :math:`u_j = A_j \cdots A_1 g` and :math:`b_j = A_{j+1}^T \cdots A_m^T w`,

.. math:: w \leftarrow w + \eta\, u_m, \qquad A_j \leftarrow A_j + \eta\gamma\, b_j u_{j-1}^T, \qquad v = w^* - b_0 .
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from .._jit import njit


@njit
def _forward(matrix: Array, vector: Array, found: Array) -> None:
    """Multiply a matrix with a vector."""
    n = vector.size
    for i in range(n):
        # four sums, since one would wait for each addition
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        k = 0
        while k + 3 < n:
            s0 += matrix[i, k] * vector[k]
            s1 += matrix[i, k + 1] * vector[k + 1]
            s2 += matrix[i, k + 2] * vector[k + 2]
            s3 += matrix[i, k + 3] * vector[k + 3]
            k += 4
        while k < n:
            s0 += matrix[i, k] * vector[k]
            k += 1
        found[i] = (s0 + s1) + (s2 + s3)


@njit
def _backward(
    matrix: Array, vector: Array, found: Array, gain: float, left: Array, right: Array
) -> None:
    """Multiply the transpose of a matrix with a vector; then add a gain times an outer product to the matrix."""
    n = vector.size
    for k in range(n):
        found[k] = 0.0
    for i in range(n):  # both in one pass through memory
        pushed = gain * left[i]
        for k in range(n):
            found[k] += vector[i] * matrix[i, k]
            matrix[i, k] += pushed * right[k]


@njit
def descend(
    eigenvalues: Array,
    richness: float,
    absolute: Array,
    relative: Array,
    error: Array,
    factors: Array,
    back: Array,
    rates: Array,
    losses: Array,
    scales: Array,
    first: int,
    last: int,
) -> int:
    r"""Take the steps from `first` to `last`; return the number of the step at whose start the loss is no longer finite.

    Rates are the smaller one of `absolute` and of `relative` over the scale. `error` (v), `factors` (the A) and `back` (the b,
    of which the last is w) are updated in place. Losses, scales and rates are those at the start of each step.
    """
    n, m = eigenvalues.size, factors.shape[0]
    front = np.empty((m + 1, n))
    moved, next_moved = np.empty(n), np.empty(n)
    for t in range(first, last):
        loss, weight = 0.0, 0.0
        for k in range(n):
            front[0, k] = eigenvalues[k] * error[k]
            loss += front[0, k] * error[k]
            weight += back[m, k] * back[m, k]
        scale = (1.0 + richness * weight) ** m
        losses[t], scales[t] = loss, scale
        if not math.isfinite(loss + scale):
            return t
        eta = min(absolute[t], relative[t] / scale)
        rates[t] = eta
        for j in range(m):
            _forward(factors[j], front[j], front[j + 1])
        # what b_j moves by, from the last to the first; in terms of moves the error is never a
        # difference of nearly equal numbers, and stays accurate however small it gets
        for k in range(n):
            moved[k] = eta * front[m, k]
        for j in range(m - 1, -1, -1):
            overlap = 0.0
            for k in range(n):
                overlap += back[j + 1, k] * (back[j + 1, k] + moved[k])
            _backward(factors[j], moved, next_moved, eta * richness, back[j + 1], front[j])
            for k in range(n):
                back[j + 1, k] += moved[k]
                moved[k] = next_moved[k] + eta * richness * overlap * front[j, k]
        for k in range(n):
            back[0, k] += moved[k]
            error[k] -= moved[k]
    return last
