r"""Samples that fall on clusters at random, one by one: what is left unlearned when each cluster is learned from those it got.

Nothing here averages over counts: labels of clusters are drawn, counted, and a cluster of weight p with d samples is charged
:math:`p\,d^{-\beta}`, one without any p.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ....arguments import afford, generator, number, one_row, whole_numbers, whole_or_inf
from ....errors import ResourceError, refusal
from .lattice.records import Array

_MOST_DRAWN = 1e10  # samples of one call: some ten minutes
_BLOCK = 2**18  # drawn at a time
_FLATTEST = 1.06  # power of the sampled weights from which ranks stay within floating-point numbers


def zipf_losses(
    samples: ArrayLike,
    *,
    alpha: float,
    exponent: float,
    sampling: float = 1.0,
    support: float = math.inf,
    rng: np.random.Generator | int = 0,
) -> float | Array:
    r"""Draw samples from infinitely many clusters by a power of their weights, and count what is left unlearned.

    .. math:: L = \sum_k p_k\,h(d_k), \qquad p_k = \frac{k^{-(1+\alpha)}}{\zeta(1+\alpha)}, \qquad h(0) = 1,\ h(d) = d^{-\beta}

    where d_k of P samples fall on cluster k, each with probability proportional to :math:`p_k^\theta`.

    Parameters
    ----------
    samples : array_like of int, any shape
        P >= 0; every entry has its own draw.
    alpha : float
        Zipf excess > 0 of the weights.
    exponent : float
        :math:`\beta \ge 0`, or inf.
    sampling : float
        :math:`\theta > 0`: 1 draws as the weights are, less draws rare clusters more often.
    support : int or inf
        The largest rank that is drawn; all others stay unlearned. If it is inf, :math:`\theta(1+\alpha)` must exceed 1.06.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    float or ndarray
        Loss of every draw.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the samples would not fit into memory.

    Notes
    -----
    Ranks of an infinite list come from Devroye's rejection method for the zeta distribution, in floating point: those beyond 2^53 are
    rounded, and so rare that none is met twice. 0.1 microseconds per sample.

    References
    ----------
    L. Devroye, "Non-uniform random variate generation" (1986), section X.6.

    Examples
    --------
    >>> losses = zipf_losses([0, 10, 10_000], alpha=1, exponent=1, rng=1)
    >>> losses.round(3)
    array([1.   , 0.438, 0.016])
    """
    counts = whole_numbers("samples", samples, low=0)
    alpha = number("alpha", alpha, low=0.0, strict=True)
    beta = number("exponent", exponent, low=0.0, infinite=True)
    theta = number("sampling", sampling, low=0.0, strict=True)
    last = whole_or_inf("support", support)
    power = theta * (1.0 + alpha)
    if last is None and power <= _FLATTEST:
        raise refusal(
            "sampling",
            sampling,
            f"must exceed {_FLATTEST:g}/(1 + alpha) = {_FLATTEST / (1 + alpha):g} unless support is finite",
        )
    _affordable(counts)
    source = generator(rng)
    norm = float(special.zeta(1.0 + alpha))
    if last is not None:
        afford(3.0 * last, "the clusters", "use a smaller support")
        shares = np.arange(1.0, last + 1.0) ** -power
        edges = np.cumsum(shares / shares.sum())
    losses = np.empty(counts.size)
    for i, size in enumerate(counts.ravel().astype(np.int64).tolist()):
        ranks = (
            _zeta_ranks(size, power, source)
            if last is None
            else 1.0 + _drawn(size, edges, source).astype(float)
        )
        seen, found = np.unique(ranks, return_counts=True)
        learned = seen ** -(1.0 + alpha) / norm * (1.0 - found.astype(float) ** -beta)
        losses[i] = 1.0 - math.fsum(learned.tolist())
    return losses.reshape(counts.shape) if counts.ndim else float(losses[0])


def listed_losses(
    weights: ArrayLike,
    samples: ArrayLike,
    *,
    exponent: float,
    rng: np.random.Generator | int = 0,
) -> float | Array:
    r"""Draw samples from a list of clusters in proportion to their weights, and count what is left unlearned.

    As `zipf_losses`, for weights that are given: :math:`L = \sum_k p_k\,h(d_k)` with :math:`p_k = w_k/\sum_j w_j`.

    Parameters
    ----------
    weights : array_like, shape (K,)
        Weights > 0, for example sizes of simulated clusters.
    samples : array_like of int, any shape
        P >= 0; every entry has its own draw, with replacement.
    exponent : float
        :math:`\beta \ge 0`, or inf.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    float or ndarray
        Loss of every draw, 1 without samples.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the samples would not fit into memory.

    Examples
    --------
    >>> listed_losses([4, 2, 1, 1], [0, 100], exponent=1, rng=1).round(4)
    array([1.    , 0.0395])
    """
    sizes = one_row("weights", weights)
    if not (sizes > 0).all():
        raise refusal("weights", weights, "must be positive", shown=False)
    total = float(sizes.sum())
    if not math.isfinite(total):
        raise refusal("weights", weights, "must have a finite sum", shown=False)
    counts = whole_numbers("samples", samples, low=0)
    beta = number("exponent", exponent, low=0.0, infinite=True)
    _affordable(counts)
    source = generator(rng)
    edges = np.cumsum(sizes / total)
    losses = np.empty(counts.size)
    for i, size in enumerate(counts.ravel().astype(np.int64).tolist()):
        seen, found = np.unique(_drawn(size, edges, source), return_counts=True)
        learned = sizes[seen] / total * (1.0 - found.astype(float) ** -beta)
        losses[i] = 1.0 - math.fsum(learned.tolist())
    return losses.reshape(counts.shape) if counts.ndim else float(losses[0])


def _affordable(counts: Array) -> None:
    if float(counts.sum()) > _MOST_DRAWN:
        raise ResourceError(
            f"more than {_MOST_DRAWN:.0e} samples in all; take fewer, or in portions"
        )
    if counts.size:
        afford(3.0 * float(counts.max()), "the samples", "use fewer samples")


def _drawn(size: int, edges: Array, source: np.random.Generator) -> NDArray[np.int64]:
    """Return positions in a list, drawn by cumulative probabilities."""
    found = np.searchsorted(edges, source.random(size), side="right")
    return np.minimum(found, edges.size - 1).astype(np.int64)


def _zeta_ranks(size: int, power: float, source: np.random.Generator) -> Array:
    """Return ranks k >= 1 drawn with probability k^-power/zeta(power)."""
    ranks = np.empty(size)
    filled = 0
    most = -math.expm1((1.0 - power) * math.log(2.0))  # 1 - 2^(1 - power)
    while filled < size:
        block = min(_BLOCK, 2 * (size - filled) + 64)
        u, v = 1.0 - source.random(block), source.random(block)
        x = np.floor(u ** (-1.0 / (power - 1.0)))
        # accept with probability k^-power over the area between k and k + 1, relative to that at k = 1
        rise = -np.expm1((1.0 - power) * np.log1p(1.0 / x))
        found = x[v * x * rise <= most]
        found = found[: size - filled]
        ranks[filled : filled + found.size] = found
        filled += found.size
    return ranks
