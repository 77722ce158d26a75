"""The edges of the spectrum that training sees: how fast the slowest part of a loss decays, and which rates are stable."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .._roots import brentq
from ..spectra import Modes
from .kappa import renormalized_ridge, size_ratio
from .response import inverse

_CLOSEST = -80.0  # log(u / lambda_1 - 1) below which u is lambda_1


def lower_edge(modes: Modes, features: float, samples: float) -> tuple[float, float]:
    r"""Return kappa at the lower edge of the positive eigenvalues, and that edge.

    Below the largest root of :math:`\kappa R_1 R_3 = 0` the function :math:`-\kappa R_1 R_3` rises to a maximum, the edge.

    Parameters
    ----------
    modes : Modes
        The spectrum.
    features, samples : float
        N and P, possibly infinite.

    Returns
    -------
    kappa, edge : float
        The edge is 0 where the smaller of N and P is the number of modes: eigenvalues reach down to 0.
    """
    count = modes.multiplicities
    n, ratio, gap = size_ratio(features, samples)
    if math.isinf(n):
        smallest = float(np.min(modes.eigenvalues))
        return -smallest, smallest
    if abs(modes.size - n) <= 1e-9 * n or gap == 0:
        return 0.0, 0.0
    larger = max(features, samples)
    # a power of 2, so that nothing is rounded: squares of the smallest eigenvalues that there are have no inverse
    unit = 2.0 ** (math.frexp(float(np.max(modes.eigenvalues)))[1] - 1)
    lam = modes.eigenvalues / unit
    smallest = float(np.min(lam))

    def filled(kappa: float) -> tuple[float, float]:
        shares = lam / (lam + kappa)
        return float(count @ shares), -float(count @ (shares / (lam + kappa)))

    def slope(kappa: float) -> float:
        """Return the derivative of -kappa R_1 R_3, but for positive factors, times the distance to its zeros."""
        df1, rise = filled(kappa)
        if math.isinf(modes.size):
            one, other = n - df1, 1 - df1 / larger
        else:  # by modes not filled: where N or P is their number, N - df_1 would be rounding alone
            empty = float(count @ (kappa / (lam + kappa)))
            one = n - modes.size + empty
            other = 1.0 if math.isinf(larger) else (larger - modes.size + empty) / larger
        return one * other - kappa * rise * (other + one / larger)

    if modes.size < n:
        # kappa between minus the smallest eigenvalue, or where df1 = n, and 0
        low, high = -smallest * (1 - 1e-15), 0.0
        if filled(low)[0] > n:
            low = float(brentq(lambda kappa: filled(kappa)[0] - n, low, high, xtol=1e-300))
        elif slope(low) >= 0:
            return -unit * smallest, unit * smallest
    else:
        trace = float(count @ lam)
        high = renormalized_ridge(lam, count, modes.size, trace, n, ratio, gap, 0.0)[0]
        low = max(1e-200 * high, 1e-300)
        if modes.size > larger:
            low = renormalized_ridge(lam, count, modes.size, trace, larger, 0.0, 1.0, 0.0)[0]
    kappa = float(brentq(slope, low, high, xtol=1e-300, rtol=1e-14, maxiter=2000))
    df1, _ = filled(kappa)
    return unit * kappa, -unit * kappa * (1 - df1 / n) * (1 - df1 / larger)


class Resolvent:
    r"""Roots of equations in :math:`d(u) = \sum_k \lambda_k/(u - \lambda_k)` above the spectrum.

    The unknown is y with :math:`u = \lambda_1 (1 + e^y)`; eigenvalues are taken relative to the largest one.
    """

    def __init__(self, modes: Modes) -> None:
        self.first = float(np.max(modes.eigenvalues))
        self._relative = modes.eigenvalues / self.first
        self._below = 1.0 - self._relative
        self._weights = modes.multiplicities * self._relative
        self._trace = float(np.sum(self._weights))

    def sums(self, y: float) -> tuple[float, float]:
        """Return d and minus its logarithmic derivative with respect to u."""
        distance = 1 / (self._below + math.exp(y))
        shares = self._weights * distance
        d = float(np.sum(shares))
        return d, (1 + math.exp(y)) * float(shares @ distance) / d

    def edge(self, features: float, samples: float) -> float:
        """Return y at the minimum of u (1 + d/N) (1 + d/P)."""
        if math.isinf(features) and math.isinf(samples):
            return -math.inf

        def slope(y: float) -> float:
            d, decay = self.sums(y)
            return -math.log(decay * (d / (features + d) + d / (samples + d)))

        return _root(slope, _CLOSEST, math.log(4 * self._trace + 4))

    def image(self, y: float, features: float, samples: float = math.inf) -> float:
        """Return u (1 + d/N) (1 + d/P)."""
        if y == -math.inf:
            return self.first
        d, _ = self.sums(y)
        return (
            self.first
            * (1 + math.exp(y))
            * (1 + d * inverse(features))
            * (1 + d * inverse(samples))
        )

    def top(self, features: float, samples: float) -> float:
        """Return the upper edge of the spectrum."""
        return self.image(self.edge(features, samples), features, samples)

    def stability(
        self, features: float, batch: float, learning_rate: float
    ) -> tuple[float, float, float]:
        """Return the kernel's norm, the upper edge, and the supremum of stable learning rates."""
        edge = self.edge(features, math.inf)
        top = self.image(edge, features)
        growth = 1 + inverse(batch)
        limit = edge
        if math.isfinite(batch):

            def surplus(y: float) -> float:
                return math.log((batch + 1) / self.sums(y)[0])

            limit = max(edge, _root(surplus, _CLOSEST, math.log(self._trace + 1)))
        largest = 2 / (growth * self.image(limit, features))
        reach = 2 / (learning_rate * growth)
        if reach <= top:
            return math.inf, top, largest
        if math.isinf(batch):
            return 0.0, top, largest

        return self.beyond(reach, features, edge) / (batch + 1), top, largest

    def beyond(self, place: float, features: float, edge: float) -> float:
        r"""Return :math:`\sum_i x_i/(v - x_i)` over the projected spectrum, at v above its upper edge."""

        def lack(y: float) -> float:
            return math.log(self.image(y, features) / place)

        y = math.log(place / self.first - 1)
        if math.isfinite(features):
            y = _root(lack, edge, y + 1e-6)  # at y itself d/N may be lost to rounding
        return self.sums(y)[0]


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the root of an increasing function, or the end beyond which it lies."""
    if function(low) >= 0:
        return low
    if function(high) <= 0:  # by rounding, where the root is at the end itself
        return high
    return float(brentq(function, low, high, xtol=1e-13, rtol=1e-14, maxiter=1000))
