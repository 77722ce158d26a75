"""The loops of the march that no matrix product can take over: small triangular systems, all modes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._jit import njit

Array = NDArray[np.float64]


@njit
def solve_rows(response: Array, eigenvalues: Array, unknown: Array, low: int, high: int) -> None:
    r"""Solve :math:`w_k (1 + \lambda_k U) = r_k` within one block of times, from the last time to the first.

    On entry ``unknown[s, k]`` holds the right-hand side, on return the solution; U is strictly lower triangular.
    """
    modes = eigenvalues.size
    total = np.empty(modes)
    for s in range(high - 2, low - 1, -1):
        for k in range(modes):
            total[k] = 0.0
        for a in range(s + 1, high):
            weight = response[a, s]
            for k in range(modes):
                total[k] += weight * unknown[a, k]
        for k in range(modes):
            unknown[s, k] -= eigenvalues[k] * total[k]


@njit
def solve_columns(response: Array, eigenvalues: Array, unknown: Array, low: int, high: int) -> None:
    r"""Solve :math:`(1 + \lambda_k U) x_k = g_k` within one block of times, from the first time to the last.

    On entry ``unknown[s, k]`` holds the right-hand side, on return the solution; U is strictly lower triangular.
    """
    modes = eigenvalues.size
    total = np.empty(modes)
    for s in range(low + 1, high):
        for k in range(modes):
            total[k] = 0.0
        for a in range(low, s):
            weight = response[s, a]
            for k in range(modes):
                total[k] += weight * unknown[a, k]
        for k in range(modes):
            unknown[s, k] -= eigenvalues[k] * total[k]
