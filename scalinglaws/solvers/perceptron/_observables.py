r"""What is measured at the saddle point: errors and losses, as integrals over the law of a cavity field or a test margin.

The law is skew-normal, :math:`p_\tau(\omega) = 2\varphi(\omega)\Phi(\tau\omega)`; in units of the width,
:math:`p_\tau\,d\omega = \sqrt{2/\pi}\,s\,e^{-s^2u^2/2}\,\Phi(Ru)\,du`.
"""

from __future__ import annotations

import math

import numpy as np

from ...arguments import Array
from .._jit import njit

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_ROOT = math.sqrt(2.0 / math.pi)
_HALF = math.sqrt(0.5)
_REACH = 9.0


@njit
def law(u: float, s: float, r: float) -> float:
    """Return the density of a field in units of the width."""
    return _ROOT * s * math.exp(-0.5 * (s * u) ** 2) * 0.5 * math.erfc(-r * u * _HALF)


@njit
def below(cutoff: float, s: float, r: float) -> float:
    """Return the probability of a field below minus a cutoff >= 0, with all its digits in the tail."""
    v = cutoff / s
    if not v < 40.0:  # below the smallest float
        return 0.0
    total, start = 0.0, v
    while (v - start) * (v + start) < 84.0:
        # the law falls as exp(-v^2/2)
        step = min(1.0, 2.0 / v) if v > 0.0 else 1.0
        for j in range(16):
            total += 0.5 * step * _WEIGHTS[j] * law(-(v + 0.5 * step * (1.0 + _NODES[j])), s, r)
        v += step
    return total


@njit
def logistic_test_loss(norm: float, s: float, r: float) -> float:
    """Return the mean of log(1 + exp(-2 norm omega))."""
    b = norm * s
    total = 0.0
    for side in (-1.0, 1.0):
        reach = _REACH if side < 0.0 else _REACH / s
        u, step = 0.0, min(1.0, 0.5 / b)
        # to the right, the loss falls as exp(-2 b u)
        while u < reach and (side < 0.0 or 2.0 * b * u < 45.0):
            step = min(step, reach - u)
            for j in range(16):
                x = side * (u + 0.5 * step * (1.0 + _NODES[j]))
                loss = math.log1p(math.exp(-2.0 * b * abs(x))) + (-2.0 * b * x if x < 0.0 else 0.0)
                total += 0.5 * step * _WEIGHTS[j] * law(x, s, r) * loss
            u += step
            # the loss bends over 1/b, the weight over 1 (or, to the right, 1/s beyond)
            widest = 1.0 if u < 9.0 else 1.0 / s
            step = min(widest, max(u, step))
    return total


@njit
def observe(norm: Array, overlap: Array, width: Array, cutoff: Array, table: Array) -> None:
    """Fill in training errors and test losses, a row for each point."""
    for i in range(norm.size):
        table[i, 0] = below(cutoff[i], width[i], overlap[i])
        table[i, 1] = logistic_test_loss(norm[i], width[i], overlap[i])
