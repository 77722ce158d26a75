"""The loops of the march that no matrix product can take over: small triangular systems, all modes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..._jit import njit

Array = NDArray[np.float64]


# Both triangular solves sum U times what is solved already over the times of a block. Modes k lie next to each other in memory, so that
# the inner loop over them vectorizes; but with one time per pass each addition would load and store known[i, k] for a single product,
# and the loop would wait for memory. Four times per pass do it once for four products, in two independent pairs, so that additions do not
# wait for each other. The rest of the block, up to three times, goes one by one. Sums keep the order of times: results do not depend on
# the processor's vectors.


@njit
def solve_rows(
    U: Array,
    right: Array,
    eigenvalues: Array,
    known: Array,
    unknown: Array,
    low: int,
    high: int,
) -> None:
    r"""Solve :math:`w_k (1 + \lambda_k U) = r` within one block of times, from the last time to the first.

    On entry ``known[s - low, k]`` holds what times beyond the block add to :math:`w_k U`; on return ``unknown[s, k]`` holds the
    solution. U is strictly lower triangular.
    """
    modes = eigenvalues.size
    for s in range(
        high - 1, low - 1, -1
    ):  # (w U)_s = sum of w_a U_as over a > s: later times first
        i = s - low
        a = s + 1
        while a + 3 < high:
            w0, w1, w2, w3 = U[a, s], U[a + 1, s], U[a + 2, s], U[a + 3, s]
            for k in range(modes):
                near = w0 * unknown[a, k] + w1 * unknown[a + 1, k]
                known[i, k] += near + (w2 * unknown[a + 2, k] + w3 * unknown[a + 3, k])
            a += 4
        while a < high:
            w0 = U[a, s]
            for k in range(modes):
                known[i, k] += w0 * unknown[a, k]
            a += 1
        for k in range(modes):
            unknown[s, k] = right[s] - eigenvalues[k] * known[i, k]


@njit
def solve_columns(
    U: Array, eigenvalues: Array, known: Array, unknown: Array, low: int, high: int
) -> None:
    r"""Solve :math:`(1 + \lambda_k U) x_k = g_k` within one block of times, from the first time to the last.

    On entry ``unknown[s, k]`` holds the right-hand side and ``known[s - low, k]`` what times before the block add to
    :math:`U x_k`; on return ``unknown`` holds the solution. U is strictly lower triangular.
    """
    modes = eigenvalues.size
    for s in range(low, high):  # (U x)_s = sum of U_sa x_a over a < s: earlier times first
        i = s - low
        a = low
        while a + 3 < s:
            w0, w1, w2, w3 = U[s, a], U[s, a + 1], U[s, a + 2], U[s, a + 3]
            for k in range(modes):
                near = w0 * unknown[a, k] + w1 * unknown[a + 1, k]
                known[i, k] += near + (w2 * unknown[a + 2, k] + w3 * unknown[a + 3, k])
            a += 4
        while a < s:
            w0 = U[s, a]
            for k in range(modes):
                known[i, k] += w0 * unknown[a, k]
            a += 1
        for k in range(modes):
            unknown[s, k] -= eigenvalues[k] * known[i, k]


@njit
def add_forces(
    forced: Array,
    share: float,
    met: Array,
    weights: Array,
    offsets: Array,
    shares: Array,
    total: Array,
) -> None:
    r"""Add up what drives each mode, ``share * forced + shares[k] * (weights[s] * met + offsets[k])``, in one pass."""
    # NumPy would take several passes over arrays that do not fit into the cache
    for s in range(total.shape[0]):
        weight = weights[s]
        for k in range(total.shape[1]):
            total[s, k] = share * forced[s, k] + shares[k] * (weight * met[s, k] + offsets[k])
