"""How far the nearest of random training sites is on the largest cluster of a lattice: in space, along the cluster, and along a tree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from .....arguments import afford, choice, flag, generator, numbers, refuse_first, whole
from .....errors import refusal
from .....results import Diagnostics, Result
from .....solvers._jit import njit
from ..bethe.nearest import count_distances
from .clusters import lattice_clusters
from .records import Array, Counts, counted

_METRICS = ("euclidean", "chemical", "tree")
_NOWHERE = -1


@dataclass(frozen=True)
class LatticeDistances(Result):
    """Distances to the nearest training site on the largest cluster of a lattice.

    Attributes
    ----------
    training_counts : ndarray of int64, shape (T,)
        Training sites, drawn at random from the cluster.
    euclidean_square : ndarray, shape (T,)
        Mean square of the distance in space, over random sites of the cluster; nan if it was not asked for, as below.
    chemical : ndarray, shape (T,)
        Mean number of steps along the cluster, over all its sites.
    tree : ndarray, shape (T,)
        Mean number of steps along a breadth-first spanning tree of it, over all its sites.
    size : int
        Sites of the cluster.
    length, dimension : int
        Sites along each axis, and axes.
    occupation : float
        Probability that a site is occupied.
    periodic : bool
        Whether opposite faces are neighbors.
    """

    training_counts: Counts
    euclidean_square: Array
    chemical: Array
    tree: Array
    size: int
    length: int
    dimension: int
    occupation: float
    periodic: bool
    diagnostics: Diagnostics


def lattice_distances(
    length: int,
    dimension: int,
    training_counts: ArrayLike,
    *,
    occupation: float,
    periodic: bool = False,
    metrics: Sequence[str] = _METRICS,
    tests: int = 20_000,
    rng: np.random.Generator | int = 0,
) -> LatticeDistances:
    r"""Measure how far the nearest of random training sites is, on the largest cluster of a random lattice.

    A function that is Lipschitz in a distance is learned by the nearest training site with the square of that distance for a
    squared error; a random walk along paths with the mean number of their steps.

    Parameters
    ----------
    length : int
        Sites along each axis.
    dimension : int
        Axes.
    training_counts : array_like of int, shape (T,)
        Training sites, at least 1 and at most the size of the cluster; every entry has its own draw.
    occupation : float
        Probability p that a site is occupied.
    periodic : bool
        Whether opposite faces are neighbors.
    metrics : sequence of {"euclidean", "chemical", "tree"}
        Which distances to measure.
    tests : int
        Sites drawn at random for the distance in space.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    LatticeDistances
        Mean squares and means.

    Raises
    ------
    DomainError
        If an argument is out of range, or the largest cluster has fewer sites than a training set.
    ResourceError
        If the lattice would not fit into memory.

    Notes
    -----
    Breadth first from all training sites at once for steps along the cluster, two sweeps over a spanning tree that is rooted at a
    random site, a k-d tree in space. 20 to 60 ns per site of the cluster and training set for each of the first two.

    Examples
    --------
    >>> found = lattice_distances(64, 2, [1, 10, 100], occupation=0.7, rng=1)
    >>> bool(np.all(np.diff(found.chemical) < 0)), bool(np.all(found.tree >= found.chemical))
    (True, True)
    """
    length, dimension, tests = (
        whole("length", length, low=2),
        whole("dimension", dimension),
        whole("tests", tests),
    )
    wrapped = flag("periodic", periodic)
    if isinstance(metrics, str) or not isinstance(metrics, Sequence) or not metrics:
        raise refusal("metrics", metrics, "must be names, one at least")
    wanted = {choice("metrics", name, _METRICS) for name in metrics}
    asked = numbers("training_counts", training_counts, low=1)
    if asked.ndim != 1 or asked.size == 0:
        raise refusal("training_counts", training_counts, "must be one row of whole numbers")
    refuse_first("training_counts", asked, asked != np.floor(asked), "must be a whole number >= 1")
    if dimension * math.log2(length) >= 31:
        raise refusal("length", length, "must make less than 2^31 sites")
    volume = length**dimension
    afford(3.0 * volume, "the distances", "use a smaller lattice")
    afford(4.0 * tests * dimension, "the tested sites", "use fewer tests")
    source = generator(rng)
    lattice = lattice_clusters(
        (length,) * dimension, occupation, periodic=wrapped, labels=True, rng=source
    )
    assert lattice.labels is not None
    labels = lattice.labels.ravel()
    sizes = np.bincount(labels)
    sizes[0] = 0
    sites = np.flatnonzero(labels == sizes.argmax()) if sizes.max() else np.empty(0, np.int64)
    size = sites.size
    refuse_first(
        "training_counts",
        asked,
        asked > size,
        f"must be at most {size}, the sites of the largest cluster",
    )
    counts = asked.astype(np.int64)
    walked = bool(wanted - {"euclidean"})
    grid = np.full(volume if walked else 0, _NOWHERE, np.int32)
    if walked:
        grid[sites] = np.arange(size, dtype=np.int32)
    steps = length ** np.arange(dimension - 1, -1, -1)
    parent, order = np.empty(0, np.uint32), np.empty(0, np.int64)
    if "tree" in wanted:
        parent, order = _spanning_tree(
            sites, grid, steps, length, wrapped, int(source.integers(size))
        )
    found = np.full((3, counts.size), np.nan)
    distance, queue = np.empty(size, np.int32), np.empty(size, np.int32)
    nearest, marks = np.empty(size, np.int64), np.zeros(size, np.uint8)
    for j, count in enumerate(counts.tolist()):
        chosen = source.choice(size, count, replace=False, shuffle=False)
        if "euclidean" in wanted:
            tested = source.integers(0, size, tests)
            found[0, j] = _mean_square(sites[chosen], sites[tested], length, dimension, wrapped)
        if "chemical" in wanted:
            found[1, j] = _mean_steps(
                sites, grid, steps, length, wrapped, chosen.astype(np.int32), distance, queue
            )
        if "tree" in wanted:
            marks[order[chosen]] = 1  # removed by the sweeps
            found[2, j], _ = count_distances(parent, marks, nearest, np.zeros(1, np.int64))
    return LatticeDistances(
        counts,
        found[0],
        found[1],
        found[2],
        size,
        length,
        dimension,
        lattice.occupation,
        wrapped,
        counted("breadth first, k-d tree", 1),
    )


def _mean_square(
    training: NDArray[Any], tested: NDArray[Any], length: int, dimension: int, periodic: bool
) -> float:
    """Return the mean squared distance in space to the nearest training site."""
    shape = (length,) * dimension
    places, asked = (
        np.stack(np.unravel_index(found, shape), axis=1).astype(float)
        for found in (training, tested)
    )
    near, _ = cKDTree(places, boxsize=length if periodic else None).query(asked)
    return float(np.mean(near**2))


@njit
def _neighbor(site: int, step: int, direction: int, length: int, periodic: bool) -> int:
    """Return the next site along an axis, or -1 beyond a face."""
    place = (site // step) % length
    if direction > 0:
        if place < length - 1:
            return site + step
        return site - step * (length - 1) if periodic else -1
    if place > 0:
        return site - step
    return site + step * (length - 1) if periodic else -1


@njit
def _mean_steps(
    sites: NDArray[np.int64],
    grid: NDArray[np.int32],
    steps: NDArray[np.int64],
    length: int,
    periodic: bool,
    chosen: NDArray[np.int32],
    distance: NDArray[np.int32],
    queue: NDArray[np.int32],
) -> float:
    """Return the mean number of steps to the nearest chosen site, over all sites of the cluster."""
    distance[:] = -1
    last = 0
    for k in chosen:
        distance[k] = 0
        queue[last] = k
        last += 1
    total = 0.0
    for first in range(sites.size):
        here = queue[first]
        total += distance[here]
        for step in steps:
            for direction in (-1, 1):
                other = _neighbor(sites[here], step, direction, length, periodic)
                if other >= 0:
                    next_one = grid[other]
                    if next_one >= 0 and distance[next_one] < 0:
                        distance[next_one] = distance[here] + 1
                        queue[last] = next_one
                        last += 1
    return total / sites.size


@njit
def _spanning_tree(
    sites: NDArray[np.int64],
    grid: NDArray[np.int32],
    steps: NDArray[np.int64],
    length: int,
    periodic: bool,
    root: int,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return every site's parent in breadth-first order, and where in that order each site of the cluster is."""
    parent = np.zeros(sites.size, np.uint32)
    order = np.full(sites.size, -1, np.int64)
    queue = np.empty(sites.size, np.int32)
    queue[0], order[root] = root, 0
    last = 1
    for first in range(sites.size):
        for step in steps:
            for direction in (-1, 1):
                other = _neighbor(sites[queue[first]], step, direction, length, periodic)
                if other >= 0:
                    next_one = grid[other]
                    if next_one >= 0 and order[next_one] < 0:
                        parent[last] = first
                        order[next_one] = last
                        queue[last] = next_one
                        last += 1
    return parent, order
