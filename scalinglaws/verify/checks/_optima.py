"""The best size at a budget, read off simulated losses, as the checks of several theories do it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REACH = 3  # sizes to either side of the least loss that a cubic is fitted to


def optima(sizes: Array, losses: Array) -> tuple[Array, Array]:
    """Return least losses and best sizes from losses of shape (replicates, sizes, budgets): one pseudo-value per replicate.

    The optimum is read off the mean over replicates, which is smooth; leaving out one after the other (a jackknife, in
    logarithms) says what each contributes.
    """
    count = losses.shape[0]
    whole = optimum(sizes, losses.mean(axis=0))
    without = np.array(
        [optimum(sizes, np.delete(losses, r, axis=0).mean(axis=0)) for r in range(count)]
    )
    pseudo = np.exp(count * whole - (count - 1) * without)
    return pseudo[:, 0], pseudo[:, 1]


def optimum(sizes: Array, losses: Array) -> Array:
    """Return the logarithms of the least loss and of the size that has it, shape (2, budgets), by cubics in logarithms."""
    found = np.empty((2, losses.shape[1]))
    for column, values in enumerate(np.log(losses).T):
        middle = int(np.clip(np.argmin(values), REACH, sizes.size - 1 - REACH))
        part = slice(middle - REACH, middle + REACH + 1)
        x = np.log(sizes[part] / sizes[middle])
        cubic = np.polynomial.Polynomial.fit(x, values[part], 3).convert()
        near = np.linspace(x[0], x[-1], 2001)
        best = near[np.argmin(cubic(near))]
        found[:, column] = cubic(best), np.log(sizes[middle]) + best
    return found
