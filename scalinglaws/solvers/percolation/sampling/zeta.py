"""The zeta function next to its pole, and sums of powers from a number on, accurate where differences would cancel."""

from __future__ import annotations

import math

import mpmath
import numpy as np

DIRECT = 60
"""From here on powers are summed by the Euler-Maclaurin formula."""

_BERNOULLI = np.array([float(mpmath.bernoulli(k)) for k in range(17)])  # SciPy's lose digits


def hurwitz(x: float) -> float:
    """Return sum over d >= 60 of d^-x, for x > 0 other than 1, continued analytically below 1."""
    return float(DIRECT ** (1.0 - x)) / (x - 1.0) + _corrections(x)


def hurwitz_regular(above: float) -> float:
    """Return the same sum less 1/(x - 1), with x = 1 + above; regular at x = 1."""
    log = math.log(DIRECT)
    # (60^-above - 1)/above by expm1, which tends to -log 60
    pole = -log if above == 0.0 else math.expm1(-above * log) / above
    return pole + _corrections(1.0 + above)


def _corrections(x: float) -> float:
    """Return the Euler-Maclaurin terms of a sum of d^-x from d = 60, the integral left out."""
    total = 0.5 * DIRECT**-x
    factor = x * DIRECT ** (-x - 1.0)
    for k in range(1, 8):
        total += _BERNOULLI[2 * k] / math.factorial(2 * k) * factor
        factor *= (x + 2 * k - 1) * (x + 2 * k) / DIRECT**2
    return float(total)


def zeta_regular(above: float) -> float:
    """Return zeta(1 + above) - 1/above, Euler's constant at above = 0."""
    from scipy import special

    if abs(above) >= 1.0:
        return float(special.zeta(1.0 + above)) - 1.0 / above
    d = np.arange(1, DIRECT)
    return float(np.sum(d ** -(1.0 + above))) + hurwitz_regular(above)


def log_zeta(alpha: float) -> float:
    """Return log zeta(1 + alpha), also for alpha below the spacing of floats at 1."""
    from scipy import special

    if alpha < 0.5:
        return math.log1p(alpha * zeta_regular(alpha)) - math.log(alpha)
    return math.log(special.zeta(1.0 + alpha))
