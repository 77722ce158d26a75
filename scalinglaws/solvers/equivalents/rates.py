"""What is left of each mode after a long time, to rounding error, and the loss that is the sum of it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...arguments import Array
from .losses import ROUNDING, Loss

SMALLEST = 1e-307
"""Size below which numbers lose digits."""

_CLOSE = 0.125  # below it, rounding of the product would show


def short_of(
    bound: int | Fraction, learning_rate: float, eigenvalues: Array, batch: float = np.inf
) -> Array:
    r"""Return an exact number minus :math:`\eta\lambda(1 + 1/B)`, each to rounding error.

    Where the two are close, the product is formed in exact arithmetic: learning rates near the bound of
    stability, or near the best of all for a mode, leave small differences that decide over many steps.
    """
    found = float(bound) - learning_rate * eigenvalues * (1 + 1 / batch)
    close = np.abs(found) < _CLOSE
    if np.any(close):
        rate = Fraction(learning_rate) * (1 + (0 if np.isinf(batch) else 1 / Fraction(batch)))
        values, places = np.unique(eigenvalues[close], return_inverse=True)
        exact = [float(bound - rate * Fraction(value)) for value in values.tolist()]
        found[close] = np.array(exact)[places]
    return np.asarray(found)


def remaining(signal: Array, exponents: Array) -> Loss:
    """Return the sum of signals times ``exp(-exponents)``, whose rounding errors grow with the exponents."""
    with np.errstate(over="ignore", under="ignore"):
        left = signal * np.exp(-exponents)
        grown = left * np.minimum(exponents, 1e3)
    return Loss(float(np.sum(left)), ROUNDING * float(np.sum(left) + np.sum(grown)) + SMALLEST)
