"""Distance to the nearest training site on a tree, for all sites at once.

Distance and position of the nearest site found so far are one number, the distance in the upper half. Sites are in breadth-first
order, so one sweep from the leaves and one from the root reach everything, and each step is an addition and a minimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....errors import refusal
from .....results import Result
from .....solvers._jit import njit
from ..._counter import uniform

_STEP = 2**32
_FAR = 2**62
_SITE = np.uint64(2**32 - 1)
_ONE = np.uint64(1)


@dataclass(frozen=True)
class NearestSites(Result):
    """The nearest training site of every site of a tree.

    Attributes
    ----------
    distance : ndarray of int64, shape (s,)
        Number of edges to it.
    site : ndarray of int64, shape (s,)
        Its position; of several, the first.
    """

    distance: NDArray[np.int64]
    site: NDArray[np.int64]


@njit
def choose(key: np.uint64, count: int, chosen: NDArray[np.uint8]) -> None:
    """Mark distinct random sites; none is marked yet."""
    # if more than half are wanted, it is those that stay out that are drawn
    size = chosen.size
    mark, left = (1, count) if 2 * count <= size else (0, size - count)
    if mark == 0:
        for i in range(size):
            chosen[i] = 1
    position = np.uint64(0)
    while left > 0:
        site = int(uniform(key, position) * size)
        position += _ONE
        if chosen[site] != mark:
            chosen[site] = mark
            left -= 1


@njit
def _begin(chosen: NDArray[np.uint8], nearest: NDArray[np.int64]) -> int:
    """Start with the marked sites alone; remove the marks and return how many there were."""
    count = 0
    for i in range(chosen.size):
        marked = chosen[i]
        chosen[i] = 0
        count += marked
        nearest[i] = i if marked else _FAR
    return count


@njit
def _sweep(parent: NDArray[np.uint32], nearest: NDArray[np.int64]) -> None:
    """Find the nearest marked site of every site."""
    # Written so that no step branches: which of two is less is unpredictable.
    for i in range(parent.size - 1, 0, -1):
        above = parent[i]
        one, other = nearest[i] + _STEP, nearest[above]
        nearest[above] = one if one < other else other
    for i in range(1, parent.size):
        one, other = nearest[parent[i]] + _STEP, nearest[i]
        nearest[i] = one if one < other else other


@njit
def _everywhere(
    parent: NDArray[np.uint32], chosen: NDArray[np.uint8], nearest: NDArray[np.int64]
) -> None:
    """Find the nearest marked site of every site; remove the marks."""
    _begin(chosen, nearest)
    _sweep(parent, nearest)


@njit
def _linear_error(targets: NDArray[np.float32], nearest: NDArray[np.int64], decay: float) -> float:
    """Return the summed squared error if the neighbor's value is trusted to 1 minus `decay` times its distance, or not at all."""
    total = 0.0
    for i in range(targets.size):
        here = nearest[i]
        trust = 1 - decay * (here >> 32)
        trust = trust if trust > 0 else 0.0
        error = np.float64(targets[i]) - trust * np.float64(targets[np.uint64(here) & _SITE])
        total += error * error
    return total


@njit
def _hyperbolic_error(
    targets: NDArray[np.float32], nearest: NDArray[np.int64], decay: float
) -> float:
    """Return the summed squared error if the neighbor's value is divided by 1 plus `decay` times its distance."""
    total = 0.0
    for i in range(targets.size):
        here = nearest[i]
        error = np.float64(targets[i]) - np.float64(targets[np.uint64(here) & _SITE]) / (
            1 + decay * (here >> 32)
        )
        total += error * error
    return total


