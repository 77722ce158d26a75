"""Samples drawn one by one from infinitely many clusters, and what a learner that counts them leaves unlearned."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .....arguments import afford, generator, number, whole, whole_numbers
from .....errors import ResourceError, refusal

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_MOST_DRAWN = 5e7  # samples of one call: some five seconds
_FEW = 2**16  # ranks up to which samples are counted in a table
FLATTEST = 0.5  # below, ranks beyond 2^63 would matter


def remembered_losses(
    kept: ArrayLike,
    *,
    samples: int,
    alpha: float,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> Array:
    r"""Loss of a model with room for n clusters, which keeps those that it has seen most often and forgets all others.

    .. math:: L(n) = 1 - \sum_{k\ \mathrm{kept}} p_k, \qquad p_k = \frac{k^{-(1+\alpha)}}{\zeta(1+\alpha)}

    Parameters
    ----------
    kept : array_like of int, shape (J,)
        n >= 0.
    samples : int
        P, how many samples it sees.
    alpha : float
        Zipf excess, at least 0.5.
    draws : int
        R, how many datasets to draw.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    ndarray, shape (R, J)
        Losses; a model with more room than there are clusters among its samples keeps all of them.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If more than 5e7 samples would be drawn.

    Examples
    --------
    >>> losses = remembered_losses([0, 1, 10], samples=10**4, alpha=1)
    >>> np.round(losses, 2)
    array([[1.  , 0.39, 0.06]])
    """
    rooms, count, zipf = row("kept", kept), whole("samples", samples, low=0), excess(alpha)
    times = affordable_draws(draws, count, rooms.size)
    source, losses = generator(rng), np.empty((times, rooms.size))
    for losses_of_draw in losses:
        seen, counts = counted(drawn_ranks(count, zipf, source))
        # ties in the order of a random number, so that a rank is no hint
        order = np.lexsort((source.random(seen.size), -counts))
        known = np.concatenate([[0.0], np.cumsum(weights_of(seen[order], zipf))])
        losses_of_draw[:] = 1.0 - known[np.minimum(rooms, seen.size)]
    return losses


def drawn_ranks(count: int, alpha: float, source: np.random.Generator) -> Counts:
    """Return the ranks of the clusters on which samples fall."""
    return np.asarray(source.zipf(1.0 + alpha, count), np.int64)


def counted(ranks: Counts) -> tuple[Counts, Counts]:
    """Return the clusters that were seen, and how often each."""
    common = ranks < _FEW
    table = np.bincount(ranks[common])
    few = np.flatnonzero(table)
    rare, times = np.unique(ranks[~common], return_counts=True)
    return np.concatenate([few, rare]), np.concatenate([table[few], times])


def weights_of(ranks: Counts, alpha: float) -> Array:
    """Return the probabilities of clusters by rank."""
    return np.asarray(ranks ** -(1.0 + alpha) / special.zeta(1.0 + alpha))


def excess(alpha: float) -> float:
    """Return a checked Zipf excess."""
    return number("alpha", alpha, low=FLATTEST, high=100.0)


def affordable_draws(draws: int, count: int, entries: int) -> int:
    """Return a checked number of draws of so many samples and results each."""
    times = whole("draws", draws)
    afford(float(times) * max(entries, 1), "the losses", "use fewer draws")
    afford(4.0 * count, "the samples of a draw", "use fewer samples")
    if float(times) * count > _MOST_DRAWN:
        raise ResourceError(
            f"{times:.3g} draws of {count:.3g} samples are more than {_MOST_DRAWN:.0e}; use fewer draws or samples"
        )
    return times


def row(name: str, values: ArrayLike) -> Counts:
    """Return a checked row of whole numbers."""
    found = whole_numbers(name, values, low=0).astype(np.int64)
    if found.ndim != 1 or found.size == 0:
        complaint = f"must be one-dimensional and not empty; got shape {found.shape}"
        raise refusal(name, found.shape, complaint, shown=False)
    return found
