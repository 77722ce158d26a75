"""Datasets drawn from critical clusters on the Bethe lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .....arguments import afford, generator, number, whole
from .....errors import ResourceError, refusal
from .....results import Result
from ..._counter import new_key
from .growth import accepted_attempts, binomial_table, grow_again

_BLOCK = 2**20  # attempts between two looks at the work done
_MOST_GROWN = 2e11  # sites grown in one call: some seven minutes
_PER_ATTEMPT = 10  # sites that could be grown in the time an attempt takes by itself
LARGEST = 2**30  # sites of a cluster, whose parents are 32-bit numbers


@dataclass(frozen=True)
class BetheDataset(Result):
    r"""Clusters of a Bethe lattice, each with a target that varies along its branches.

    Sites of cluster k are entries ``offsets[k]`` to ``offsets[k + 1]`` of `parent` and `targets`, breadth first.

    Attributes
    ----------
    sizes : ndarray of int64, shape (K,)
        :math:`s_k`, in decreasing order.
    offsets : ndarray of int64, shape (K + 1,)
        Where clusters begin.
    parent : ndarray of int32, shape (N,)
        Position of every site's parent within its cluster, less than its own; -1 for the root.
    targets : ndarray of float32, shape (N,)
        Mean 0 and variance 1 within every cluster.
    raw_variance : ndarray of float64, shape (K,)
        :math:`V_k`, the variance before standardization, where neighbors differ by a standard normal number.
    coordination : int
        z, neighbors of a site.
    occupation : float
        p, the probability that a site is occupied.
    """

    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    parent: NDArray[np.int32]
    targets: NDArray[np.float32]
    raw_variance: NDArray[np.float64]
    coordination: int
    occupation: float

    @property
    def at_threshold(self) -> bool:
        """Whether a further site has one occupied neighbor more on average, p (z - 1) = 1, within rounding."""
        return abs(self.occupation * (self.coordination - 1) - 1) < 1e-12

    def cluster(self, rank: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return parents and targets of one cluster, 0 for the largest."""
        rank = whole("rank", rank, low=0, high=self.sizes.size - 1)
        part = slice(int(self.offsets[rank]), int(self.offsets[rank + 1]))
        return self.parent[part], self.targets[part]


def bethe_dataset(
    clusters: int,
    *,
    coordination: int = 12,
    occupation: float | None = None,
    smallest: int = 100,
    largest: int = 10**7,
    rng: np.random.Generator | int = 0,
) -> BetheDataset:
    r"""Grow clusters around random occupied sites of a Bethe lattice, with a target on each that a learner can be asked for.

    A cluster starts at an occupied root with Bin(z, p) occupied neighbors; every further site has Bin(z - 1, p) more. It is kept if
    it has between `smallest` and `largest` sites. The target of a site is its parent's plus a standard normal number; then it is
    standardized within the cluster.

    Parameters
    ----------
    clusters : int
        K. With K about the square root of `largest` over `smallest`, about one cluster is dropped because it is too large.
    coordination : int
        z, 3 to 100; 2d corresponds to a hypercubic lattice in d dimensions.
    occupation : float, optional
        p, between 0 and 1; by default the threshold :math:`1/(z - 1)`.
    smallest, largest : int
        Window of accepted sizes, from 2 up to 2^30.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    BetheDataset
        Sizes, tree, targets and raw variances, largest cluster first.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the clusters would not fit into memory, or so few are accepted that growing them would take many minutes.

    Notes
    -----
    Every attempt has a stream of random numbers of its own, and the first K accepted ones are taken. Sizes are found first,
    without keeping anything; then accepted clusters are grown again in place. At the threshold, one of largest size costs on
    average as much as all that are kept: growth and targets take 12 to 19 ns per kept site.

    References
    ----------
    .. [1] A. Brill, "Neural scaling laws rooted in the data distribution", arXiv:2412.07942 (2024), the experiments on the Bethe
       lattice.

    Examples
    --------
    >>> data = bethe_dataset(20, largest=10_000, rng=1)
    >>> data.sizes.size, data.parent[:3]
    (20, array([-1,  0,  0], dtype=int32))
    """
    clusters = whole("clusters", clusters)
    coordination = whole("coordination", coordination, low=3, high=100)
    smallest, largest = whole("smallest", smallest), whole("largest", largest)
    given = 1 / (coordination - 1) if occupation is None else occupation
    occupation = number("occupation", given, low=0.0, strict=True)
    if not occupation < 1:
        raise refusal("occupation", occupation, "must lie between 0 and 1")
    if smallest < 2:
        raise refusal("smallest", smallest, "must be at least 2: one site has no variance")
    if not smallest <= largest <= LARGEST:
        raise refusal(
            "largest", largest, f"must be at least smallest = {smallest} and at most 2^30"
        )
    # whatever is accepted has at least the root and one neighbor
    tried = clusters / -math.expm1(coordination * math.log1p(-occupation))
    if tried > _MOST_GROWN:
        raise ResourceError(
            f"{clusters} clusters at occupation = {occupation:g} take more than {tried:.1e} attempts; choose the "
            "occupation nearer its threshold"
        )
    cure = "use fewer clusters, or a smaller largest"
    afford(3.0 * clusters, "the sizes", cure)
    source = generator(rng)
    key, target_key = new_key(source), new_key(source)
    table, bounds = binomial_table(coordination - 1, occupation)
    root = binomial_table(coordination, occupation)[1]
    with np.errstate(over="ignore"):
        attempts, sizes = accepted(key, table, bounds, root, clusters, smallest, largest)
        afford(float(sizes.sum()), "the clusters", cure)
        order = np.argsort(-sizes, kind="stable")
        attempts, sizes = attempts[order], sizes[order]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        parent, targets = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
        variance = np.empty(clusters)
        grow_again(
            key, target_key, attempts, table, bounds, root, offsets, parent, targets, variance
        )
    return BetheDataset(sizes, offsets, parent, targets, variance, coordination, float(occupation))


def accepted(
    key: np.uint64,
    table: NDArray[np.int8],
    bounds: NDArray[np.uint64],
    root: NDArray[np.uint64],
    clusters: int,
    smallest: int,
    largest: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return numbers and sizes of the first attempts that are accepted, in their order."""
    attempts, sizes = np.empty(clusters, np.int64), np.empty(clusters, np.int64)
    found, first, grown = 0, 0, 0
    block = max(1, min(_BLOCK, math.floor(_MOST_GROWN / 100 / largest)))
    while found < clusters:
        if grown > _MOST_GROWN:
            raise ResourceError(
                f"{found} of {clusters} clusters were accepted among {first:.1e} attempts; choose the occupation nearer its "
                "threshold, or a wider window of sizes"
            )
        more, work = accepted_attempts(
            key,
            first,
            first + block,
            table,
            bounds,
            root,
            smallest,
            largest,
            attempts[found:],
            sizes[found:],
        )
        found, first, grown = found + more, first + block, grown + work + _PER_ATTEMPT * block
    return attempts, sizes
