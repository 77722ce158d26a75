r"""When single clusters are learned, how many different ones samples show, and what is lost when repetitions are thrown away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ....arguments import Array, Value, broadcast, numbers, refuse_first, shaped, whole_numbers
from ....errors import refusal
from ....results import Diagnostics, Result, Status
from ..._roots import brentq
from ...catalogue import shows
from .expected_loss import data_loss, steepnesses
from .zeta import log_zeta

_MOST_SAMPLES = 1e7  # of one cluster that the share asked for may need
_LARGEST_RANK = 2.0**53
_RARE = 1e-6  # probability below which the expansion in it has all digits
_REACH = 14.0  # standard deviations, and 60 counts more, within which a Poisson number lies
_HEAD = 4096  # clusters that are summed one by one
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_SPARSE = 1e-3  # expected samples of a cluster below which a series is summed
_ORDERS = 5


@dataclass(frozen=True)
class Emergence(Result):
    """When clusters are seen and learned.

    Attributes
    ----------
    rank : float or ndarray
        Of the clusters.
    probability : float or ndarray
        Share of the samples that fall on each.
    first_seen : float or ndarray
        Number of samples that include one of the cluster with a chance of one half.
    samples : float or ndarray
        Number of samples after which the share asked for is still unlearned on average, interpolated between whole numbers.
    diagnostics : Diagnostics
        How it was computed.
    """

    rank: Value
    probability: Value
    first_seen: Value
    samples: Value
    diagnostics: Diagnostics


@dataclass(frozen=True)
class PrunedDataLoss(Result):
    """A dataset of which one sample of each cluster is kept.

    Attributes
    ----------
    samples : float or ndarray
        In the pool, P.
    kept : float or ndarray
        Expected number of samples kept.
    loss : float or ndarray
        Expected weight of the clusters that are not among them.
    diagnostics : Diagnostics
        How it was computed.
    """

    samples: Value
    kept: Value
    loss: Value
    diagnostics: Diagnostics


@shows("samples", "first_seen", one_by_one=("alpha", "exponent", "share"), counted=("rank",))
def emergence(
    rank: ArrayLike, *, alpha: ArrayLike, exponent: ArrayLike, share: ArrayLike = 0.5
) -> Emergence:
    r"""Compute after how many samples a cluster of given rank is seen, and learned.

    .. math:: g_P(p_k) = E\,h(d) = q, \qquad d \sim \mathrm{Bin}(P, p_k), \qquad h(0) = 1,\ h(d) = d^{-\beta}, \qquad
              p_k = \frac{k^{-(1+\alpha)}}{\zeta(1+\alpha)}

    For rare clusters :math:`P = \frac{x}{p_k} + \frac x2\frac{G''(x)}{G'(x)} + O(p_k)`, where G is the mean over Poisson numbers and
    :math:`G(x) = q`.

    Parameters
    ----------
    rank : array_like
        k, whole numbers from 1. All arguments broadcast.
    alpha : array_like
        Zipf excess, positive and at most 100.
    exponent : array_like
        :math:`\beta`, positive and at most 100, or inf.
    share : array_like
        q, what is left unlearned, between 0 and 1.

    Returns
    -------
    Emergence
        Samples, median number of samples to the first one, probabilities.

    Raises
    ------
    DomainError
        If an argument is out of range, or a share so small that it takes more than 1e7 samples of the cluster.

    Notes
    -----
    The expansion at p below 1e-6, elsewhere binomial counts at the whole numbers on both sides, between which the loss is a straight line.
    Relative error below 1e-10. Some milliseconds a cluster.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024); E. J. Michaud et al., arXiv:2303.13506 (2023).

    Examples
    --------
    >>> found = emergence(10, alpha=1, exponent=[0.5, 1])
    >>> np.round(found.samples, 7), np.round(found.first_seen, 4)
    (array([797.3208842, 450.5416475]), array([113.6712, 113.6712]))
    """
    shape, (k, a, beta, q) = broadcast(
        {
            "rank": whole_numbers("rank", rank, low=1, high=_LARGEST_RANK),
            "alpha": numbers("alpha", alpha, low=0.0, high=100.0, strict=True),
            "exponent": steepnesses(exponent),
            "share": numbers("share", share, low=0.0, high=1.0, strict=True),
        }
    )
    refuse_first("exponent", beta, beta == 0, "must be positive: with 0, nothing is learned")
    refuse_first("share", q, q == 1, "must be less than 1")
    log_p = -(1.0 + a) * np.log(k) - np.array([log_zeta(float(entry)) for entry in a])
    p = np.exp(log_p)
    refuse_first("rank", k, p == 0, "has a probability too small to be written down")
    found = np.empty(k.size)
    means: dict[tuple[float, float], tuple[float, float]] = {}
    for i, pair in enumerate(zip(beta.tolist(), q.tolist(), strict=True)):
        if pair not in means:
            means[pair] = _mean_and_shift(*pair)
        x, shift = means[pair]
        guess = x / p[i] + shift
        found[i] = guess if p[i] < _RARE else _crossing(float(p[i]), *pair, guess)
    with np.errstate(divide="ignore"):
        seen = math.log(2) / -np.log1p(-p)
    return Emergence(
        shaped(k, shape),
        shaped(p, shape),
        shaped(seen, shape),
        shaped(found, shape),
        _diagnostics("binomial counts, expansion for rare clusters", 1e-10),
    )


@shows("clusters", one_by_one=("alpha",), counted=("samples",))
def distinct_clusters(samples: ArrayLike, *, alpha: ArrayLike) -> Value:
    r"""Compute the expected number of different clusters among samples: the room that a model needs to know all of them.

    .. math:: N(P) = \sum_k \big[1 - (1 - p_k)^P\big] \simeq \Gamma\Big(\frac{\alpha}{1+\alpha}\Big)
              \Big(\frac{P}{\zeta(1+\alpha)}\Big)^{1/(1+\alpha)}, \qquad p_k = \frac{k^{-(1+\alpha)}}{\zeta(1+\alpha)}

    Parameters
    ----------
    samples : array_like
        P, whole numbers from 0 to 2^53. Broadcasts against `alpha`.
    alpha : array_like
        Zipf excess, from 0.01 to 100.

    Returns
    -------
    float or ndarray
        Expected numbers, 0 without samples.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    4095 clusters one by one, the others by the midpoint rule with its first correction and an integral over the logarithm of the rank;
    where a cluster expects less than 1e-3 samples, a series. Relative error below 1e-12; some 0.3 ms each.

    References
    ----------
    P. Flajolet, X. Gourdon, P. Dumas, Theor. Comput. Sci. 144, 3 (1995); M. Hutter, arXiv:2102.04074 (2021).

    Examples
    --------
    >>> np.round(distinct_clusters([0, 1, 1000], alpha=1), 6)
    array([ 0.    ,  1.    , 43.2074])
    """
    shape, (count, a) = broadcast(
        {
            "samples": whole_numbers("samples", samples, low=0, high=_LARGEST_RANK),
            "alpha": numbers("alpha", alpha, low=0.01, high=100.0),
        }
    )
    heads = {excess: _head(excess) for excess in set(a.tolist())}
    rows = zip(count.tolist(), a.tolist(), strict=True)
    return shaped(np.array([_distinct(P, b, heads[b]) for P, b in rows]), shape)


@shows("loss", "kept", one_by_one=("alpha",), counted=("samples",))
def pruned_data_loss(samples: ArrayLike, *, alpha: ArrayLike) -> PrunedDataLoss:
    r"""Compute what is kept and what is lost where one sample teaches a cluster, and of a pool one sample of each cluster is kept.

    .. math:: Q(P) = \sum_k \big[1 - (1 - p_k)^P\big], \qquad L(P) = \sum_k p_k (1 - p_k)^P, \qquad
              L \simeq \frac{\Gamma(s)^{1+\alpha}}{(1+\alpha)\,\zeta(1+\alpha)}\, Q^{-\alpha}, \quad s = \frac{\alpha}{1+\alpha}

    The loss is that of the whole pool: repetitions teach nothing.

    Parameters
    ----------
    samples : array_like
        P, in the pool, whole numbers from 0 to 2^53. Broadcasts against `alpha`.
    alpha : array_like
        Zipf excess, from 0.01 to 100.

    Returns
    -------
    PrunedDataLoss
        Samples, what is kept of them, loss.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    By `distinct_clusters` and `data_loss` with a scale of 0.

    References
    ----------
    A. Brill, arXiv:2412.07942 (2024), section 6.3; B. Sorscher et al., arXiv:2206.14486 (2022).

    Examples
    --------
    >>> found = pruned_data_loss(10**4, alpha=1)
    >>> round(found.kept, 4), round(found.loss * found.kept, 4)  # 3/pi = 0.9549
    (137.6994, 0.9515)
    """
    shape, (count, a) = broadcast(
        {
            "samples": whole_numbers("samples", samples, low=0, high=_LARGEST_RANK),
            "alpha": numbers("alpha", alpha, low=0.01, high=100.0),
        }
    )
    kept = np.atleast_1d(np.asarray(distinct_clusters(count, alpha=a)))
    loss = np.atleast_1d(np.asarray(data_loss(count, alpha=a, exponent=1.0, scales=0.0).loss))
    return PrunedDataLoss(
        shaped(count, shape),
        shaped(kept, shape),
        shaped(loss, shape),
        _diagnostics("sums over clusters", 1e-12),
    )


def _diagnostics(method: str, error: float) -> Diagnostics:
    return Diagnostics(Status.CONVERGED, 0.0, 1, method, error)


def _unlearned(d: Array, beta: float) -> Array:
    """Return h(d)."""
    few = np.maximum(d, 1.0)
    return np.where(few == 1.0, 1.0, 0.0) if math.isinf(beta) else few**-beta


def _chances(steps: Array) -> Array:
    """Return probabilities that add up to one, from the logarithms of the ratios of neighbors: no factorial of a large number."""
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    chances = np.exp(logs - logs.max())
    return np.asarray(chances / chances.sum())


def _poisson(x: float, beta: float) -> tuple[float, float, float]:
    """Return the mean of h over Poisson numbers of mean x, and its first two derivatives."""
    reach = _REACH * math.sqrt(x) + 60.0
    d = np.arange(max(0.0, math.floor(x - reach)), math.ceil(x + reach))
    h = _unlearned(np.concatenate([d, d[-1] + [1.0, 2.0]]), beta)
    with np.errstate(divide="ignore"):
        chance = _chances(np.log(x / d[1:]))
    # derivatives are means of differences
    return tuple(float(chance @ np.diff(h, order)[: d.size]) for order in range(3))  # type: ignore[return-value]


def _mean_and_shift(beta: float, share: float) -> tuple[float, float]:
    """Return x with G(x) = q, and by how much counts that are binomial shift the number of samples."""
    high = 1.0
    while _poisson(high, beta)[0] > share:
        high *= 2.0
        if high > _MOST_SAMPLES:
            raise refusal(
                "share",
                share,
                f"takes more than {_MOST_SAMPLES:.0e} samples of a cluster at exponent = {beta:g}",
            )
    x = float(brentq(lambda x: _poisson(x, beta)[0] - share, 0.0, high, xtol=1e-300, rtol=9e-16))
    _, slope, curvature = _poisson(x, beta)
    return x, 0.5 * x * curvature / slope


def _crossing(p: float, beta: float, share: float, guess: float) -> float:
    """Return where the loss of a cluster, a straight line between whole numbers of samples, is the share."""

    def loss(count: int) -> float:
        reach = _REACH * math.sqrt(count * p * (1 - p)) + 60.0
        d = np.arange(max(0.0, math.floor(count * p - reach)), min(count, count * p + reach) + 1.0)
        if p >= 1:
            return float(_unlearned(np.array([float(count)]), beta)[0])
        odds = p / (1 - p)
        return float(_chances(np.log(odds * (count - d[1:] + 1) / d[1:])) @ _unlearned(d, beta))

    low = max(int(guess) - 1, 1)
    step = 1
    while low > 1 and loss(low) <= share:
        low, step = max(low - step, 1), 2 * step
    high, step = low + 1, 1
    while loss(high) > share:
        low, high, step = high, high + step, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if loss(middle) > share else (low, middle)
    above, below = loss(low), loss(high)
    return low + (above - share) / (above - below)


def _head(alpha: float) -> Array:
    """Return the logarithms of the chances to miss the first clusters."""
    p = np.exp(-log_zeta(alpha) - (1.0 + alpha) * np.log(np.arange(1.0, _HEAD)))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(-p))


def _distinct(count: float, alpha: float, missed: Array) -> float:
    """Return the expected number of different clusters; `missed` is that of `_head`."""
    if count == 0:
        return 0.0
    power, log_norm = 1.0 + alpha, -log_zeta(alpha)

    def seen(log_k: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(-np.expm1(count * np.log1p(-np.exp(log_norm - power * log_k))))

    total = -float(np.sum(np.expm1(count * missed)))
    edge = math.log(_HEAD - 0.5)
    last = max(edge, (log_norm + math.log(count / _SPARSE)) / power)
    if last > edge:
        panels = math.ceil((last - edge) * power)
        ends = np.linspace(edge, last, panels + 1)
        half = 0.5 * np.diff(ends)[:, None]
        u = ends[:-1, None] + half * (1.0 + _NODES)
        total += float(np.sum(half * _WEIGHTS * np.exp(u) * seen(u)))
    # 1 - (1 - p)^P = P p - binomial(P, 2) p^2 + ...; integrals of powers of p
    p, term, rest = math.exp(log_norm - power * last), 1.0, 0.0
    for j in range(1, _ORDERS + 1):
        term *= -(count - j + 1) / j * p
        rest -= term / (j * power - 1.0)
    total += rest * math.exp(last)
    # a sum over whole numbers from an edge at one half is the integral and a 24th of the slope there
    q = math.exp(log_norm - power * edge)
    slope = -power * q * count * math.exp((count - 1) * math.log1p(-q) - edge)
    return total + slope / 24.0
