r"""Even polynomials, the potentials of a local likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import Array, one_row
from ...errors import refusal

MOST_COUPLINGS = 12
LARGEST = 1e12
"""Of couplings, variances and residuals, and its inverse the smallest leading coupling."""


def positive_couplings(name: str, value: Sequence[float] | ArrayLike) -> Array:
    """Return couplings without zeros at the end; the last one must be positive."""
    row = one_row(name, value)
    nonzero = np.flatnonzero(row)
    if nonzero.size == 0:
        raise refusal(name, value, "must not all be 0: there is no likelihood")
    bare = row[: nonzero[-1] + 1]
    if bare.size > MOST_COUPLINGS:
        raise refusal(name, value, f"must be at most {MOST_COUPLINGS}")
    if not bare[-1] > 0:
        complaint = (
            "must be positive, the last that is not 0: the weight exp(-V) cannot be integrated"
        )
        raise refusal(name, float(bare[-1]), complaint, at=bare.size - 1)
    if not (bare[-1] >= 1 / LARGEST and np.max(np.abs(bare)) <= LARGEST):
        complaint = f"must be at most {LARGEST:g} in size, the last one at least {1 / LARGEST:g}"
        raise refusal(name, value, complaint)
    return np.array(bare)


class Polynomial:
    r"""The function :math:`\sum_j c_j t^{2j}`, of arrays of any shape."""

    def __init__(self, coefficients: Array) -> None:
        self.coefficients = coefficients

    def __call__(self, t: Array) -> Array:
        """Return values."""
        square, total = t * t, np.zeros_like(t)
        for coefficient in self.coefficients[::-1]:
            total = (total + coefficient) * square
        return total

    def derivative(self, t: Array, order: int) -> Array:
        """Return a derivative over the factorial of its order."""
        total = np.zeros_like(t)
        for power in range(2 * self.coefficients.size, order - 1, -1):
            share = self.coefficients[power // 2 - 1] if power % 2 == 0 and power else 0.0
            total = total * t + share * math.comb(power, order)
        return total

    def landmarks(self) -> Array:
        """Return distances from 0 at which a term becomes 1, and those of extrema."""
        j = np.arange(1.0, self.coefficients.size + 1)
        terms = self.coefficients != 0
        sizes = np.abs(self.coefficients[terms]) ** (-1 / (2 * j[terms]))
        if not np.any(terms):
            return np.ones(1)
        unit = float(np.min(sizes))  # in which no coefficient is above 1
        roots = np.roots((j * self.coefficients * unit ** (2 * j))[::-1])
        extrema = unit * np.sqrt(np.abs(roots[(roots.real > 0)]))
        return np.unique(np.concatenate([sizes, extrema[extrema > 0]]))
