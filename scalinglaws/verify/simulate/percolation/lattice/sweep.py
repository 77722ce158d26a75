"""Sites or bonds occupied one by one in random order (Newman and Ziff), and averages at a given occupation probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import MOST_EXACT, afford, flags, generator, instance, numbers, whole
from .....errors import refusal
from .....solvers._jit import njit
from ... import _counter
from ..._counter import below
from .clusters import one_of_kinds
from .records import CanonicalAverages, OccupationSweep, boundaries, counted

Array = NDArray[np.float64]

_EMPTY = np.int32(-(2**31))
_NEGLIGIBLE = 1e-40  # binomial weights below this share of the largest


def newman_ziff(
    length: int,
    dimension: int,
    *,
    kind: str = "site",
    periodic: bool | Sequence[bool] = True,
    samples: int = 1,
    first: int = 0,
    rng: np.random.Generator | int = 0,
) -> OccupationSweep:
    """Occupy sites or bonds one by one in random order, and follow the largest cluster and the sum of squared sizes.

    Parameters
    ----------
    length : int
        Number of sites along each axis.
    dimension : int
        Number of axes.
    kind : str
        ``"site"`` or ``"bond"``; along a periodic axis of two sites there are two bonds between them.
    periodic : bool or sequence of bool
        Whether the last site along an axis is a neighbor of the first: for all axes, or one flag per axis.
    samples : int
        Number of random orders to average over.
    first : int
        Number of the first one; order i is the same in whatever portions they are drawn.
    rng : Generator or int
        Source of randomness; a seed where samples are drawn in portions.

    Returns
    -------
    OccupationSweep
        Means for every number of occupied sites or bonds; see `canonical` for given probabilities.

    Raises
    ------
    DomainError
        If an argument is out of range, or there are 2^31 sites or bonds, or more.
    ResourceError
        If the lattice would not fit into memory.

    Notes
    -----
    Cost: one union-find for each site or bond and neighbor. Sums over samples are exact while they stay below 2^53.

    References
    ----------
    Newman and Ziff, Phys. Rev. E 64, 016706 (2001).

    Examples
    --------
    >>> sweep = newman_ziff(2, 2, rng=1)
    >>> sweep.squares[[0, 1, 3, 4]]
    array([ 0.,  1.,  9., 16.])
    """
    length, dimension, samples = (
        whole("length", length),
        whole("dimension", dimension),
        whole("samples", samples),
    )
    first = whole("first", first, low=0, high=MOST_EXACT)
    wrapped = flags("periodic", periodic, dimension)
    bonds = one_of_kinds(kind) == "bond"
    axes = dimension if bonds else 1
    if dimension * math.log2(length) + math.log2(axes) >= 31:
        raise refusal("length", length, "must make less than 2^31 sites or bonds")
    volume = length**dimension
    cut = wrapped.count(False) if bonds else 0
    places = volume * axes - cut * (volume // length)
    afford(volume / 2 + 3 * axes * volume, "the sweep", "use a smaller lattice")
    order, link = np.empty(volume * axes, np.int32), np.empty(volume, np.int32)
    largest, squares = np.zeros(places + 1), np.zeros(places + 1)
    source = _counter.new_key(generator(rng))
    for i in range(samples):
        with np.errstate(over="ignore"):
            _shuffle(np.uint64(_counter.subkey(source, np.uint64(first + i))), order)
        _occupy(order, length, dimension, bonds, np.array(wrapped[::-1]), link, largest, squares)
    largest /= samples
    squares /= samples
    return OccupationSweep(
        length,
        dimension,
        kind,
        boundaries(wrapped),
        samples,
        largest,
        squares,
        counted("Newman-Ziff union-find in random order", samples),
    )


def canonical(sweep: OccupationSweep, occupation: ArrayLike) -> CanonicalAverages:
    r"""Average over the number of occupied sites or bonds, each of them being occupied with the same probability.

    .. math:: \bar Q(p) = \sum_n \binom Nn p^n (1-p)^{N-n} Q_n .

    Parameters
    ----------
    sweep : OccupationSweep
        :math:`Q_n`, the largest cluster and the sum of squares for n of N occupied sites or bonds.
    occupation : float or array_like
        p, between 0 and 1.

    Returns
    -------
    CanonicalAverages
        Both averages, in the shape of `occupation`.

    Raises
    ------
    DomainError
        If an occupation is not between 0 and 1.

    Notes
    -----
    Weights follow from their neighbors, outward from the largest one, down to 1e-40 of it, and are divided by their sum: nothing
    underflows, and some :math:`27\sqrt{N p (1-p)}` terms are needed.

    Examples
    --------
    >>> averages = canonical(newman_ziff(16, 1), [0.0, 0.5, 1.0])
    >>> averages.largest[[0, 2]]
    array([ 0., 16.])
    """
    instance("sweep", sweep, OccupationSweep)
    wanted = numbers("occupation", occupation, low=0, high=1)
    flat = np.ascontiguousarray(wanted.reshape(-1))
    found = np.empty((2, flat.size))
    for row, values in zip(found, (sweep.largest, sweep.squares), strict=True):
        _binomial_averages(values, flat, row)
    diagnostics = counted("binomial weights", sweep.samples)
    if wanted.ndim == 0:
        return CanonicalAverages(
            float(flat[0]), float(found[0, 0]), float(found[1, 0]), diagnostics
        )
    return CanonicalAverages(
        wanted, found[0].reshape(wanted.shape), found[1].reshape(wanted.shape), diagnostics
    )


@njit
def _binomial_averages(values: Array, occupation: Array, out: Array) -> None:
    last = values.size - 1
    for i in range(occupation.size):
        p = occupation[i]
        if p <= 0.0 or p >= 1.0:
            out[i] = values[0] if p <= 0.0 else values[last]
            continue
        top = min(int((last + 1) * p), last)
        total, weighted = 1.0, values[top]
        weight = 1.0
        for n in range(top, last):
            weight *= (last - n) / (n + 1.0) * (p / (1.0 - p))
            if weight < _NEGLIGIBLE:
                break
            total += weight
            weighted += weight * values[n + 1]
        weight = 1.0
        for n in range(top, 0, -1):
            weight *= n / (last - n + 1.0) * ((1.0 - p) / p)
            if weight < _NEGLIGIBLE:
                break
            total += weight
            weighted += weight * values[n - 1]
        out[i] = weighted / total


@njit
def _shuffle(key: np.uint64, order: NDArray[np.int32]) -> None:
    """Write a random permutation."""
    counter = np.uint64(0)
    for i in range(order.size):
        drawn, counter = below(key, np.uint64(counter), np.uint64(i + 1))
        order[i] = order[np.int64(drawn)]
        order[np.int64(drawn)] = i


@njit
def _root(link: NDArray[np.int32], node: int) -> int:
    parent = link[node]
    while parent >= 0:
        above = link[parent]
        if above < 0:
            return int(parent)
        link[node] = above
        node = int(above)
        parent = link[node]
    return node


@njit
def _occupy(
    order: NDArray[np.int32],
    length: int,
    dimension: int,
    bonds: bool,
    periodic: NDArray[np.bool_],
    link: NDArray[np.int32],
    largest: Array,
    squares: Array,
) -> None:
    """Occupy in the given order and add the running largest size and sum of squares; roots hold minus their size.

    Axes, and their flags of `periodic`, are counted from the one along which sites are numbered first.
    """
    volume = link.size
    biggest, total = 0, 0.0
    if bonds:
        for site in range(volume):
            link[site] = -1
        biggest, total = 1, float(volume)
    else:
        for site in range(volume):
            link[site] = _EMPTY
    largest[0] += biggest
    squares[0] += total
    # division by the length as multiplication and shift, exact for numbers below 2^31
    shift = 31
    while (1 << (shift - 31)) < length:
        shift += 1
    factor = (1 << shift) // length + 1
    done = 0
    for place in order:
        root, only = int(place), -1
        if bonds:
            only = root // volume
            root -= only * volume
        rest, stride, missing = root, 1, False
        site = root
        if bonds:
            root = _root(link, root)
        else:
            link[root] = -1
            total += 1.0
            biggest = max(biggest, 1)
        for axis in range(dimension):
            quotient = (rest * factor) >> shift
            x = rest - quotient * length
            rest = quotient
            if only < 0 or only == axis:
                around = (length - 1) * stride
                for side in range(1 if bonds else 2):
                    if side == 0:
                        edge = x == 0
                        other = site + (around if edge else -stride)
                    else:
                        edge = x == length - 1
                        other = site + (-around if edge else stride)
                    if edge and not periodic[axis]:
                        missing = bonds
                        continue
                    if link[other] == _EMPTY:
                        continue
                    other = _root(link, other)
                    if other == root:
                        continue
                    mine, its = int(link[root]), int(link[other])
                    total += 2.0 * float(mine) * float(its)
                    smaller = mine > its  # sizes are negative
                    child = root if smaller else other
                    root = other if smaller else root
                    link[child] = root
                    link[root] = mine + its
                    biggest = max(biggest, -(mine + its))
            stride *= length
        if missing:  # a bond across a free boundary does not exist
            continue
        done += 1
        largest[done] += biggest
        squares[done] += total
