"""Learning curves of single clusters, and how far their training sites are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import afford, floats, generator, instance, numbers, whole, whole_numbers
from .....errors import ResourceError, known_name, refusal
from .....results import Result
from .....solvers._jit import njit
from ..._counter import new_key, subkey
from .dataset import BetheDataset
from .nearest import choose, count_distances, mean_squared_error

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_POINTS = 14  # of a learning curve by default
_MOST_VISITED = 1e11  # sites in one call: some ten minutes
_VISITED = 10**8  # between two looks at whether to go on: a second
_LEAST, _MOST = 0.02, 0.7  # losses between which a power law is fitted


@dataclass(frozen=True)
class LearningCurves(Result):
    """Loss of every cluster of a dataset at several numbers of training sites.

    Attributes
    ----------
    training_counts : ndarray of int64, shape (K, T)
        Training sites.
    test_loss : ndarray, shape (K, T)
        Mean squared error on all other sites of the cluster, in units of the target's variance.
    sizes : ndarray of int64, shape (K,)
        Sites of each cluster.
    estimator : str
        How the nearest training site's value is used.
    """

    training_counts: Counts
    test_loss: Array
    sizes: Counts
    estimator: str


@dataclass(frozen=True)
class DistanceStatistics(Result):
    r"""Distances to the nearest training site, over all sites of each cluster.

    Attributes
    ----------
    training_counts : ndarray of int64, shape (K, T)
        Training sites.
    mean, mean_square : ndarray, shape (K, T)
        Moments of the distance; training sites are at distance 0.
    radii : ndarray of int64, shape (R,)
        Distances r.
    exceeding : ndarray, shape (K, T, R)
        Fraction of sites whose distance is more than r.
    """

    training_counts: Counts
    mean: Array
    mean_square: Array
    radii: Counts
    exceeding: Array


def trust(dataset: BetheDataset, estimator: str) -> tuple[bool, Array]:
    """Return how an estimator's trust in a value decays with distance: whether hyperbolically, and the rate for each cluster."""
    known_name("estimator", estimator, ("published", "consistent", "naive"))
    if estimator == "published":
        return True, 1 / np.sqrt(dataset.sizes)
    if estimator == "consistent":
        return False, 0.5 / dataset.raw_variance
    return False, np.zeros(dataset.sizes.size)


def training_grid(sizes: ArrayLike, *, points: int = _POINTS) -> Counts:
    """Return numbers of training sites for each cluster, evenly spaced in their logarithm.

    Parameters
    ----------
    sizes : array_like of int, shape (K,)
        Sites of each cluster, at least 2.
    points : int
        T, at least 2.

    Returns
    -------
    ndarray of int64, shape (K, T)
        Rounded numbers from 1 to a third of the sites; small clusters have some of them twice.

    Raises
    ------
    DomainError
        If a size is below 2, or there are fewer than two points.

    Examples
    --------
    >>> training_grid([300], points=5)
    array([[  1,   3,  10,  32, 100]])
    """
    points = whole("points", points, low=2)
    found = np.atleast_1d(numbers("sizes", sizes))
    if found.ndim != 1 or not (found >= 2).all():
        raise refusal("sizes", sizes, "must be one-dimensional and at least 2")
    return np.rint(np.geomspace(1.0, np.maximum(found / 3, 1.0), points, axis=1)).astype(np.int64)


def whole_counts(name: str, values: ArrayLike, dataset: BetheDataset, *, least: int) -> Counts:
    """Return numbers of training sites as an integer array; refuse what is no whole number from `least` up."""
    given = floats(name, values)
    if given.size == 0:
        raise refusal(name, values, "must be whole numbers, at least one", shown=False)
    wrong = ~((given >= least) & (given <= dataset.parent.size) & (given == np.floor(given)))
    if wrong.any():
        worst = given[wrong].flat[0]
        raise refusal(
            name,
            float(worst),
            f"holds {worst}; such numbers are whole, >= {least} and at most all sites",
            shown=False,
        )
    return given.astype(np.int64)


def _per_cluster(values: ArrayLike, dataset: BetheDataset, *, most: Counts) -> Counts:
    """Return numbers of training sites of shape (K, T)."""
    found = whole_counts("training_counts", values, dataset, least=1)
    clusters = dataset.sizes.size
    if found.ndim > 2 or (found.ndim == 2 and found.shape[0] != clusters):
        raise refusal(
            "training_counts",
            values,
            f"has shape {found.shape}; needed: a number, (T,), or ({clusters}, T)",
            shown=False,
        )
    # one memory layout, for which one kernel is compiled
    found = np.array(
        np.broadcast_to(found, (clusters, found.shape[-1] if found.ndim else 1)), order="C"
    )
    wrong = found > most[:, None]
    if wrong.any():
        k, j = np.argwhere(wrong)[0]
        raise refusal(
            "training_counts",
            found[k, j],
            f"is too many for cluster {k} of {dataset.sizes[k]} sites; at most {most[k]}",
        )
    return found


