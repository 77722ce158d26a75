"""The lower edge of the spectrum that training sees: how fast the slowest part of a loss decays."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from ..spectra import Modes
from .kappa import renormalized_ridge, size_ratio


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
    lam, count = modes.eigenvalues, modes.multiplicities
    n, ratio, gap = size_ratio(features, samples)
    smallest = float(np.min(lam))
    if math.isinf(n):
        return -smallest, smallest
    if abs(modes.size - n) <= 1e-9 * n or gap == 0:
        return 0.0, 0.0
    larger = max(features, samples)

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
            return -smallest, smallest
    else:
        trace = float(count @ lam)
        high = renormalized_ridge(lam, count, modes.size, trace, n, ratio, gap, 0.0)[0]
        low = max(1e-200 * high, 1e-300)
        if modes.size > larger:
            low = renormalized_ridge(lam, count, modes.size, trace, larger, 0.0, 1.0, 0.0)[0]
    kappa = float(brentq(slope, low, high, xtol=1e-300, rtol=1e-14, maxiter=2000))
    df1, _ = filled(kappa)
    return kappa, -kappa * (1 - df1 / n) * (1 - df1 / larger)