@njit
def mean_squared_error(
    parent: NDArray[np.uint32],
    targets: NDArray[np.float32],
    chosen: NDArray[np.uint8],
    nearest: NDArray[np.int64],
    hyperbolic: bool,
    decay: float,
) -> float:
    """Return the error of one cluster outside its marked sites: 1 if none is marked, 0 if all are; remove the marks."""
    count, size = _begin(chosen, nearest), targets.size
    if count == 0 or count == size:
        return 1.0 if count == 0 else 0.0
    _sweep(parent, nearest)
    total = (
        _hyperbolic_error(targets, nearest, decay)
        if hyperbolic
        else _linear_error(targets, nearest, decay)
    )
    return total / (size - count)


@njit
def count_distances(
    parent: NDArray[np.uint32],
    chosen: NDArray[np.uint8],
    nearest: NDArray[np.int64],
    histogram: NDArray[np.int64],
) -> tuple[float, float]:
    """Count sites by distance, the last entry taking all larger ones; return mean and mean square; remove the marks."""
    _everywhere(parent, chosen, nearest)
    last = histogram.size - 1
    total, square = 0.0, 0.0
    for i in range(parent.size):
        distance = nearest[i] >> 32
        total += distance
        square += float(distance) * distance
        histogram[min(distance, last)] += 1
    return total / parent.size, square / parent.size


def nearest_training_site(parent: ArrayLike, training: ArrayLike) -> NearestSites:
    """Find the nearest training site of every site of a tree, in graph distance.

    Parameters
    ----------
    parent : array_like of int, shape (s,)
        Position of every site's parent, less than its own (as in breadth-first order); the first entry, the root's, is not read.
    training : array_like
        Positions of training sites, or a boolean array of shape (s,) that marks them; at least one.

    Returns
    -------
    NearestSites
        Distances, and positions of the nearest training sites; where several are equally near, the first one's.

    Raises
    ------
    DomainError
        If a parent does not come before its child, no site is marked, or a position is not in the tree.

    Notes
    -----
    Two sweeps, O(s) whatever the number of training sites.

    Examples
    --------
    >>> nearest_training_site([-1, 0, 0, 1, 1], [3]).distance
    array([2, 1, 3, 0, 2])
    """
    tree = np.asarray(parent)
    if tree.ndim != 1 or tree.size == 0 or tree.dtype.kind not in "iu":
        raise refusal(
            "parent", parent, "must be a non-empty one-dimensional array of integers", shown=False
        )
    wrong = (tree[1:] < 0) | (tree[1:] >= np.arange(1, tree.size))
    if wrong.any():
        first = int(np.argmax(wrong)) + 1
        complaint = f"must be >= 0 and less than {first}"
        raise refusal("parent", int(tree[first]), complaint, at=first)
    chosen = _marks(training, tree.size)
    nearest = np.empty(tree.size, np.int64)
    _everywhere(_unsigned(tree), chosen, nearest)
    return NearestSites(nearest >> 32, nearest & (_STEP - 1))


def _unsigned(parent: NDArray[Any]) -> NDArray[np.uint32]:
    """Return parents as unsigned numbers, which kernels need not test for being negative; the root's is not read."""
    return parent.astype(np.int64).astype(np.uint32)


def _marks(training: ArrayLike, size: int) -> NDArray[np.uint8]:
    """Return marks of training sites."""
    given = np.asarray(training)
    if given.dtype == np.bool_:
        if given.shape != (size,):
            raise refusal(
                "training", training, f"has shape {given.shape}; marks need ({size},)", shown=False
            )
        marks = given.astype(np.uint8)
    else:
        if given.dtype.kind not in "iu" and given.size:
            raise refusal("training", training, "must be whole numbers or marks", shown=False)
        flat = given.ravel()
        outside = (flat < 0) | (flat >= size)
        if outside.any():
            worst = flat[np.argmax(outside)]
            raise refusal(
                "training",
                int(worst),
                f"holds {worst}, which must be >= 0 and less than {size}",
                shown=False,
            )
        marks = np.zeros(size, np.uint8)
        marks[flat.astype(np.int64)] = 1
    if not marks.any():
        raise refusal("training", training, "must mark at least one site", shown=False)
    return marks
