"""How large a cluster of the Bethe lattice is: all small clusters one by one, and clusters grown until they end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .....arguments import afford, generator, number, whole
from .....errors import ResourceError, refusal

Array = NDArray[np.float64]

_MOST_CLUSTERS = 2e5  # enumerated in one call: some seconds
_MOST_GROWN = 2e8  # sites of one call, at most


def enumerate_clusters(largest: int, *, coordination: int, occupation: float) -> Array:
    r"""Probability of each size of the cluster of an occupied root, summed over all such clusters.

    Every cluster of s + 1 sites is one of s sites and an empty neighbor that is filled. All are listed, each once; one of s sites with t
    empty neighbors has the probability :math:`p^{s-1}(1-p)^t`.

    Parameters
    ----------
    largest : int
        S, the size up to which to enumerate, 1 to 12.
    coordination : int
        z, neighbors of a site, 2 to 20.
    occupation : float
        p, from 0 to 1.

    Returns
    -------
    ndarray, shape (S,)
        Probabilities of 1, 2, ... sites.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If there are more than 2e5 clusters of one size.

    Examples
    --------
    >>> enumerate_clusters(3, coordination=3, occupation=0.5)
    array([0.125    , 0.09375  , 0.0703125])
    """
    most = whole("largest", largest, high=12)
    z = whole("coordination", coordination, low=2, high=20)
    p = number("occupation", occupation, low=0.0, high=1.0)
    root: tuple[int, ...] = ()
    clusters: set[frozenset[tuple[int, ...]]] = {frozenset([root])}
    found = np.zeros(most)
    for size in range(1, most + 1):
        larger: set[frozenset[tuple[int, ...]]] = set()
        for cluster in clusters:
            # a site is the path that leads to it from the root
            empty = {
                (*site, branch)
                for site in cluster
                for branch in range(z if site == root else z - 1)
            } - cluster
            found[size - 1] += p ** (size - 1) * (1 - p) ** len(empty)
            if size < most:
                larger.update(cluster | {site} for site in empty)
                if len(larger) > _MOST_CLUSTERS:
                    raise ResourceError(
                        f"more than {_MOST_CLUSTERS:.0e} clusters of {size + 1} sites; use a smaller largest or coordination"
                    )
        clusters = larger
    return found


def bethe_sizes(
    clusters: int,
    *,
    largest: int,
    coordination: int = 12,
    occupation: float | None = None,
    rng: np.random.Generator | int = 0,
) -> Array:
    r"""Grow clusters around occupied roots, generation by generation, and return how often each size occurs.

    Parameters
    ----------
    clusters : int
        How many to grow.
    largest : int
        S, sizes to tell apart: growth of a cluster ends when it has more sites.
    coordination : int
        z >= 2, neighbors of a site.
    occupation : float, optional
        p, by default the threshold 1/(z - 1).
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    ndarray, shape (S,)
        Shares of clusters of 1, 2, ... sites; what they lack of 1 are larger ones.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If more than 2e8 sites might be grown.

    Examples
    --------
    >>> shares = bethe_sizes(10_000, largest=3, coordination=3, occupation=0.5)
    >>> bool(np.all(abs(shares - [0.125, 0.09375, 0.0703125]) < 0.02))
    True
    """
    count, most = whole("clusters", clusters), whole("largest", largest)
    z = whole("coordination", coordination, low=2, high=2**20)
    p = 1 / (z - 1) if occupation is None else number("occupation", occupation, low=0.0, high=1.0)
    if not 0.0 <= p <= 1.0:
        raise refusal("occupation", occupation, "must lie between 0 and 1")
    afford(6.0 * count + 2.0 * most, "the clusters", "use fewer clusters")
    if float(count) * most > _MOST_GROWN:
        raise ResourceError(
            f"{count} clusters of up to {most} sites may have more than {_MOST_GROWN:.0e}; use fewer clusters or a smaller largest"
        )
    source, shares = generator(rng), np.zeros(most + 1)
    size = np.ones(count, np.int64)
    front = source.binomial(z, p, count)
    while size.size:
        size += front
        growing = (front > 0) & (size <= most)
        ended = (front == 0) & (size <= most)
        shares += np.bincount(size[ended], minlength=most + 1)
        size, front = size[growing], source.binomial((z - 1) * front[growing], p)
    return np.asarray(shares[1:] / count)
