r"""Clusters on the Bethe lattice, exactly: sizes, mean, cutoff, and the infinite cluster.

A root with z potential neighbors, each other site with z - 1 more, each occupied with probability p; critical at p = 1/(z - 1).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ....arguments import Array, Value, broadcast, numbers, shaped, whole_numbers
from ....errors import ConvergenceError
from ...catalogue import shows

_LARGEST_COORDINATION = 2.0**20
_LARGEST_SIZE = 2.0**40  # above, the rounding of the occupation itself moves the probabilities
_SERIES = 0.05
_NEWTON_STEPS = 60
_FAR = 0.5  # (z - 1) p - 1 above which the root x is not close to 1
# ln Gamma(x+1) - (x + 1/2) ln x + x - ln(2 pi)/2 in odd powers of 1/x
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_STIRLING_FROM = 16.0
_FAR_BELOW = 1e-3  # a mean so far below the count that their difference has no digits to lose
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@shows("probability", counted=("size", "coordination"))
def cluster_size_probability(
    size: ArrayLike, *, coordination: ArrayLike, occupation: ArrayLike
) -> Value:
    r"""Compute the probability that the cluster of an occupied root has a given size.

    .. math:: \Pr(S=s) = \frac{z}{s-1}\binom{(z-1)s}{s-2} p^{s-1} (1-p)^{(z-2)s+2} \quad (s \ge 2), \qquad \Pr(S=1) = (1-p)^z

    Parameters
    ----------
    size : array_like
        s, whole numbers from 1 to 2^40. All arguments broadcast.
    coordination : array_like
        z, whole numbers from 2 to 2^20.
    occupation : array_like
        p, from 0 to 1.

    Returns
    -------
    float or ndarray
        Probabilities; their sum is 1 up to the critical occupation, and 1 - `infinite_cluster` above.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    :math:`\Pr(S=s) = \frac{zp}{s-1}\Pr(\mathrm{Bin}((z-1)s, p) = s-2)`, in the form with deviances of the second reference,
    in which large terms do not cancel: relative error below 2e-12 for s up to 1e12, at the given floating-point value of p. At
    p = 1/(z - 1), rounded, the exact critical occupation is meant.

    References
    ----------
    .. [1] A. Brill, arXiv:2412.07942 (2024), section 2; M. E. Fisher, J. W. Essam, J. Math. Phys. 2, 609 (1961).
    .. [2] C. Loader, "Fast and accurate computation of binomial probabilities" (2000).

    Examples
    --------
    >>> round(cluster_size_probability(10, coordination=12, occupation=1 / 11), 14)
    0.01389384997951
    """
    shape, (s, z, p) = broadcast(
        {
            "size": whole_numbers("size", size, low=1, high=_LARGEST_SIZE),
            **_lattice(coordination, occupation),
        }
    )
    found = np.zeros(s.size)
    small = s < 3
    with np.errstate(divide="ignore", invalid="ignore"):
        log_empty = np.log1p(-p)
        # s = 1 and 2: no deviance to speak of
        first = np.where(p < 1.0, np.exp(np.where(s == 1, z, 2 * z - 2) * log_empty), 0.0)
    found[small] = (np.where(s == 1, 1.0, z * p) * first)[small]
    inner = ~small & (p > 0.0) & (p < 1.0)
    found[inner] = large_sizes(s[inner], z[inner], p[inner])
    return shaped(found, shape)


def mean_cluster_size(*, coordination: ArrayLike, occupation: ArrayLike) -> Value:
    r"""Compute the mean size of the cluster of an occupied root.

    .. math:: \langle S \rangle = 1 + \frac{zp}{1-(z-1)p}

    Parameters
    ----------
    coordination : array_like
        z, whole numbers from 2 to 2^20. All arguments broadcast.
    occupation : array_like
        p, from 0 to 1.

    Returns
    -------
    float or ndarray
        Mean size; infinite from the critical occupation 1/(z - 1) on.

    Raises
    ------
    DomainError
        If an argument is out of range.

    References
    ----------
    M. E. Fisher, J. W. Essam, J. Math. Phys. 2, 609 (1961).

    Examples
    --------
    >>> mean_cluster_size(coordination=3, occupation=[0.25, 0.5])
    array([2.5, inf])
    """
    shape, (z, p) = broadcast(_lattice(coordination, occupation))
    excess = _excess(z, p)
    return shaped(
        np.where(excess < 0.0, 1.0 - z * p / np.where(excess < 0.0, excess, -1.0), math.inf), shape
    )


def cluster_cutoff(*, coordination: ArrayLike, occupation: ArrayLike) -> Value:
    r"""Compute the rate at which the probability of large clusters decays, the inverse of their cutoff size.

    .. math:: \frac1{s_\xi} = c_p = -\log\left[p(1-p)^{z-2}\frac{(z-1)^{z-1}}{(z-2)^{z-2}}\right] \simeq \frac{(z-1)^3}{2(z-2)}(p-p_c)^2

    Parameters
    ----------
    coordination : array_like
        z, whole numbers from 2 to 2^20. All arguments broadcast.
    occupation : array_like
        p, from 0 to 1.

    Returns
    -------
    float or ndarray
        :math:`c_p`, on both sides of the critical occupation 1/(z - 1), where it is 0; infinite at p = 0, and at p = 1 for z > 2.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Accurate to rounding at the given p, however close to the critical occupation: z - 1 times the relative entropy of the critical
    and the given occupation.

    References
    ----------
    M. E. Fisher, J. W. Essam, J. Math. Phys. 2, 609 (1961).

    Examples
    --------
    >>> round(cluster_cutoff(coordination=12, occupation=0.08), 13)
    0.0085476628571
    """
    shape, (z, p) = broadcast(_lattice(coordination, occupation))
    excess = _excess(z, p)
    chain = z == 2
    with np.errstate(divide="ignore"):
        occupied = _log_remainder(excess, np.log(z - 1) + np.log(p))
        inner = np.where(chain, 1.0, z - 2)
        empty = np.where(
            chain,
            -excess,
            (z - 2) * _log_remainder(-excess / inner, np.log((z - 1) / inner) + np.log1p(-p)),
        )
    return shaped(occupied + empty, shape)


@shows("probability", counted=("coordination",))
def infinite_cluster(*, coordination: ArrayLike, occupation: ArrayLike) -> Value:
    r"""Compute the probability that an occupied root belongs to an infinite cluster.

    .. math:: P_\infty = 1-(1-p+px)^z, \qquad x = (1-p+px)^{z-1}

    with the smallest root x in [0, 1].

    Parameters
    ----------
    coordination : array_like
        z, whole numbers from 2 to 2^20. All arguments broadcast.
    occupation : array_like
        p, from 0 to 1.

    Returns
    -------
    float or ndarray
        :math:`P_\infty`: 0 up to the critical occupation :math:`p_c = 1/(z-1)`, then :math:`\frac{2z}{z-2}\frac{p-p_c}{p_c}` to
        leading order.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Near the threshold the root is bracketed in the logarithm of the chance that a neighbor leads nowhere, with the trivial root
    divided out. Elsewhere Newton's method from x = 0. Accurate to 1e-14, relative, at the given p, however close to the threshold.

    References
    ----------
    M. E. Fisher, J. W. Essam, J. Math. Phys. 2, 609 (1961).

    Examples
    --------
    >>> round(infinite_cluster(coordination=12, occupation=0.1), 13)
    0.2080662651321
    """
    shape, (z, p) = broadcast(_lattice(coordination, occupation))
    excess = _excess(z, p)
    found = np.where(p == 1.0, 1.0, 0.0)
    far = (excess > _FAR) & (p < 1.0)
    if far.any():
        found[far] = _far_above(z[far], p[far])
    above = (excess > 0.0) & (excess <= _FAR) & (p < 1.0)
    if above.any():
        z, p, excess = z[above], p[above], excess[above]

        # u = -log(1 - p + p x); the shortfalls 1 - (1 - e^-v)/v vanish with v
        def mismatch(u: Array, z: Array, excess: Array) -> Array:
            return (1.0 + excess) * _shortfall((z - 1) * u) - _shortfall(u) - excess

        bracket = (excess / ((1.0 + excess) * (z - 1)), -np.log1p(-p))
        from scipy.optimize import elementwise

        root = elementwise.find_root(
            mismatch,
            bracket,
            args=(z, excess),
            tolerances={"xrtol": 4e-16, "xatol": 0.0, "fatol": 0.0},
        )
        if not np.all(root.success):
            raise ConvergenceError("infinite_cluster: the root was not found", result=root)
        found[above] = -np.expm1(-z * root.x)
    return shaped(found, shape)


@shows("dual", counted=("coordination",))
def dual_occupation(*, coordination: ArrayLike, occupation: ArrayLike) -> Value:
    r"""Compute the occupation on the other side of the threshold at which finite clusters are the same.

    .. math:: p'(1-p')^{z-2} = p(1-p)^{z-2}, \qquad \Pr_p(S=s) = (1-P_\infty(p))\,\Pr_{p'}(S=s)

    for p above the critical occupation 1/(z - 1) and p' below it, and every size s: clusters of random sites that are finite at p are
    those at p', with the same cutoff. The other way round, p' is the dual of p.

    Parameters
    ----------
    coordination : array_like
        z, whole numbers from 3 to 2^20. All arguments broadcast.
    occupation : array_like
        p, from 0 to 1.

    Returns
    -------
    float or ndarray
        p'; the critical occupation is its own dual, and those of 0 and 1 are each other's.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    Both sides are exponentials of minus the rate of `cluster_cutoff`, whose signed root is monotone and bracketed near the threshold;
    elsewhere Newton's method in the logarithm of p' or of 1 - p', monotone. Accurate to 2e-14, relative, at the given p.

    References
    ----------
    M. E. Fisher, J. W. Essam, J. Math. Phys. 2, 609 (1961), for the law of sizes.

    Examples
    --------
    >>> round(11 * dual_occupation(coordination=12, occupation=0.1), 10)
    0.9056632001
    """
    shape, (z, p) = broadcast(
        {
            "coordination": whole_numbers(
                "coordination", coordination, low=3, high=_LARGEST_COORDINATION
            ),
            "occupation": numbers("occupation", occupation, low=0.0, high=1.0),
        }
    )
    excess = _excess(z, p)
    found = np.where(excess == 0.0, p, 1.0 - p)
    inner = (p > 0.0) & (p < 1.0) & (excess != 0.0)
    far = inner & (np.abs(excess) > _FAR)
    near = inner & ~far
    if near.any():
        own, below = z[near], excess[near] > 0.0
        bracket = (
            np.where(below, -0.95, 0.0),
            np.where(below, 0.0, np.minimum(0.95 * (own - 2), 1.0)),
        )

        def mismatch(e: Array, z: Array, level: Array) -> Array:
            return _signed_root(e, z) - level

        from scipy.optimize import elementwise

        root = elementwise.find_root(
            mismatch,
            bracket,
            args=(own, -_signed_root(excess[near], own)),
            tolerances={"xrtol": 4e-16, "xatol": 0.0, "fatol": 0.0},
        )
        if not np.all(root.success):
            raise ConvergenceError("dual_occupation: the root was not found", result=root)
        found[near] = (1.0 + root.x) / (own - 1.0)
    if far.any():
        # the smaller of p' and 1 - p' has the logarithm y: a y + b log(1 - exp y) is known
        own, below = z[far] - 2.0, excess[far] > 0.0
        level = np.log(p[far]) + own * np.log1p(-p[far])
        a, b = np.where(below, 1.0, own), np.where(below, own, 1.0)
        y = level / a
        for _ in range(_NEWTON_STEPS):  # concave and increasing: from the left, monotone
            small, most = np.exp(y), -np.expm1(y)
            with np.errstate(divide="ignore"):
                rest = np.where(y > -0.7, np.log(most), np.log1p(-small))
            change = (level - a * y - b * rest) / (a - b * small / most)
            y = y + change
            if np.all(np.abs(change) <= 1e-16 * np.abs(y)):
                break
        found[far] = np.where(below, np.exp(y), -np.expm1(y))
    return shaped(found, shape)


def _signed_root(excess: Array, z: Array) -> Array:
    """Return the root of the rate of `cluster_cutoff`, with the sign of the distance from the threshold."""
    with np.errstate(divide="ignore"):
        rate = _log_remainder(excess) + (z - 2) * _log_remainder(-excess / (z - 2))
    return np.asarray(np.copysign(np.sqrt(rate), excess))


def _far_above(z: Array, p: Array) -> Array:
    """Return the probability of the infinite cluster, by Newton's method from x = 0, which rises to the smallest root."""
    x = np.zeros_like(p)
    for _ in range(_NEWTON_STEPS):
        log_stay = np.log1p(-p * (1.0 - x))
        change = (np.exp((z - 1) * log_stay) - x) / (1.0 - (z - 1) * p * np.exp((z - 2) * log_stay))
        x += change
        if np.all(np.abs(change) <= 1e-16):
            break
    # in the logarithm of the chance that a neighbor leads nowhere: a power would multiply its rounding by z
    return np.asarray(-np.expm1(z * np.log1p(-p * (1.0 - x))))


def _lattice(coordination: ArrayLike, occupation: ArrayLike) -> dict[str, Array]:
    """Return the checked coordination and occupation."""
    return {
        "coordination": whole_numbers(
            "coordination", coordination, low=2, high=_LARGEST_COORDINATION
        ),
        "occupation": numbers("occupation", occupation, low=0.0, high=1.0),
    }


def _excess(z: Array, p: Array) -> Array:
    """Return (z - 1) p - 1 without rounding of the product; 0 at the critical occupation, rounded."""
    high = p.astype(np.float32).astype(float)
    return np.where(p == 1.0 / (z - 1), 0.0, ((z - 1) * high - 1.0) + (z - 1) * (p - high))


def _log_remainder(x: Array, log: Array | None = None) -> Array:
    """Return x - log(1 + x), by its series where the two nearly cancel; `log` is log(1 + x), for x next to -1."""
    small = np.where(np.abs(x) < _SERIES, x, 0.0)
    # with r = x/(2 + x): log(1 + x) = 2 (r + r^3/3 + ...), and x - 2 r = r x
    r = small / (2.0 + small)
    odd = np.zeros_like(r)
    for k in range(13, 1, -2):
        odd = odd * r * r + 1.0 / k
    series = r * small - 2.0 * r**3 * odd
    direct = np.log1p(np.where((np.abs(x) < _SERIES) | ((log is not None) & (x < -0.5)), 0.0, x))
    if log is not None:
        direct = np.where(x < -0.5, log, direct)
    return np.where(np.abs(x) < _SERIES, series, x - direct)


def _deviance(count: Array, mean: Array, difference: Array, log_mean: Array) -> Array:
    """Return count log(count/mean) + mean - count, given count - mean to full accuracy."""
    # with x = difference/mean: mean [(1 + x) log(1 + x) - x] = mean [x log(1 + x) - (x - log(1 + x))]
    far = mean < _FAR_BELOW * count  # nothing cancels, and x may overflow
    x = np.where(far, 0.0, difference) / np.where(far, 1.0, mean)
    near = difference * np.log1p(x) - mean * _log_remainder(x)
    return np.where(far, count * (np.log(count) - log_mean) - difference, near)


def _stirling(x: Array) -> Array:
    """Return log Gamma(x + 1) short of Stirling's formula."""
    from scipy import special

    large = np.maximum(x, _STIRLING_FROM)
    series = np.zeros_like(x)
    for coefficient in reversed(_STIRLING):
        series = series / large**2 + coefficient
    few = np.minimum(x, _STIRLING_FROM)
    direct = special.gammaln(few + 1) - (few + 0.5) * np.log(few) + few - _HALF_LOG_2PI
    return np.where(x >= _STIRLING_FROM, series / large, direct)


def large_sizes(s: Array, z: Array, p: Array) -> Array:
    """Return the probabilities for s >= 3 and 0 < p < 1."""
    trials, hits = (z - 1) * s, s - 2
    misses = trials - hits
    # trials * p - hits = s excess + 2, and the same with the other sign for the misses
    beyond = s * _excess(z, p) + 2.0
    log = _stirling(trials) - _stirling(hits) - _stirling(misses)
    log -= _deviance(hits, trials * p, -beyond, np.log(trials) + np.log(p))
    log -= _deviance(misses, trials * (1.0 - p), beyond, np.log(trials) + np.log1p(-p))
    log += 0.5 * np.log(trials / (hits * misses)) - _HALF_LOG_2PI
    return np.asarray(z * p / (s - 1) * np.exp(log))


def _shortfall(v: Array) -> Array:
    """Return 1 - (1 - exp(-v))/v."""
    small = np.minimum(v, 0.5)
    series = np.zeros_like(v)
    for k in range(16, 1, -1):
        series = (1.0 - series) * small / k
    return np.where(v < 0.5, series, 1.0 + np.expm1(-v) / np.maximum(v, 0.5))
