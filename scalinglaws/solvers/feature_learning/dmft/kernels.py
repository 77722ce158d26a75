"""The loops of the march that no matrix product can take over: small triangular systems, all modes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..._jit import njit

Array = NDArray[np.float64]


# Both triangular solves sum U times what is solved already over the times of a block. Outside, a row for each mode is what
# products of matrices are fast with; here modes k lie next to each other, so that the inner loop over them vectorizes. Where all
# products are added to one row, one time per pass would load and store it for a single product, and wait for memory. Four times
# per pass do it once for four products, in two independent pairs, so that additions do not wait for each other. The rest of the
# block, up to three times, goes one by one. Sums keep the order of times: results do not depend on the processor's vectors.


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

    On entry ``known[k, s - low]`` holds what times beyond the block add to :math:`w_k U`; on return ``unknown[k, s]`` holds the
    solution. U is strictly lower triangular.
    """
    modes = eigenvalues.size
    table = np.empty((high - low, modes))
    for k in range(modes):
        for i in range(high - low):
            table[i, k] = known[k, i]
    # (w U)_s = sum of w_a U_as over a > s: later times first, each added to all earlier ones, so that U is read along its rows
    for i in range(high - low - 1, -1, -1):
        solved, force = table[i], right[low + i]
        for k in range(modes):
            solved[k] = force - eigenvalues[k] * solved[k]
        for j in range(i):
            met, factor = table[j], U[low + i, low + j]
            for k in range(modes):
                met[k] += factor * solved[k]
    for k in range(modes):
        for i in range(high - low):
            unknown[k, low + i] = table[i, k]


@njit
def solve_columns(
    U: Array,
    eigenvalues: Array,
    known: Array,
    unknown: Array,
    product: Array,
    low: int,
    high: int,
) -> None:
    r"""Solve :math:`(1 + \lambda_k U) x_k = g_k` within one block of times, from the first time to the last.

    On entry ``unknown[k, s]`` holds the right-hand side and ``known[k, s - low]`` what times before the block add to
    :math:`U x_k`; on return ``unknown`` holds the solution, and ``product`` :math:`U x_k`. U is strictly lower triangular.
    """
    modes = eigenvalues.size
    met, solved = np.empty((high - low, modes)), np.empty((high - low, modes))
    for s in range(low, high):  # (U x)_s = sum of U_sa x_a over a < s: earlier times first
        i = s - low
        for k in range(modes):
            met[i, k], solved[i, k] = known[k, i], unknown[k, s]
        a = low
        while a + 3 < s:
            w0, w1, w2, w3 = U[s, a], U[s, a + 1], U[s, a + 2], U[s, a + 3]
            b = a - low
            for k in range(modes):
                near = w0 * solved[b, k] + w1 * solved[b + 1, k]
                met[i, k] += near + (w2 * solved[b + 2, k] + w3 * solved[b + 3, k])
            a += 4
        while a < s:
            w0 = U[s, a]
            for k in range(modes):
                met[i, k] += w0 * solved[a - low, k]
            a += 1
        for k in range(modes):
            solved[i, k] -= eigenvalues[k] * met[i, k]
    for k in range(modes):
        for i in range(high - low):
            unknown[k, low + i], product[k, low + i] = solved[i, k], met[i, k]


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
    for k in range(total.shape[0]):
        offset, factor = offsets[k], shares[k]
        for s in range(total.shape[1]):
            total[k, s] = share * forced[k, s] + factor * (weights[s] * met[k, s] + offset)
