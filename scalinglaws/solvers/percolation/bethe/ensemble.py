"""Expected losses of infinitely many clusters whose weights fall smoothly with rank.

The first clusters are summed one by one, those beyond a rank by the Euler-Maclaurin formula, with an integral over the logarithm of
the expected number of samples, and those with hardly any sample by a Newton series in the number of samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from ..sampling.expectation import HARD, expansion_threshold, expected_losses, law_table
from ..sampling.tabulated import FEWEST, MOST, loss_table
from .tree import tree_loss

Array = NDArray[np.float64]

FIRST = 512
"""Rank from which sums become integrals."""

# f/2 - f'/12 + f'''/720 - f'''''/30240 by differences over seven neighbors
STENCIL: Array = (
    np.array([0, 0, 0, 0.5, 0, 0, 0])
    - np.array([-1 / 60, 3 / 20, -3 / 4, 0, 3 / 4, -3 / 20, 1 / 60]) / 12
    + np.array([1 / 8, -1, 13 / 8, 0, -13 / 8, 1, -1 / 8]) / 720
    - np.array([-1 / 2, 2, -5 / 2, 0, 5 / 2, -2, 1 / 2]) / 30240
)
HEAD: Array = np.arange(1, FIRST + 4, dtype=float)
"""Ranks whose weights are needed one by one."""

_RARE = 0.01  # expected samples below which the Newton series takes over
_NEWTON = 7  # its terms; the next is below 1e-16
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_STRETCH = 4.0  # width of panels where the law is a sum of powers


@short_repr
@dataclass(frozen=True)
@by_value
class Ensemble:
    """Infinitely many clusters.

    Attributes
    ----------
    head : ndarray
        Probabilities of the ranks `HEAD` to be drawn.
    log_first : float
        Logarithm of the probability of rank `FIRST`, which may underflow.
    density : callable
        Number of clusters per unit of log p, as a function of log p.
    moments : callable
        Sum over the ranks with probability q below p of their weight times (q/p)^j, as an integral; a function of arrays of log p and
        of j that broadcast.
    head_weights : ndarray, optional
        Weights of the ranks `HEAD` in the loss, if they are not their probabilities.
    weight : callable, optional
        Weight of a cluster as a function of log p, if it is not p.
    """

    head: Array
    log_first: float
    density: Callable[[Array], Array]
    moments: Callable[[Array, Array], Array]
    head_weights: Array | None = None
    weight: Callable[[Array], Array] | None = None


def head_sum(values: Array) -> tuple[Array, Array]:
    """Return the entries of an array over `HEAD`, and their weights in a sum over ranks short of its integral from `FIRST`."""
    weights = np.ones(FIRST + 3)
    weights[FIRST - 4 : FIRST - 1] += STENCIL[:3]
    weights[FIRST - 1 :] = STENCIL[3:]
    return values, weights


def ensemble_losses(
    samples: Array, ensemble: Ensemble, exponent: float, scale: float, law: int
) -> tuple[Array, float]:
    """Return the loss for each number of samples, and how far the probabilities miss 1 when summed by the same rule."""
    losses = np.ones(samples.size)
    some = np.flatnonzero(samples > 0.0)
    if not some.size:
        return losses, 0.0
    exponents, scales = np.array([exponent]), np.array([scale])
    thresholds = expansion_threshold(np.array([0.5]) if law else exponents)
    smooth_from = max(float(thresholds[0]), 100.0 * scale) if law else float(thresholds[0])
    head, head_weights = head_sum(ensemble.head)
    head_weights = head_weights * (head if ensemble.head_weights is None else ensemble.head_weights)
    rule = (exponents, thresholds, scales, law, *law_table(law, exponent, scale))
    served = (samples >= FEWEST) & (samples <= MOST)
    tabulated = loss_table(law, exponent, scale) if served.any() else None
    with np.errstate(divide="ignore"):
        head_logs = np.log(head)

    counts = samples[some]
    shifts = np.log(counts)
    lasts = np.minimum(ensemble.log_first, np.log(_RARE / counts))
    log_p, node_weights, ends = _nodes(ensemble, shifts, lasts, math.log(smooth_from))
    nodes = np.exp(log_p)
    tails, masses = _tails(ensemble, counts, lasts, exponent, scale, law)
    missing, found, first = 0.0, np.empty(1), 0
    whole = float(np.sum(head_weights))
    for i, (count, shift, end) in enumerate(
        zip(counts.tolist(), shifts.tolist(), ends.tolist(), strict=True)
    ):
        own = slice(first, end)
        first = end
        total = 0.0
        if tabulated is not None and served[some[i]]:
            at = int(np.count_nonzero(head_logs + shift >= tabulated.low))
            total = tabulated.total(head_logs[:at], shift, head_weights[:at])
            total += tabulated.total(log_p[own], shift, node_weights[own])
            sizes, weights = head[at:], head_weights[at:]
        else:
            sizes = np.concatenate([head, nodes[own]])
            weights = np.concatenate([head_weights, node_weights[own]])
        if sizes.size:
            expected_losses(np.array([count]), sizes, 0.0, weights, *rule, found)
            total += found[0]
        losses[some[i]] = total + tails[i]
        missing = max(missing, abs(whole + float(np.sum(node_weights[own])) + masses[i] - 1.0))
    return losses, missing


def _nodes(
    ensemble: Ensemble, shifts: Array, lasts: Array, smooth: float
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return the logarithms and weights of what stands for ranks beyond the first, for all numbers of samples, and where each ends."""
    first = ensemble.log_first
    edges = [
        _panels(last + shift, first + shift, smooth)
        for last, shift in zip(lasts.tolist(), shifts.tolist(), strict=True)
    ]
    counts = np.array([len(row) - 1 for row in edges])
    low = np.array([edge for row in edges for edge in row[:-1]])
    half = 0.5 * (np.array([edge for row in edges for edge in row[1:]]) - low)
    shift = np.repeat(shifts, counts)
    log_p = ((low + half)[:, None] + half[:, None] * _NODES - shift[:, None]).ravel()
    own = np.exp(log_p) if ensemble.weight is None else ensemble.weight(log_p)
    weights = own * ensemble.density(log_p) * (half[:, None] * _WEIGHTS).ravel()
    return log_p, weights, np.cumsum(counts) * _NODES.size


