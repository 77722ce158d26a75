r"""What repeated tokens are worth, and what more parameters are worth than few tokens can fill.

Of D tokens of which U are unique, and of N parameters,

.. math:: D' = U + U R_D (1 - e^{-(D/U - 1)/R_D}), \quad N' = U_N + U_N R_N (1 - e^{-(N/U_N - 1)/R_N})

count, where D > U and N > U_N; :math:`U_N = G (U G)^{b/a}` is the best size for U tokens. Both have no kink, and powers of them are
convex functions of ln D and ln N as powers of D and N are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

R_D = 15.387756
"""Published constant of tokens (Muennighoff et al. 2023): repeated ones are worth up to so many times the unique ones."""
R_N = 5.309743
"""Published constant of parameters."""

MOST_EPOCHS = 16.0
"""Epochs beyond which the constants were not checked: the law saturates."""

FURTHEST_EPOCHS = 1500.0
"""Epochs of the longest of the published runs (Muennighoff et al. 2023): beyond, nothing was ever measured."""

LEAST_EPOCHS = 8.0
"""Epochs of the runs below which a fitted R_D says nothing of many repetitions: its logarithm is known to a half at four epochs."""


def largest_epochs(fit: Any) -> float:
    """Return how often runs of a fit of ``repetition`` saw their unique tokens at most, of those that count."""
    return float(np.max((fit.columns["D"] / fit.columns["U"])[fit.row_weights > 0]))


def half_value(rate: float) -> float:
    """Return the epochs after which one more token is worth half as much as a new one.

    Examples
    --------
    >>> round(half_value(R_D), 2)
    11.67
    """
    return 1 + rate * math.log(2)


def effective(log: Any, log_unique: Any, rate: float) -> Array:
    """Return the logarithm of what counts of a quantity, whose logarithm is given.

    Examples
    --------
    >>> f"{np.exp(effective(np.log(4e11), np.log(1e11), R_D)):.9e}"
    '3.725673123e+11'
    """
    over = np.maximum(np.asarray(log, float) - log_unique, 0.0)
    with np.errstate(over="ignore"):
        gain = np.log1p(-rate * np.expm1(-np.expm1(over) / rate))
    return np.asarray(np.minimum(log, log_unique) + gain)


def log_slope(log: Any, log_unique: Any, rate: float) -> Array:
    """Return the logarithm of d ln(effective)/d ln(quantity), at most 0."""
    over = np.maximum(np.asarray(log, float) - log_unique, 0.0)
    with np.errstate(over="ignore"):
        left = np.expm1(over) / rate
        return np.asarray(over - left - np.log1p(-rate * np.expm1(-left)))


def quantity(log_effective: Any, log_unique: Any, rate: float) -> Array:
    """Return the logarithm of what must be there so that so much counts; inf where nothing is enough."""
    over = np.maximum(np.asarray(log_effective, float) - log_unique, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        left = -np.expm1(over) / rate
        epochs = np.where(left > -1, -rate * np.log1p(np.maximum(left, -1.0)), np.inf)
        return np.asarray(np.minimum(log_effective, log_unique) + np.log1p(epochs))


def log_unique_params(log_unique: Any, surface: Any) -> Array:
    """Return the logarithm of the best size for unique tokens, by a surface's amplitudes and exponents."""
    share = np.log(surface.a) + surface.log_A - np.log(surface.b) - surface.log_B
    return np.asarray((share + surface.b * log_unique) / surface.a)
