"""The best exponent of Hölder bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

from .._roots import brentq

Evidence = Callable[[float], tuple[float, float]]
r"""From ln p to :math:`E_p/p` and :math:`E_p - p E_p'`, with minus the logarithm :math:`E_p` of the mean of the likelihood's
p-th power."""

MOST = 650.0  # ln p: what is left of the bound beyond it is nothing


def best_exponent(cost: float, evidence: Evidence, most: float = MOST) -> tuple[float, float]:
    r"""Minimize :math:`(C - E_p)/p` over p >= 1; return p, possibly infinite, and the least value.

    E_p is concave in p, so :math:`x (C - E_{1/x})` is convex in x = 1/p: one minimum, where :math:`C - E_p + p E_p'` changes sign.
    """

    def slope(log_p: float) -> float:
        return cost - evidence(log_p)[1]

    def value(log_p: float) -> float:
        return math.exp(-log_p) * cost - evidence(log_p)[0]

    if slope(0.0) <= 0:
        return 1.0, value(0.0)
    low, high = 0.0, min(1.0, most)
    while slope(high) > 0:
        if high >= most:
            # at infinity it is 0, or less where nothing the prior allows fits the data
            end = value(high)
            return (math.inf, min(end, 0.0)) if most == MOST or end > 0 else (math.exp(most), end)
        low, high = high, min(2 * high, most)
    at = float(brentq(slope, low, high, xtol=1e-11))
    return math.exp(at), value(at)
