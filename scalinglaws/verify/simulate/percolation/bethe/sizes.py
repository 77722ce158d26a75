"""The exponent of cluster numbers, from the sizes of clusters that were grown around random sites."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from .....errors import refusal
from ..lattice.records import LatticeEstimate, counted

_STEEPEST = 500.0  # times the width of the window in log s: beyond, all clusters are of one size


def rooted_exponent(sizes: ArrayLike, *, smallest: int, largest: int) -> LatticeEstimate:
    r"""Measure the exponent of the numbers of clusters by size, :math:`n_s\sim s^{-\tau}`, from clusters of random sites.

    Such a cluster has s sites with a probability proportional to :math:`s^{1-\tau}`. With a window of sizes, the likelihood is largest
    where the mean of log s is the expected one:

    .. math:: \overline{\log(s/a)} = \frac1g - \frac{\Lambda}{e^{g\Lambda}-1}, \qquad g = \tau - 2, \quad \Lambda = \log(b/a).

    Parameters
    ----------
    sizes : array_like of int, shape (K,)
        Sizes of independent clusters, at least two, not all at one end of the window.
    smallest, largest : int
        Window from which they were taken: a = smallest - 1/2, b = largest + 1/2.

    Returns
    -------
    LatticeEstimate
        :math:`\tau` with the standard error of the likelihood; one window.

    Raises
    ------
    DomainError
        If there are fewer than two sizes, one lies outside the window, or they leave the exponent open.

    Notes
    -----
    The power law holds for sizes far above 1: those of a Bethe lattice with 12 neighbors deviate from it by a relative 1/s or less.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> found = rooted_exponent(bethe_dataset(300, largest=10**5).sizes, smallest=100, largest=10**5)
    >>> abs(found.value - 2.5) < 3 * found.standard_error < 0.2
    True
    """
    found = np.asarray(sizes, float)
    if found.ndim != 1 or found.size < 2:
        raise refusal("sizes", sizes, "must be one-dimensional, two or more", shown=False)
    if not 1 <= smallest < largest:
        raise refusal("smallest", smallest, f"must be at least 1 and less than largest = {largest}")
    if not ((found >= smallest) & (found <= largest)).all():
        raise refusal(
            "sizes",
            sizes,
            f"must lie between smallest = {smallest} and largest = {largest}",
            shown=False,
        )
    low, high = smallest - 0.5, largest + 0.5
    width = math.log(high / low)
    mean = float(np.mean(np.log(found / low))) / width  # as a share of the window

    def excess(x: float) -> float:
        return _mean(x) - mean

    if not excess(_STEEPEST) < 0 < excess(-_STEEPEST):
        raise refusal(
            "sizes", sizes, "lie at one end of the window and leave the exponent open", shown=False
        )
    root = float(brentq(excess, -_STEEPEST, _STEEPEST, xtol=1e-13))
    value, error = 2 + root / width, 1 / (width * math.sqrt(found.size * _variance(root)))
    one = np.array([value]), np.array([error])
    return LatticeEstimate(
        value,
        error,
        np.array([float(smallest)]),
        *one,
        counted("likelihood of sizes", found.size, error / abs(value)),
    )


def _mean(x: float) -> float:
    """Return the mean of y with a density proportional to exp(-x y) on [0, 1]."""
    if abs(x) < 1e-3:
        return 0.5 - x / 12 + x**3 / 720
    return 1 / x - 1 / math.expm1(x)


def _variance(x: float) -> float:
    """Return the variance of the same."""
    if abs(x) < 1e-2:
        return 1 / 12 - x**2 / 240
    return 1 / x**2 - 1 / (4 * math.sinh(x / 2) ** 2)
