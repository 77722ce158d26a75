"""What samples drawn one by one show of single clusters, and what is left of a dataset without its repetitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import afford, generator, number
from .....errors import refusal
from .....results import Result
from .counts import affordable_draws, counted, drawn_ranks, excess, row, weights_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PrunedSamples(Result):
    """Datasets of which one sample of each cluster is kept.

    Attributes
    ----------
    samples : ndarray, shape (J,)
        In the pool.
    kept : ndarray, shape (R, J)
        Samples kept, draw by draw.
    test_loss : ndarray, shape (R, J)
        Weight of the clusters that are not among them.
    """

    samples: Array
    kept: Array
    test_loss: Array


def emerging_losses(
    ranks: ArrayLike,
    samples: ArrayLike,
    *,
    alpha: float,
    exponent: float,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> Array:
    r"""Loss of single clusters while samples fall on infinitely many.

    .. math:: h(d_k), \qquad h(0) = 1,\ h(d) = d^{-\beta}

    Parameters
    ----------
    ranks : array_like of int, shape (K,)
        k, of weights in proportion to :math:`k^{-(1+\alpha)}`.
    samples : array_like of int, shape (J,)
        P >= 0, in increasing order; those of a smaller number are the first of a larger one.
    alpha : float
        Zipf excess, at least 0.5.
    exponent : float
        :math:`\beta \ge 0`, or inf.
    draws : int
        R, how many datasets to draw.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    ndarray, shape (R, K, J)
        Losses, 1 without samples of the cluster.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If more than 5e7 samples would be drawn.

    Examples
    --------
    >>> losses = emerging_losses([1, 5], [0, 10, 1000], alpha=1, exponent=1, draws=50).mean(axis=0)
    >>> np.round(losses, 1)
    array([[1. , 0.2, 0. ],
           [1. , 1. , 0. ]])
    """
    clusters, sizes = row("ranks", ranks), row("samples", samples)
    if np.any(clusters < 1):
        raise refusal("ranks", ranks, "must be at least 1")
    if np.any(np.diff(sizes) < 0):
        raise refusal("samples", samples, "must be in increasing order")
    zipf, beta = excess(alpha), number("exponent", exponent, low=0.0, infinite=True)
    most = int(sizes[-1])
    times = affordable_draws(draws, most, clusters.size * sizes.size)
    afford(float(most) * 2, "the samples of a draw", "use fewer samples")
    source, counts = generator(rng), np.zeros((times, clusters.size, sizes.size), np.int64)
    for table in counts:
        drawn = drawn_ranks(most, zipf, source)
        for k, cluster in enumerate(clusters):
            table[k] = np.searchsorted(np.flatnonzero(drawn == cluster), sizes)
    return np.asarray(np.maximum(counts, 1) ** -beta)


def pruned_losses(
    samples: ArrayLike,
    *,
    alpha: float,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> PrunedSamples:
    r"""Throw away all samples of a pool but one of each cluster, where one sample teaches a cluster, and test what is left.

    Parameters
    ----------
    samples : array_like of int, shape (J,)
        P >= 0, in the pool; those of a smaller number are the first of a larger one.
    alpha : float
        Zipf excess, at least 0.5.
    draws : int
        R, how many pools to draw.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    PrunedSamples
        How many samples are kept, and the weight :math:`\sum p_k` of the clusters that none of them shows.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If more than 5e7 samples would be drawn.

    Examples
    --------
    >>> found = pruned_losses([1000], alpha=1, draws=50)
    >>> bool(35 < found.kept.mean() < 50), bool(0.015 < found.test_loss.mean() < 0.03)
    (True, True)
    """
    sizes, zipf = row("samples", samples), excess(alpha)
    most = int(sizes.max())
    times, source = affordable_draws(draws, most, 2 * sizes.size), generator(rng)
    kept, loss = np.empty((times, sizes.size)), np.empty((times, sizes.size))
    for r in range(times):
        ranks = drawn_ranks(most, zipf, source)
        for j, size in enumerate(sizes):
            seen, _ = counted(ranks[:size])
            kept[r, j] = seen.size
            loss[r, j] = 1.0 - float(weights_of(seen, zipf).sum())
    return PrunedSamples(sizes.astype(float), kept, loss)
