"""A masked coordinate: how much better its value is predicted by one who knows the cluster, counted on values that are drawn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .....arguments import afford, generator, instance, number, whole, whole_numbers
from .....errors import ResourceError, refusal
from ..lattice.records import LabeledClusters

Array = NDArray[np.float64]

_MOST_DRAWN = 1e8  # values of one call: some seconds


def masked_gains(
    extents: ArrayLike,
    *,
    vocabulary: int,
    background: float,
    values: int = 10_000,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> Array:
    r"""Cross-entropy that knowing a cluster saves in predicting a masked coordinate, from values that are drawn and counted.

    Of the V values R lie in the cluster, and each has the weight 1, the others p. Values are drawn from the whole vocabulary and
    taken with their weight, as many as asked for; one who knows the cluster pays :math:`-\log q` for a value of probability q, one
    who does not, log V.

    Parameters
    ----------
    extents : array_like of int, shape (J,)
        R, 0 to V.
    vocabulary : int
        V.
    background : float
        p, above 0 and at most 1.
    values : int
        How many to draw.
    draws : int
        How often.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    ndarray, shape (draws, J)
        Mean of :math:`\log V + \log q` over the values drawn.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If more than 1e8 values would be drawn.

    Examples
    --------
    >>> gain = masked_gains([0, 50, 1000], vocabulary=1000, background=0.1, draws=4)
    >>> gain[:, [0, 2]].tolist() == [[0, 0]] * 4, bool(np.all((gain[:, 1] > 0.3) & (gain[:, 1] < 0.5)))
    (True, True)
    """
    size = whole("vocabulary", vocabulary, high=2**53)
    inside = whole_numbers("extents", extents, low=0, high=size)
    if inside.ndim != 1 or inside.size == 0:
        complaint = f"must be one-dimensional and not empty; got shape {inside.shape}"
        raise refusal("extents", inside.shape, complaint, shown=False)
    p = number("background", background, low=0.0, high=1.0, strict=True)
    count, times = whole("values", values), whole("draws", draws)
    afford(float(times) * inside.size, "the gains", "use fewer draws")
    afford(3.0 * count, "the values of a draw", "use fewer values")
    if float(times) * inside.size * count > _MOST_DRAWN * p:
        raise ResourceError(
            f"{times} draws of {count} values for {inside.size} extents, of which a share of {p:.3g} may be taken, are too many; "
            "use fewer draws or values"
        )
    source, gains = generator(rng), np.empty((times, inside.size))
    for row in gains:
        for j, extent in enumerate(inside):
            total = extent + p * (size - extent)
            hits, taken = 0, 0
            while taken < count:
                # the cluster is the first values of the vocabulary: their order says nothing
                known = source.integers(0, size, count) < extent
                fits = known | (source.random(count) < p)
                chosen = known[fits][: count - taken]
                hits, taken = hits + int(chosen.sum()), taken + chosen.size
            row[j] = math.log(size / total) + (1.0 - hits / count) * math.log(p)
    return np.where((inside == 0) | (inside == size), 0.0, gains)


def line_gains(found: LabeledClusters, *, background: float) -> Array:
    r"""Cross-entropy that each cluster of a lattice saves in all contexts together, counted line by line.

    A context is a line along the last axis, whose coordinate is masked: V places, R of them in the cluster. With
    :math:`Z = R + p(V - R)` knowing the cluster saves :math:`\log V + \sum_v q_v\log q_v` there, where :math:`q_v` is 1/Z for places in the
    cluster and p/Z for others.

    Parameters
    ----------
    found : LabeledClusters
        A lattice and its clusters.
    background : float
        p, above 0 and at most 1.

    Returns
    -------
    ndarray, shape (K,)
        Sum over lines, for each of K clusters.

    Raises
    ------
    DomainError
        If an argument is out of range.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import label_clusters
    >>> lattice = label_clusters([[True, True] + 98 * [False], [True] + 99 * [False]])
    >>> np.round(line_gains(lattice, background=0.5), 4)
    array([0.0112])
    """
    instance("found", found, LabeledClusters)
    p = number("background", background, low=0.0, high=1.0, strict=True)
    size = found.labels.shape[-1]
    afford(3.0 * found.labels.size, "the labels of all lines", "use a smaller lattice")
    lines = found.labels.reshape(-1, size).astype(np.int64)
    lines += (np.arange(lines.shape[0]) * (found.count + 1))[:, None]
    which, extent = np.unique(lines, return_counts=True)
    label = which % (found.count + 1)
    share = np.array([extent, size - extent])  # places inside and outside
    total = extent + p * (size - extent)
    q = np.array([1.0 / total, p / total])
    gain = math.log(size) + (share * q * np.log(q)).sum(axis=0)
    return np.asarray(np.bincount(label, gain, found.count + 1)[1:], float)
