"""Sizes of clusters that are grown around random sites of a Bethe lattice, at any occupation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .....arguments import afford, generator, number, whole
from .....errors import refusal
from .....results import Result
from ..._counter import new_key
from .dataset import LARGEST, accepted
from .growth import binomial_table


@dataclass(frozen=True)
class RootedSizes(Result):
    """Sizes of the clusters of random occupied sites.

    Attributes
    ----------
    sizes : ndarray of int64, shape (K,)
        In the order in which they were drawn.
    drawn : int
        Roots that were tried until K clusters were found: those that are missing belong to clusters outside of the window.
    coordination : int
        z, neighbors of a site.
    occupation : float
        p, the probability that a site is occupied.
    """

    sizes: NDArray[np.int64]
    drawn: int
    coordination: int
    occupation: float


def rooted_sizes(
    clusters: int,
    *,
    coordination: int = 12,
    occupation: float | None = None,
    smallest: int = 1,
    largest: int = 10**6,
    rng: np.random.Generator | int = 0,
) -> RootedSizes:
    r"""Grow clusters around random occupied sites of a Bethe lattice, and keep their sizes only.

    Parameters
    ----------
    clusters : int
        K.
    coordination : int
        z, 3 to 100.
    occupation : float, optional
        p, between 0 and 1; by default the threshold :math:`1/(z - 1)`. Above it, clusters that grow beyond `largest` are taken to be
        infinite and left out.
    smallest, largest : int
        Window of accepted sizes, from 1 up to 2^30.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    RootedSizes
        Sizes, and how many roots were tried.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the sizes would not fit into memory, or so few are accepted that growing them would take many minutes.

    Notes
    -----
    The clusters of `bethe_dataset`, without trees and targets: 1 to 2 ns per grown site.

    Examples
    --------
    >>> found = rooted_sizes(1000, occupation=0.1, largest=10_000, rng=1)
    >>> found.sizes.size, found.drawn  # one root in five belongs to an infinite cluster
    (1000, 1259)
    """
    count = whole("clusters", clusters)
    coordination = whole("coordination", coordination, low=3, high=100)
    smallest, largest = whole("smallest", smallest), whole("largest", largest)
    given = 1 / (coordination - 1) if occupation is None else occupation
    p = number("occupation", given, low=0.0, strict=True)
    if not p < 1:
        raise refusal("occupation", p, "must lie between 0 and 1")
    if not smallest <= largest <= LARGEST:
        raise refusal(
            "largest", largest, f"must be at least smallest = {smallest} and at most 2^30"
        )
    afford(3.0 * count, "the sizes", "use fewer clusters")
    key = new_key(generator(rng))
    table, bounds = binomial_table(coordination - 1, p)
    root = binomial_table(coordination, p)[1]
    with np.errstate(over="ignore"):
        attempts, sizes = accepted(key, table, bounds, root, count, smallest, largest)
    return RootedSizes(sizes, int(attempts[-1]) + 1, coordination, p)
