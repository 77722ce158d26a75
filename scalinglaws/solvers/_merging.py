"""Merging the modes of a power law: mode numbers that stand for many, by Gauss rules of the discrete uniform measure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_EXACT = 32  # modes kept one by one
_NODES = 12  # quadrature nodes per octave


def parts_of_octaves(alpha: float, signal_exponent: float) -> int:
    """Return into how many blocks each octave is divided.

    A block of length start/parts is a factor 1 + 1/parts long; the rule is good to 1e-13 while eigenvalues fall by at most
    2^5 and signals by at most 2^12 within a block, so steep spectra need blocks shorter than an octave (past 200 all of
    them underflow after the first modes).
    """
    return max(
        math.ceil(1 / (2 ** (most / min(max(steep, most), 200)) - 1))
        for most, steep in ((5, alpha), (12, signal_exponent))
    )


def places(last: float, parts: int, first: float = 1.0) -> tuple[Array, Array]:
    """Return mode numbers, and how many modes each one stands for, from the first to the last one."""
    found = [np.arange(first, min(last, _EXACT) + 1)]
    weights = [np.ones_like(found[0])]
    starts, lengths = [], []
    start = max(first, _EXACT + 1.0)
    while start <= last:
        block = float(math.ceil(start / parts))
        length = min(block, last - start + 1)
        if length <= _NODES:
            found.append(start + np.arange(length))
            weights.append(np.ones(int(length)))
        else:
            starts.append(start)
            lengths.append(length)
        start += block
    if starts:
        nodes, shares = _uniform_gauss(np.array(lengths))
        found.append((np.array(starts)[:, None] + nodes).ravel())
        weights.append(shares.ravel())
    return np.concatenate(found), np.concatenate(weights)


def power_tail(exponent: float, last: float, size: float) -> float:
    """Integrate k^-exponent from `last` to `size`; the exponent exceeds 1 where the size is infinite."""
    if exponent == 1:
        return math.log(size / last)
    with np.errstate(under="ignore"):
        return float(
            (np.float64(last) ** (1 - exponent) - np.float64(size) ** (1 - exponent))
            / (exponent - 1)
        )


def _uniform_gauss(lengths: Array) -> tuple[Array, Array]:
    r"""Gauss rules of the uniform measure on {0, ..., L - 1}, one row per length (Golub-Welsch, discrete Chebyshev).

    Scaled by L, the recurrence coefficients are :math:`(L-1)/(2L)` and :math:`n^2 (1 - n^2/L^2) / (4(4n^2 - 1))`.
    """
    n = np.arange(1.0, _NODES)
    off = np.sqrt(n**2 * (1 - (n / lengths[:, None]) ** 2) / (4 * (4 * n**2 - 1)))
    matrix = np.zeros((lengths.size, _NODES, _NODES))
    index = np.arange(_NODES)
    matrix[:, index, index] = ((lengths - 1) / (2 * lengths))[:, None]
    matrix[:, index[1:], index[:-1]] = off
    values, vectors = np.linalg.eigh(matrix, UPLO="L")
    return lengths[:, None] * values, lengths[:, None] * vectors[:, 0, :] ** 2
