"""The loops of the march that no matrix product can take over: small triangular systems, all modes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..._jit import njit

Array = NDArray[np.float64]


@njit
def solve_rows(
    response: Array,
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
    for s in range(high - 1, low - 1, -1):
        i = s - low
        a = s + 1
        while a + 3 < high:
            w0, w1, w2, w3 = (
                response[a, s],
                response[a + 1, s],
                response[a + 2, s],
                response[a + 3, s],
            )
            for k in range(modes):
                near = w0 * unknown[a, k] + w1 * unknown[a + 1, k]
                known[i, k] += near + (w2 * unknown[a + 2, k] + w3 * unknown[a + 3, k])
            a += 4
        while a < high:
            w0 = response[a, s]
            for k in range(modes):
                known[i, k] += w0 * unknown[a, k]
            a += 1
        for k in range(modes):
            unknown[s, k] = right[s] - eigenvalues[k] * known[i, k]


@njit
def solve_columns(
    response: Array, eigenvalues: Array, known: Array, unknown: Array, low: int, high: int
) -> None:
    r"""Solve :math:`(1 + \lambda_k U) x_k = g_k` within one block of times, from the first time to the last.

    On entry ``unknown[s, k]`` holds the right-hand side and ``known[s - low, k]`` what times before the block add to
    :math:`U x_k`; on return ``unknown`` holds the solution. U is strictly lower triangular.
    """
    modes = eigenvalues.size
    for s in range(low, high):
        i = s - low
        a = low
        while a + 3 < s:
            w0, w1, w2, w3 = (
                response[s, a],
                response[s, a + 1],
                response[s, a + 2],
                response[s, a + 3],
            )
            for k in range(modes):
                near = w0 * unknown[a, k] + w1 * unknown[a + 1, k]
                known[i, k] += near + (w2 * unknown[a + 2, k] + w3 * unknown[a + 3, k])
            a += 4
        while a < s:
            w0 = response[s, a]
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
    for s in range(total.shape[0]):
        weight = weights[s]
        for k in range(total.shape[1]):
            total[s, k] = share * forced[s, k] + shares[k] * (weight * met[s, k] + offsets[k])
