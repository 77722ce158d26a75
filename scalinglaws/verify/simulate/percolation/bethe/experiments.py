"""Losses of a whole dataset: training sites allocated to clusters, drawn from all sites, or allocated at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import afford, floats, generator, instance, number, whole
from .....errors import refusal
from .....results import Result
from .....solvers._jit import njit
from ..._counter import new_key, subkey
from .dataset import BetheDataset
from .learning import LearningCurves, simulated_losses, trust, whole_counts
from .nearest import choose, mean_squared_error

Array = NDArray[np.float64]

_STEEPEST = 3.0  # exponent of random allocations


@dataclass(frozen=True)
class RandomAllocations(Result):
    r"""Random allocations :math:`n_k\propto k^{-a}` to the first :math:`k_b` clusters, and how well they do.

    Attributes
    ----------
    exponents : ndarray, shape (C,)
        a.
    break_ranks : ndarray of int64, shape (C,)
        :math:`k_b`.
    losses : ndarray, shape (C,)
        Interpolated losses.
    best : ndarray of int64, shape (B,)
        Candidates that were simulated, the best first.
    simulated : ndarray, shape (B,)
        Their losses.
    """

    exponents: Array
    break_ranks: NDArray[np.int64]
    losses: Array
    best: NDArray[np.int64]
    simulated: Array

    @property
    def exponent(self) -> float:
        """The best candidate's exponent."""
        return float(self.exponents[self.best[0]])

    @property
    def break_rank(self) -> int:
        """The best candidate's number of clusters."""
        return int(self.break_ranks[self.best[0]])

    @property
    def loss(self) -> float:
        """The best candidate's simulated loss."""
        return float(self.simulated[0])


def model_loss(
    dataset: BetheDataset,
    allocation: ArrayLike,
    *,
    estimator: str = "consistent",
    rng: np.random.Generator | int = 0,
) -> float | Array:
    r"""Loss of a model that gives every cluster a number of training sites.

    .. math:: L = \frac{\sum_k s_k\,\mathrm{loss}_k(t_k)}{\sum_k s_k}, \qquad \mathrm{loss}_k(0) = 1

    Parameters
    ----------
    dataset : BetheDataset
        The clusters.
    allocation : array_like of int, shape (K,) or (A, K)
        :math:`t_k`, from 0 to :math:`s_k - 1`.
    estimator : {"consistent", "published", "naive"}
        As in `learning_curves`.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    float or ndarray, shape (A,)
        Loss of each allocation, 1 if nothing is allocated.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> data = bethe_dataset(3)
    >>> model_loss(data, [0, 0, 0]), 0 < model_loss(data, [50, 0, 0]) < 1
    (1.0, True)
    """
    instance("dataset", dataset, BetheDataset)
    counts = whole_counts("allocation", allocation, dataset, least=0)
    if counts.ndim not in (1, 2) or counts.shape[-1] != dataset.sizes.size:
        raise refusal(
            "allocation",
            None,
            f"has shape {counts.shape}; the last axis must have length {dataset.sizes.size}",
            shown=False,
        )
    wrong = counts >= dataset.sizes
    if wrong.any():
        k = int(np.argwhere(wrong)[0][-1])
        raise refusal(
            "allocation",
            None,
            f"leaves no site to test in cluster {k} of {dataset.sizes[k]} sites",
            shown=False,
        )
    found = simulated_losses(
        dataset, np.ascontiguousarray(np.atleast_2d(counts).T), estimator, 1, rng
    )
    losses = dataset.sizes @ found / dataset.sizes.sum()
    return losses if counts.ndim == 2 else float(losses[0])


@njit
def _pooled_losses(
    parent: NDArray[np.uint32],
    targets: NDArray[np.float32],
    offsets: NDArray[np.int64],
    samples: NDArray[np.int64],
    hyperbolic: bool,
    decay: Array,
    key: np.uint64,
    out: Array,
) -> None:
    """Fill in the loss for every number of sites that are drawn from all clusters."""
    longest = 0
    for k in range(decay.size):
        longest = max(longest, offsets[k + 1] - offsets[k])
    chosen, nearest = np.zeros(targets.size, np.uint8), np.empty(longest, np.int64)
    for j in range(samples.size):
        choose(subkey(key, np.uint64(j)), samples[j], chosen)
        total = 0.0
        for k in range(decay.size):
            first, last = offsets[k], offsets[k + 1]
            total += (last - first) * mean_squared_error(
                parent[first:last],
                targets[first:last],
                chosen[first:last],
                nearest[: last - first],
                hyperbolic,
                decay[k],
            )
        out[j] = total / targets.size


def data_losses(
    dataset: BetheDataset,
    samples: ArrayLike,
    *,
    estimator: str = "consistent",
    rng: np.random.Generator | int = 0,
) -> float | Array:
    r"""Loss after training on sites drawn from the whole dataset.

    P distinct sites are drawn; each cluster is learned from those that fall into it, and one without any is predicted to be 0:
    :math:`L = \sum_k s_k\,\mathrm{loss}_k / \sum_k s_k`.

    Parameters
    ----------
    dataset : BetheDataset
        The clusters.
    samples : array_like of int, any shape
        P, from 0 to the number of all sites.
    estimator : {"consistent", "published", "naive"}
        As in `learning_curves`.
    rng : Generator or int
        Source of randomness; every entry of `samples` has its own draw.

    Returns
    -------
    float or ndarray
        Loss for each number of samples. A cluster all of whose sites are drawn has loss 0.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset
    >>> data = bethe_dataset(3)
    >>> data_losses(data, [0, data.parent.size])
    array([1., 0.])
    """
    instance("dataset", dataset, BetheDataset)
    counts = whole_counts("samples", samples, dataset, least=0)
    hyperbolic, decay = trust(dataset, estimator)
    out = np.empty(counts.size)
    with np.errstate(over="ignore"):
        key = new_key(generator(rng))
        _pooled_losses(
            dataset.parent.view(np.uint32),
            dataset.targets,
            dataset.offsets,
            counts.ravel(),
            hyperbolic,
            decay,
            key,
            out,
        )
    return out.reshape(counts.shape) if counts.ndim else float(out[0])