def _tails(
    ensemble: Ensemble, counts: Array, lasts: Array, exponent: float, scale: float, law: int
) -> tuple[list[float], list[float]]:
    """Return what clusters with hardly a sample add to each loss, and the sums of their weights."""
    small = np.arange(_NEWTON, dtype=float)
    if law == HARD:
        first = np.where((small <= scale) | (exponent == 0.0), 1.0, 0.0)
        if scale > 0.0 and np.isfinite(exponent):
            first = np.where(first == 1.0, 1.0, (np.maximum(small, 1.0) / scale) ** -exponent)
    else:
        first = np.array([tree_loss(d / scale) for d in small.tolist()])
    differences = np.array([np.diff(first, j)[0] if j else first[0] for j in range(_NEWTON)])
    steps = (
        np.maximum(counts[:, None] - small[:-1], 0.0) / (small[:-1] + 1) * np.exp(lasts)[:, None]
    )
    falling = np.cumprod(np.concatenate([np.ones((counts.size, 1)), steps], axis=1), axis=1)
    tail = ensemble.moments(lasts[:, None], small)
    return np.sum(differences * falling * tail, axis=1).tolist(), tail[:, 0].tolist()


def _panels(low: float, high: float, smooth: float) -> list[float]:
    """Divide an interval of the logarithm of the mean: unit widths, wider ones above `smooth`."""
    edges = [low]
    if not high > low:
        return edges
    for end, width in ((min(max(smooth, low), high), 1.0), (high, _STRETCH)):
        start = edges[-1]
        if end > start:
            count = math.ceil((end - start) / width)
            edges += [start + (end - start) * j / count for j in range(1, count)]
            edges.append(end)
    return edges
