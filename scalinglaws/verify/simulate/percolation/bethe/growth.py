"""Growth of clusters on the Bethe lattice, and a random walk along their branches.

Every attempt to grow a cluster has a random stream of its own. A first pass grows attempts only to learn how large they become and
keeps nothing; those of accepted size are grown again, with parents and targets.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .....solvers._jit import njit
from ..._counter import bits, subkey
from ..._normal import normal

_PIECE = 12  # bits that decide a number of children, five times in a word; where they do not suffice, 52 more are drawn
_PER_WORD = 5
_BITS, _MASK, _REST = np.uint64(_PIECE), np.uint64(2**_PIECE - 1), np.uint64(64 - _PIECE)
_ZERO, _ONE, _TWO, _THREE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)


def binomial_table(trials: int, probability: float) -> tuple[NDArray[np.int8], NDArray[np.uint64]]:
    """Return what turns random bits into a binomial number.

    Parameters
    ----------
    trials : int
        At most 127.
    probability : float
        Of success, between 0 and 1.

    Returns
    -------
    tuple of ndarray
        The number for every value of the leading 12 bits, -1 where they do not decide it; and the cumulative probabilities times
        2^64: a word's number is how many of them do not exceed it.
    """
    weight, cumulative, thresholds = (1 - probability) ** trials, 0.0, []
    for k in range(trials):
        cumulative += weight
        thresholds.append(min(int(cumulative * 2.0**64), 2**64 - 1))
        weight *= (trials - k) / (k + 1) * probability / (1 - probability)
    bounds = np.array(thresholds, np.uint64)
    first = np.arange(2**_PIECE, dtype=np.uint64) << _REST
    low = np.searchsorted(bounds, first, side="right")
    high = np.searchsorted(bounds, first + np.uint64(2 ** (64 - _PIECE) - 1), side="right")
    return np.where(low == high, low, -1).astype(np.int8), bounds


@njit
def _number(word: np.uint64, bounds: NDArray[np.uint64]) -> int:
    """Return how many bounds do not exceed a word."""
    count = 0
    while count < bounds.size and bounds[count] <= word:
        count += 1
    return count


@njit
def _undecided(key: np.uint64, site: np.int64, piece: np.uint64, bounds: NDArray[np.uint64]) -> int:
    """Return the number of children of a site whose leading bits do not decide it."""
    return _number((piece << _REST) | (subkey(key, np.uint64(site)) >> _BITS), bounds)


@njit
def _grown_size(
    key: np.uint64,
    table: NDArray[np.int8],
    bounds: NDArray[np.uint64],
    root: NDArray[np.uint64],
    largest: int,
) -> int:
    """Return the size of a cluster, or some number above `largest`."""
    total = 1 + _number(bits(key, _ZERO), root)
    site, position = np.int64(1), _ONE  # as a literal it would have `_undecided` compiled twice
    while site < total <= largest:
        word = bits(key, position)
        position += _ONE
        for _ in range(_PER_WORD):
            children = int(table[word & _MASK])
            if children < 0:
                children = _undecided(key, site, word & _MASK, bounds)
            total += children
            word >>= _BITS
            site += 1
            if site == total:
                break
    return total


@njit
def accepted_attempts(
    key: np.uint64,
    first: int,
    last: int,
    table: NDArray[np.int8],
    bounds: NDArray[np.uint64],
    root: NDArray[np.uint64],
    smallest: int,
    largest: int,
    attempts: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> tuple[int, int]:
    """Grow the attempts from `first` to before `last`, until enough are accepted; return how many are, and the sites grown."""
    found, grown = 0, 0
    for attempt in range(first, last):
        size = _grown_size(subkey(key, np.uint64(attempt)), table, bounds, root, largest)
        grown += size
        if smallest <= size <= largest:
            attempts[found] = attempt
            sizes[found] = size
            found += 1
            if found == attempts.size:
                break
    return found, grown


@njit
def _grow(
    key: np.uint64,
    table: NDArray[np.int8],
    bounds: NDArray[np.uint64],
    root: NDArray[np.uint64],
    parent: NDArray[np.int32],
) -> None:
    """Write the parent of every site of a cluster, breadth first."""
    size = parent.size
    parent[0] = -1
    child = 1 + _number(bits(key, _ZERO), root)
    for i in range(1, child):
        parent[i] = 0
    site, position = np.int64(1), _ONE  # as a literal it would have `_undecided` compiled twice
    while child < size:
        word = bits(key, position)
        position += _ONE
        for _ in range(_PER_WORD):
            children = int(table[word & _MASK])
            if children < 0:
                children = _undecided(key, site, word & _MASK, bounds)
            if children <= 4 and child + 4 <= size:
                # what is written too much the next site overwrites: no branch on an unpredictable number
                place = np.uint64(child)
                parent[place] = site
                parent[place + _ONE] = site
                parent[place + _TWO] = site
                parent[place + _THREE] = site
            else:
                for more in range(children):
                    parent[child + more] = site
            child += children
            word >>= _BITS
            site += 1
            if child == size:
                break


@njit
def _walk(key: np.uint64, parent: NDArray[np.uint32], targets: NDArray[np.float32]) -> float:
    """Give every site the value of its parent plus a normal number; return the sum."""
    targets[0] = 0.0
    total = 0.0
    for i in range(
        1, parent.size
    ):  # a loop of its own: together with the sums it takes twice as long
        targets[i] = normal(key, np.uint64(i))
    for i in range(1, parent.size):
        value = np.float64(targets[parent[i]]) + np.float64(targets[i])
        targets[i] = value
        total += value
    return total


@njit
def _standardize(targets: NDArray[np.float32], mean: float) -> float:
    """Subtract the mean and divide by the standard deviation; return its square."""
    square = 0.0
    for i in range(targets.size):
        centered = np.float64(targets[i]) - mean
        square += centered * centered
    variance = square / targets.size
    scale = 1 / math.sqrt(variance)
    for i in range(targets.size):
        targets[i] = (np.float64(targets[i]) - mean) * scale
    return variance


@njit
def grow_again(
    key: np.uint64,
    target_key: np.uint64,
    attempts: NDArray[np.int64],
    table: NDArray[np.int8],
    bounds: NDArray[np.uint64],
    root: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    parent: NDArray[np.int32],
    targets: NDArray[np.float32],
    variance: NDArray[np.float64],
) -> None:
    """Fill in parents, standardized targets and raw variances of accepted attempts."""
    for k in range(attempts.size):
        attempt = np.uint64(attempts[k])
        tree, values = parent[offsets[k] : offsets[k + 1]], targets[offsets[k] : offsets[k + 1]]
        _grow(subkey(key, attempt), table, bounds, root, tree)
        total = _walk(subkey(target_key, attempt), tree.view(np.uint32), values)
        variance[k] = _standardize(values, total / values.size)