@njit
def _losses(
    parent: NDArray[np.uint32],
    targets: NDArray[np.float32],
    offsets: Counts,
    counts: Counts,
    hyperbolic: bool,
    decay: Array,
    column: int,
    first: int,
    last: int,
    key: np.uint64,
    out: Array,
) -> None:
    """Add to the losses of all clusters, at one of their numbers of training sites, those of some training sets."""
    longest = 0
    for k in range(decay.size):
        longest = max(longest, offsets[k + 1] - offsets[k])
    chosen, nearest = np.zeros(longest, np.uint8), np.empty(longest, np.int64)
    for k in range(decay.size):
        size = offsets[k + 1] - offsets[k]
        tree, values = parent[offsets[k] : offsets[k + 1]], targets[offsets[k] : offsets[k + 1]]
        marks, near, own = chosen[:size], nearest[:size], subkey(key, np.uint64(k))
        if counts[k, column] == 0:
            continue
        for repeat in range(first, last):
            choose(subkey(own, np.uint64(repeat)), counts[k, column], marks)
            out[k, column] += mean_squared_error(tree, values, marks, near, hyperbolic, decay[k])


def simulated_losses(
    dataset: BetheDataset,
    counts: Counts,
    estimator: str,
    repeats: int,
    rng: np.random.Generator | int,
) -> Array:
    """Return the loss of every cluster at every number of training sites (K, T), 1 where there is none."""
    hyperbolic, decay = trust(dataset, estimator)
    sites, columns = dataset.parent.size, counts.shape[1]
    if float(sites) * columns * repeats > _MOST_VISITED:
        raise ResourceError(
            f"{repeats} training sets for each of {columns} numbers on {sites} sites visit more than "
            f"{_MOST_VISITED:.0e} sites; take fewer repeats"
        )
    out = np.zeros(counts.shape)
    portion = max(1, _VISITED // sites)  # so that an interrupt is heard
    with np.errstate(over="ignore"):
        key = new_key(generator(rng))
        for column in range(columns):
            begin = column * repeats  # every training set has a stream of its own
            for first in range(begin, begin + repeats, portion):
                _losses(
                    dataset.parent.view(np.uint32),
                    dataset.targets,
                    dataset.offsets,
                    counts,
                    hyperbolic,
                    decay,
                    column,
                    first,
                    min(first + portion, begin + repeats),
                    key,
                    out,
                )
    return np.where(counts == 0, 1.0, out / repeats)


def learning_curves(
    dataset: BetheDataset,
    training_counts: ArrayLike | None = None,
    *,
    estimator: str = "consistent",
    repeats: int = 1,
    rng: np.random.Generator | int = 0,
) -> LearningCurves:
    r"""Learn every cluster by itself from random training sites, and test on all its other sites.

    The prediction at a site is made from the value y of the nearest training site, at distance d:

    ============== ==========================
    estimator      prediction
    ============== ==========================
    ``published``  :math:`y/(1 + d\,s^{-1/2})`
    ``consistent`` :math:`y\max(0, 1 - d/(2V))`
    ``naive``      y
    ============== ==========================

    for a cluster of s sites and raw variance V: two standardized values at distance d differ by a variance of d/V.

    Parameters
    ----------
    dataset : BetheDataset
        The clusters.
    training_counts : array_like, shape (), (T,) or (K, T), optional
        Numbers of training sites, at least 1 and less than the cluster's size; by default 14 from 1 to a third of the size.
    estimator : {"consistent", "published", "naive"}
        How the nearest training site is used.
    repeats : int
        Independent training sets per point, whose losses are averaged.
    rng : Generator or int
        Source of randomness. The training sites of a cluster do not depend on how many clusters follow it.

    Returns
    -------
    LearningCurves
        Numbers of training sites and losses, shape (K, T).

    Raises
    ------
    DomainError
        If an argument is out of range.

    Notes
    -----
    A training set takes O(s) whatever its size, 3 to 9 ns per site.

    References
    ----------
    .. [1] A. Brill, "Neural scaling laws rooted in the data distribution", arXiv:2412.07942 (2024), the experiments on the Bethe
       lattice, for the published estimator.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> data = bethe_dataset(10, smallest=1000, largest=10_000)
    >>> loss = learning_curves(data, [1, 300]).test_loss.mean(axis=0)
    >>> bool(loss[1] < 0.5 < loss[0])
    True
    """
    instance("dataset", dataset, BetheDataset)
    repeats = whole("repeats", repeats)
    grid = training_grid(dataset.sizes) if training_counts is None else training_counts
    counts = _per_cluster(grid, dataset, most=dataset.sizes - 1)
    return LearningCurves(
        counts, simulated_losses(dataset, counts, estimator, repeats, rng), dataset.sizes, estimator
    )


def fitted_scale(training_counts: ArrayLike, test_loss: ArrayLike) -> float | Array:
    r"""Fit the scale of a learning curve that falls as the square root.

    For losses :math:`\min(1, (n/n_0)^{-1/2})`, :math:`\log n_0` is the mean of :math:`\log n + 2\log\mathrm{loss}` over all points with
    loss between 0.02 and 0.7.

    Parameters
    ----------
    training_counts : array_like, shape (..., T)
        n, positive.
    test_loss : array_like, shape (..., T)
        Losses >= 0.

    Returns
    -------
    float or ndarray, shape (...)
        :math:`n_0`, at least 1; 1 where no point can be used.

    Raises
    ------
    DomainError
        If the shapes differ, or a value is out of range.

    References
    ----------
    .. [1] A. Brill, arXiv:2412.07942 (2024), the fits of single clusters.

    Examples
    --------
    >>> round(fitted_scale([10, 100, 1000], [0.7071, 0.2236, 0.0707]), 2)
    5.0
    """
    n, loss = floats("training_counts", training_counts), floats("test_loss", test_loss)
    if n.shape != loss.shape or n.ndim == 0 or not (n > 0).all():
        raise refusal(
            "training_counts",
            training_counts,
            "must be positive, with one test_loss each",
            shown=False,
        )
    if not ((loss >= 0) & (loss < np.inf)).all():
        raise refusal("test_loss", test_loss, "must be finite and >= 0", shown=False)
    used = (loss > _LEAST) & (loss < _MOST)
    terms = np.where(used, np.log(n) + 2 * np.log(np.where(used, loss, 1.0)), 0.0)
    mean = terms.sum(axis=-1) / np.maximum(used.sum(axis=-1), 1)
    scale = np.exp(np.maximum(mean, 0.0))
    return scale if scale.ndim else float(scale)


@njit
def _distances(
    parent: NDArray[np.uint32],
    offsets: Counts,
    counts: Counts,
    key: np.uint64,
    mean: Array,
    square: Array,
    histogram: NDArray[np.int64],
) -> None:
    """Fill in moments and histograms of distances."""
    for k in range(offsets.size - 1):
        size, tree, own = (
            offsets[k + 1] - offsets[k],
            parent[offsets[k] : offsets[k + 1]],
            subkey(key, np.uint64(k)),
        )
        chosen, nearest = np.zeros(size, np.uint8), np.empty(size, np.int64)
        for j in range(counts.shape[1]):
            choose(subkey(own, np.uint64(j)), counts[k, j], chosen)
            mean[k, j], square[k, j] = count_distances(tree, chosen, nearest, histogram[k, j])


def nearest_distances(
    dataset: BetheDataset,
    training_counts: ArrayLike,
    *,
    radii: ArrayLike = (),
    rng: np.random.Generator | int = 0,
) -> DistanceStatistics:
    """Measure how far the nearest of random training sites is, over all sites of each cluster.

    Parameters
    ----------
    dataset : BetheDataset
        The clusters.
    training_counts : array_like, shape (), (T,) or (K, T)
        Numbers of training sites, at least 1 and at most the cluster's size.
    radii : array_like of int, shape (R,)
        Distances, >= 0 and below 10^5, beyond which sites are counted.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    DistanceStatistics
        Mean and mean square of the distance, shape (K, T), and the fractions of sites beyond each radius.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> data = bethe_dataset(3, rng=2)
    >>> beyond = nearest_distances(data, 50, radii=[0, 10]).exceeding[0, 0]
    >>> bool(beyond[0] == 1 - 50 / data.sizes[0] > beyond[1])
    True
    """
    instance("dataset", dataset, BetheDataset)
    counts = _per_cluster(training_counts, dataset, most=dataset.sizes)
    wanted = whole_numbers("radii", radii, low=0, high=99_999).ravel()
    last = int(wanted.max()) + 1 if wanted.size else 0
    afford(float(counts.size) * (last + 1), "the histogram", "use smaller radii, or fewer counts")
    histogram = np.zeros((*counts.shape, last + 1), np.int64)
    mean, square = np.empty(counts.shape), np.empty(counts.shape)
    with np.errstate(over="ignore"):
        key = new_key(generator(rng))
        _distances(
            dataset.parent.view(np.uint32), dataset.offsets, counts, key, mean, square, histogram
        )
    chosen_radii = wanted.astype(np.int64)
    within = np.cumsum(histogram, axis=-1)[..., chosen_radii] / dataset.sizes[:, None, None]
    return DistanceStatistics(counts, mean, square, chosen_radii, 1 - within)
