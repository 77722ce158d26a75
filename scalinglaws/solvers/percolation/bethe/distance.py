r"""Distances to the nearest training site on a critical tree, and the number of samples at which a cluster begins to be learned."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ....arguments import (
    Array,
    Value,
    broadcast,
    choice,
    numbers,
    refuse_first,
    shaped,
    whole_numbers,
)
from ....errors import refusal
from ..._jit import njit
from ...catalogue import shows

_LAWS = ("tree", "continuum")

_SPARSEST = 1e-14  # density below which the recursion would take minutes
_FARTHEST = 1e9


@njit
def _tail(distance: Array, density: Array, coordination: Array, out: Array) -> None:
    """Fill in Pr(d > r) by the recursion in 1 - q, of which small values keep their digits."""
    for i in range(distance.size):
        branches = coordination[i] - 1.0
        critical = 1.0 / branches
        free = math.log1p(-density[i]) if density[i] < 1.0 else -math.inf
        met = -math.expm1(free)  # 1 - q_0
        before, path = 0.0, free  # 1 - q_(r-1) of r = 0; log Pr(d > 0)
        gone = 0.0
        log_q = free
        for _ in range(int(distance[i])):
            # q_r from q_(r-1), and one more site of the path upward, whose other branches reach r - 2
            gone += free + (branches - 1.0) * math.log1p(-critical * before)
            log_q = free + branches * math.log1p(-critical * met)
            before, met = met, -math.expm1(log_q)
            path = log_q + gone
            if path < -745.0:
                break
        out[i] = math.exp(path)


@njit
def _moments(density: Array, coordination: Array, moment: Array, out: Array) -> None:
    """Fill in the sums of Pr(d > r), or of (2 r + 1) Pr(d > r)."""
    for i in range(density.size):
        branches = coordination[i] - 1.0
        critical = 1.0 / branches
        free = math.log1p(-density[i]) if density[i] < 1.0 else -math.inf
        met = -math.expm1(free)
        before, gone, r = 0.0, 0.0, 0.0
        tail = math.exp(free)
        total, lost = 0.0, 0.0
        while tail > 0.0:
            weight = tail if moment[i] == 1.0 else (2.0 * r + 1.0) * tail
            term = weight - lost
            step = total + term
            lost = (step - total) - term
            total = step
            # the tail falls at least geometrically from here, by a factor that the decay so far bounds
            if weight * (r + 1.0) < 1e-18 * total:
                break
            gone += free + (branches - 1.0) * math.log1p(-critical * before)
            log_q = free + branches * math.log1p(-critical * met)
            before, met = met, -math.expm1(log_q)
            tail = math.exp(log_q + gone)
            r += 1.0
        out[i] = total


@shows("probability", counted=("distance", "coordination"))
def nearest_distance(
    distance: ArrayLike, *, density: ArrayLike, coordination: ArrayLike, law: str = "tree"
) -> Value:
    r"""Compute the probability that the nearest training site is farther than a distance, on an infinite critical tree.

    .. math:: \Pr(d > r) = q_r \prod_{j=1}^{r} (1-\lambda)(1-p+p\,q_{r-j-1})^{z-2}, \qquad
              q_r = (1-\lambda)(1-p+p\,q_{r-1})^{z-1}, \quad q_{-1} = 1, \quad p = \frac1{z-1}

    seen from a uniform site, where each site is a training site with probability :math:`\lambda`. For rare training sites
    it tends to :math:`\mathrm{sech}^2(r\sqrt{\lambda v/2})` with :math:`v = (z-2)/(z-1)`.

    Parameters
    ----------
    distance : array_like
        r >= 0 in steps along the tree, at most 1e9; whole numbers for the law "tree". All arguments broadcast.
    density : array_like
        :math:`\lambda`, from 0 to 1: training sites over sites.
    coordination : array_like
        z, whole numbers from 3 to 2^20.
    law : {"tree", "continuum"}
        The exact law, or its limit for rare training sites.

    Returns
    -------
    float or ndarray
        Probabilities.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Cost grows with r for the law "tree", about 60 ns a step, and so does rounding: relative errors are below
    :math:`2\cdot10^{-16}\,r + 10^{-14} + 10^{-15}\,|\log\Pr|`.

    References
    ----------
    Derived from the tree seen from a uniform site: a path upward whose sites have z - 2 other branches. The setting is that of
    A. Brill, arXiv:2412.07942 (2024), section 4.

    Examples
    --------
    >>> round(nearest_distance(10, density=0.01, coordination=12), 6)
    0.561975
    """
    checked = {
        "distance": numbers("distance", distance, low=0.0, high=_FARTHEST),
        **_tree(density, coordination),
    }
    choice("law", law, _LAWS)
    if law == "tree":
        whole_numbers("distance", distance, low=0, high=_FARTHEST)
    shape, (r, rate, z) = broadcast(checked)
    if law == "continuum":
        decay = np.exp(-2.0 * r * np.sqrt(0.5 * rate * (z - 2) / (z - 1)))
        return shaped(4.0 * decay / (1.0 + decay) ** 2, shape)
    found = np.empty(r.size)
    _tail(r, rate, z, found)
    return shaped(found, shape)


@shows("expected", counted=("coordination",))
def mean_nearest_distance(
    density: ArrayLike, *, coordination: ArrayLike, moment: ArrayLike = 1, law: str = "tree"
) -> Value:
    r"""Compute the mean distance to the nearest training site, or its mean square, on an infinite critical tree.

    .. math:: E\,d = \sum_{r\ge0} \Pr(d>r), \qquad E\,d^2 = \sum_{r\ge0} (2r+1)\Pr(d>r)

    For rare training sites :math:`E\,d = \sqrt{2/(\lambda v)}` and :math:`E\,d^2 = 4\log 2/(\lambda v)`, v = (z-2)/(z-1).

    Parameters
    ----------
    density : array_like
        :math:`\lambda`, from 1e-14 to 1, or 0; for the law "continuum" any from 0 to 1. All arguments broadcast.
    coordination : array_like
        z, whole numbers from 3 to 2^20.
    moment : array_like
        1 for the mean, 2 for the mean square.
    law : {"tree", "continuum"}
        The exact law of `nearest_distance`, or its limit for rare training sites.

    Returns
    -------
    float or ndarray
        The moment; infinite at density 0.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    The law "tree" takes about :math:`30/\sqrt\lambda` steps of 60 ns; relative errors are below
    :math:`10^{-15} + 2\cdot10^{-16}/\sqrt\lambda`.

    References
    ----------
    As for `nearest_distance`.

    Examples
    --------
    >>> round(mean_nearest_distance(0.01, coordination=12), 9)
    13.442805096
    >>> round(mean_nearest_distance(0.01, coordination=12, law="continuum"), 9)
    14.832396974
    """
    checked = {
        **_tree(density, coordination),
        "moment": whole_numbers("moment", moment, low=1, high=2.0),
    }
    choice("law", law, _LAWS)
    shape, (rate, z, order) = broadcast(checked)
    found = np.full(rate.size, math.inf)
    some = rate > 0.0
    if law == "continuum":
        mean_square = 2.0 / (rate[some] * ((z - 2) / (z - 1))[some])
        found[some] = np.where(
            order[some] == 1.0, np.sqrt(mean_square), 2.0 * math.log(2.0) * mean_square
        )
        return shaped(found, shape)
    allowed = f"must be 0, or at least {_SPARSEST:g} for the law 'tree'; use 'continuum'"
    refuse_first("density", rate, some & (rate < _SPARSEST), allowed, shape)
    values = np.empty(int(some.sum()))
    _moments(rate[some], z[some], order[some], values)
    found[some] = values
    return shaped(found, shape)


def cluster_scale(size: ArrayLike, *, variance: ArrayLike, coordination: ArrayLike) -> Value:
    r"""Compute the number of training sites at which a critical cluster begins to be learned.

    .. math:: n_0 = \frac{2s}{vV^2}, \qquad v = \frac{z-2}{z-1}

    the scale of `cluster_learning_curve`, for a target that changes by a unit normal step along each edge.

    Parameters
    ----------
    size : array_like
        s >= 1, sites of the cluster. All arguments broadcast.
    variance : array_like
        V > 0, variance of the target over the cluster, before it is standardized.
    coordination : array_like
        z, whole numbers from 3 to 2^20.

    Returns
    -------
    float or ndarray
        :math:`n_0`.

    Raises
    ------
    DomainError
        If an argument is out of range.

    References
    ----------
    As for `nearest_distance`: two standardized values at distance d have correlation 1 - d/(2V).

    Examples
    --------
    >>> round(cluster_scale(1e4, variance=100.0, coordination=12), 12)
    2.2
    """
    checked = {
        "size": numbers("size", size, low=1.0),
        "variance": numbers("variance", variance, low=0.0, strict=True),
        "coordination": whole_numbers("coordination", coordination, low=3, high=2.0**20),
    }
    shape, (s, v, z) = broadcast(checked)
    with np.errstate(over="ignore"):
        scale = 2.0 * s * (z - 1) / ((z - 2) * v) / v
    if not np.all(np.isfinite(scale)):
        raise refusal(
            "size", size, "over the square of variance is more than floating-point numbers hold"
        )
    return shaped(scale, shape)


def _tree(density: ArrayLike, coordination: ArrayLike) -> dict[str, Array]:
    """Return the checked density and coordination."""
    return {
        "density": numbers("density", density, low=0.0, high=1.0),
        "coordination": whole_numbers("coordination", coordination, low=3, high=2.0**20),
    }


@shows("loss")
def infinite_component_loss(
    n: ArrayLike,
    *,
    crossover: ArrayLike,
    exponent_euclidean: ArrayLike,
    exponent_fractal: ArrayLike,
) -> Value:
    r"""Compute the loss of the infinite component above the percolation threshold, which is Euclidean at large and fractal at small scales.

    .. math:: f_\infty(n) = \begin{cases} 1 & n < 1 \\ n^{-c/d} & 1 \le n < n_\xi \\ n_\xi^{-c/d} (n/n_\xi)^{-c/D} & n \ge n_\xi \end{cases}

    Parameters
    ----------
    n : array_like
        Degrees of freedom, >= 0, or inf. All arguments broadcast.
    crossover : array_like
        :math:`n_\xi = (L_{sys}/\xi)^d \ge 1`, correlation volumes in the system; may be inf.
    exponent_euclidean : array_like
        c/d >= 0.
    exponent_fractal : array_like
        c/D >= 0.

    Returns
    -------
    float or ndarray
        Loss, 1 up to n = 1.

    Raises
    ------
    DomainError
        If an argument is out of range.

    References
    ----------
    The two limits are those of A. Brill, arXiv:2412.07942 (2024), section 4; more degrees of freedom resolve finer scales, hence the order.

    Examples
    --------
    >>> infinite_component_loss([1, 16, 256], crossover=16, exponent_euclidean=0.5, exponent_fractal=1)
    array([1.      , 0.25    , 0.015625])
    """
    checked = {
        "n": numbers("n", n, low=0.0, infinite=True),
        "crossover": numbers("crossover", crossover, low=1.0, infinite=True),
        "exponent_euclidean": numbers("exponent_euclidean", exponent_euclidean, low=0.0),
        "exponent_fractal": numbers("exponent_fractal", exponent_fractal, low=0.0),
    }
    shape, (units, n_xi, euclidean, fractal) = broadcast(checked)
    units = np.maximum(units, 1.0)
    coarse = np.minimum(units, n_xi)
    finer = np.where(units > n_xi, units, 1.0) / np.where(units > n_xi, n_xi, 1.0)
    return shaped(coarse**-euclidean * finer**-fractal, shape)