def random_allocations(
    dataset: BetheDataset,
    curves: LearningCurves,
    n: float,
    *,
    scales: ArrayLike = 1.0,
    weights: ArrayLike | None = None,
    candidates: int = 2000,
    simulated: int = 5,
    rng: np.random.Generator | int = 0,
) -> RandomAllocations:
    r"""Try random ways to share a model's degrees of freedom among clusters, and find the best.

    A candidate has an exponent a, uniform between 0 and 3, and a number of clusters :math:`k_b`, uniform in its logarithm. It gives
    :math:`n_k \propto k^{-a}` degrees of freedom, n in total, to the first :math:`k_b` clusters, that is
    :math:`t_k = \mathrm{round}(n_k m_k)` training sites, at most :math:`s_k - 1`.

    Parameters
    ----------
    dataset : BetheDataset
        The clusters.
    curves : LearningCurves
        Learning curves of the same clusters, from which all candidates are judged.
    n : float
        Degrees of freedom, positive.
    scales : array_like, shape () or (K,)
        :math:`m_k`, training sites per degree of freedom, positive: for example fitted scales.
    weights : array_like, shape (K,), optional
        :math:`w_k`, weights of the clusters in the loss, >= 0; by default their sizes.
    candidates : int
        C.
    simulated : int
        B, how many of the best are simulated, at most C.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    RandomAllocations
        Candidates, their losses, and the simulated losses of the best, which decide.

    Raises
    ------
    DomainError
        If an argument is out of range, or the curves are not of these clusters.

    Notes
    -----
    Losses are interpolated linearly in the logarithms of number and loss. Beyond the ends of a curve its last value stands, so
    that no candidate is favored by extrapolation; those that are simulated show what is lost by that.

    References
    ----------
    .. [1] A. Brill, arXiv:2412.07942 (2024), the experiment on random allocations.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import bethe_dataset, learning_curves
    >>> data = bethe_dataset(10, rng=4)
    >>> found = random_allocations(data, learning_curves(data), 100, candidates=50)
    >>> 1 <= found.break_rank <= 10, found.losses.shape
    (True, (50,))
    """
    instance("dataset", dataset, BetheDataset)
    instance("curves", curves, LearningCurves)
    candidates, simulated, n = (
        whole("candidates", candidates),
        whole("simulated", simulated),
        number("n", n, low=0, strict=True),
    )
    clusters = dataset.sizes.size
    if simulated > candidates:
        raise refusal("simulated", simulated, f"must be at most candidates = {candidates}")
    if not np.array_equal(curves.sizes, dataset.sizes):
        raise refusal("curves", None, "are those of another dataset", shown=False)
    per_unit = _positive_per_cluster("scales", scales, clusters, zero=False)
    share = _positive_per_cluster(
        "weights", dataset.sizes if weights is None else weights, clusters, zero=True
    )
    if not share.sum() > 0:
        raise refusal("weights", weights, "must not all be 0", shown=False)
    share = share / share.sum()
    afford(3.0 * candidates * clusters, "the allocations", "use fewer candidates")
    source = generator(rng)
    exponents = source.uniform(0, _STEEPEST, candidates)
    last = np.minimum(
        np.floor(np.exp(source.uniform(0, np.log(clusters + 1), candidates))).astype(np.int64),
        clusters,
    )
    rank = np.arange(1, clusters + 1)
    parts = np.where(rank <= last[:, None], rank ** -exponents[:, None], 0.0)
    parts *= n / parts.sum(axis=1, keepdims=True)
    counts = np.minimum(np.rint(parts * per_unit), dataset.sizes - 1).astype(np.int64)
    losses = _interpolated(curves, counts) @ share
    best = np.argsort(losses, kind="stable")[:simulated]
    found = share @ simulated_losses(
        dataset, np.ascontiguousarray(counts[best].T), curves.estimator, 1, source
    )
    order = np.argsort(found, kind="stable")
    return RandomAllocations(exponents, last, losses, best[order], found[order])


def _positive_per_cluster(name: str, values: ArrayLike, clusters: int, *, zero: bool) -> Array:
    """Return one finite number per cluster, all positive, or also zero."""
    found = floats(name, values)
    if (
        found.shape not in ((), (clusters,))
        or not (np.isfinite(found) & ((found > 0) | (zero & (found == 0)))).all()
    ):
        kind = ">= 0" if zero else "positive"
        raise refusal(
            name, values, f"must be finite and {kind}, one number or one per cluster", shown=False
        )
    return np.array(np.broadcast_to(found, clusters))


def _interpolated(curves: LearningCurves, counts: NDArray[np.int64]) -> Array:
    """Return losses (C, K) at numbers of training sites (C, K), 1 at none."""
    out = np.ones(counts.shape)
    for k in range(counts.shape[1]):
        some = counts[:, k] > 0
        if some.any():
            grid, place = np.unique(curves.training_counts[k], return_inverse=True)
            loss = np.bincount(place, curves.test_loss[k]) / np.bincount(
                place
            )  # one value where a number occurs twice
            floor = np.log(np.maximum(loss, np.finfo(float).tiny))
            out[some, k] = np.exp(np.interp(np.log(counts[some, k]), np.log(grid), floor))
    return out
