"""The best exponent of Hölder bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq

Evidence = Callable[[float], tuple[float, float]]
"""From ln p to minus the logarithm of the mean of the p-th power of the likelihood, and its derivative in ln p."""

MOST = 650.0  # ln p: what is left of the bound beyond it is nothing


def best_exponent(cost: float, evidence: Evidence, most: float = MOST) -> tuple[float, float]:
    r"""Minimize :math:`(C - E_p)/p` over p >= 1; return p, possibly infinite, and the least value.

    E_p is concave in p, so :math:`x (C - E_{1/x})` is convex in x = 1/p: one minimum, where :math:`C - E_p + p E_p'` changes sign.
    """

    def slope(log_p: float) -> float:
        value, growth = evidence(log_p)
        return cost - value + growth

    if slope(0.0) <= 0:
        return 1.0, cost - evidence(0.0)[0]
    high = 1.0
    while slope(min(high, most)) > 0:
        if high >= most:
            return math.inf, 0.0
        high *= 2
    at = float(brentq(slope, high / 2 if high > 1 else 0.0, min(high, most), xtol=1e-11))
    return math.exp(at), math.exp(-at) * (cost - evidence(at)[0])
