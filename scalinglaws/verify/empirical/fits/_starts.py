"""Where fits start: amplitudes enter linearly, so each shape on a grid gets its best ones (variable projection)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....solvers import _jit

Array = NDArray[np.float64]

_FLOOR = 1e-3  # an amplitude of zero has no logarithm: so much of the largest there could be


@_jit.njit
def _best_shape(gram: Array, moments: Array, firsts: int, seconds: int) -> tuple[int, int, Array]:
    # The least of |E e + A phi_j + B phi_k - 1|^2 over E, A, B >= 0 and over all pairs (j, k); gram and moments are the inner
    # products of all columns with each other and with 1. The best non-negative point is the best point of one of the faces on which
    # some of the three vanish: there are seven.
    best, best_j, best_k = np.inf, 0, 0
    amplitudes = np.zeros(3)
    index = np.zeros(3, np.int64)
    chosen = np.zeros(3, np.int64)
    system, right = np.empty((3, 3)), np.empty(3)
    for j in range(firsts):
        for k in range(seconds):
            index[1], index[2] = 1 + j, 1 + firsts + k
            for face in range(1, 8):
                size = 0
                for part in range(3):
                    if face >> part & 1:
                        chosen[size] = part
                        size += 1
                for p in range(size):
                    right[p] = moments[index[chosen[p]]]
                    for q in range(size):
                        system[p, q] = gram[index[chosen[p]], index[chosen[q]]]
                regular = True
                for p in range(
                    size
                ):  # elimination: the matrix is positive definite unless columns are alike
                    if not system[p, p] > 1e-13 * gram[index[chosen[p]], index[chosen[p]]]:
                        regular = False
                        break
                    for q in range(p + 1, size):
                        ratio = system[q, p] / system[p, p]
                        for l in range(p, size):
                            system[q, l] -= ratio * system[p, l]
                        right[q] -= ratio * right[p]
                if not regular:
                    continue
                feasible, misfit = True, 0.0
                for back in range(size):
                    p = size - 1 - back
                    for q in range(p + 1, size):
                        right[p] -= system[p, q] * right[q]
                    right[p] /= system[p, p]
                    feasible = feasible and right[p] > 0.0
                    misfit -= (
                        right[p] * moments[index[chosen[p]]]
                    )  # |1|^2 - c^T moments at a stationary point
                if feasible and misfit < best:
                    best, best_j, best_k = misfit, j, k
                    amplitudes[:] = 0.0
                    for p in range(size):
                        amplitudes[chosen[p]] = right[p]
    return best_j, best_k, amplitudes


def surface_start(
    u: Array, v: Array, losses: Array, weights: Array, first: Array, second: Array
) -> Array:
    """Return coordinates (ln E, ln A, ln B, a, b) of the best surface on a grid of exponents.

    Parameters
    ----------
    u, v : ndarray, shape (n,)
        Logarithms of model size and data, centered.
    losses, weights : ndarray, shape (n,)
        Losses, and how often each point counts.
    first, second : ndarray
        Exponents to try.

    Returns
    -------
    ndarray, shape (5,)
        For the centered variables; no amplitude is below a thousandth of the largest that the losses allow.
    """
    logs = np.concatenate([np.zeros((1, u.size)), -first[:, None] * u, -second[:, None] * v])
    tops = logs.max(axis=1)
    basis = np.exp(logs - tops[:, None]) * (np.sqrt(weights) / losses)
    gram, moments = basis @ basis.T, basis @ np.sqrt(weights)
    j, k, amplitudes = _best_shape(gram, moments, first.size, second.size)
    chosen = [0, 1 + j, 1 + first.size + k]
    most = np.array([moments[i] / gram[i, i] for i in chosen])
    heights = np.log(np.maximum(amplitudes, _FLOOR * most)) - tops[chosen]
    return np.array([*heights, first[j], second[k]])
