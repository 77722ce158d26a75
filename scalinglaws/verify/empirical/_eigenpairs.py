"""Leading eigenpairs of large symmetric matrices."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ...arguments import afford

Array = NDArray[np.float64]

MOST_DIRECT = 5000
"""Larger matrices are projected on a Krylov space first."""
_SMALL = 64  # all pairs cost nothing
_BLOCK, _STEPS = 100, 8
_SPARE = 3  # vectors of the basis for each pair that is asked for
_SEED = 0  # of the first block: the same matrix has the same answer


def leading_pairs(matrix: Array, count: int) -> tuple[Array, Array]:
    """Compute the largest eigenvalues of a symmetric positive semidefinite matrix and their eigenvectors.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Of which the lower half is read by direct methods.
    count : int
        How many pairs, at most n.

    Returns
    -------
    tuple of ndarray
        Eigenvalues in falling order, shape (count,), and unit eigenvectors in columns, shape (n, count).

    Raises
    ------
    ResourceError
        If the memory budget does not hold what is needed.

    Notes
    -----
    Up to n = 5000 a subset of LAPACK's ``evr``, :math:`O(n^3)`, to rounding. Beyond, block Krylov with blocks of 100, at least 8 of them
    and three basis vectors for each pair, each orthogonalized twice, and Rayleigh-Ritz: :math:`O(n^2)` for each basis vector. Its
    eigenvalues are low, most at the last pair: of power laws from :math:`k^{-1.2}` to :math:`k^{-3}` by less than 2e-3 there, and
    1e-4 up to three quarters of the pairs.
    """
    n = matrix.shape[0]
    if n > MOST_DIRECT and _SPARE * count < n:
        return _krylov(matrix, count)
    afford(2.0 * n * n + 2.0 * n * count, f"the eigenvectors of {n} points", "use fewer points")
    if n <= _SMALL or 2 * count > n:
        values, vectors = linalg.eigh(matrix)
    else:
        values, vectors = linalg.eigh(matrix, subset_by_index=(n - count, n - 1), driver="evr")
    return values[::-1][:count], vectors[:, ::-1][:, :count]


def _krylov(matrix: Array, count: int) -> tuple[Array, Array]:
    """Return leading pairs by block Krylov: the basis spans what powers of the matrix make of random vectors."""
    n = matrix.shape[0]
    steps = max(_STEPS, math.ceil(_SPARE * count / _BLOCK))
    size = steps * _BLOCK
    afford(3.0 * n * size, f"a basis of {size} vectors for {n} points", "use fewer points")
    basis = np.empty((n, size), order="F")
    image = np.empty((n, size), order="F")  # of the basis, kept for the last step
    block = np.random.default_rng(_SEED).standard_normal((n, _BLOCK))
    for step in range(steps):
        here = slice(step * _BLOCK, (step + 1) * _BLOCK)
        before = basis[:, : here.start]
        for _ in range(2):  # once leaves rounding errors of what was subtracted
            block -= before @ (before.T @ block)
            block = linalg.qr(block, mode="economic")[0]
        basis[:, here] = block
        block = matrix @ block
        image[:, here] = block
    small = basis.T @ image
    values, vectors = linalg.eigh((small + small.T) / 2)
    return values[::-1][:count], basis @ vectors[:, ::-1][:, :count]
