r"""The scale of a chain of m hidden factors, :math:`s = \sigma^m`, from what it has learned.

Gradient flow keeps the factors balanced: with the squared weights :math:`B` of what is learned,
:math:`\sigma^m (\sigma - 1) = \gamma B`.
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array


def balanced_scale(learned: float, depth: float) -> float:
    r"""Return the scale :math:`s = \sigma^m` at which :math:`\sigma^m (\sigma - 1)` is richness times the squared weights learned."""
    if depth == 1.0:
        return 0.5 + math.sqrt(0.25 + learned)
    return math.exp(depth * float(log_growth(np.array([learned]), depth)[0]))


def log_growth(learned: Array, depth: float) -> Array:
    r"""Return :math:`\log\sigma` with :math:`\sigma^m (\sigma - 1)` as given, by Newton's method from above.

    With :math:`y = \sigma - 1` the function :math:`\log y + m \log(1 + y)` of :math:`\log y` is increasing and convex.
    """
    target = np.log(np.clip(learned, 1e-300, 1e300))
    x = np.minimum(target, target / (depth + 1))
    for _ in range(60):
        y = np.exp(x)
        move = (x + depth * np.log1p(y) - target) / (1 + depth * y / (1 + y))
        x = x - move
        if np.all(np.abs(move) <= 1e-15 * np.maximum(1.0, np.abs(x))):
            break
    return np.asarray(np.log1p(np.exp(x)))
