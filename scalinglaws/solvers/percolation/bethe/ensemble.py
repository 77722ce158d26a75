"""Expected losses of infinitely many clusters whose weights fall smoothly with rank.

The first clusters are summed one by one, those beyond a rank by the Euler-Maclaurin formula, with an integral over the logarithm of
the expected number of samples, and those with hardly any sample by a Newton series in the number of samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....equality import by_value
from ....reprs import short_repr
from ..sampling.expectation import HARD, expansion_threshold, expected_losses, powers_of_counts
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
        Sum over the ranks with probability q below p of their weight times (q/p)^j, as an integral; a function of log p and the array
        of j.
    head_weights : ndarray, optional
        Weights of the ranks `HEAD` in the loss, if they are not their probabilities.
    weight : callable, optional
        Weight of a cluster as a function of log p, if it is not p.
    """

    head: Array
    log_first: float
    density: Callable[[Array], Array]
    moments: Callable[[float, Array], Array]
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
    table = powers_of_counts(exponent)
    exponents, scales = np.array([exponent]), np.array([scale])
    thresholds = expansion_threshold(np.array([0.5]) if law else exponents)
    smooth_from = max(float(thresholds[0]), 100.0 * scale) if law else float(thresholds[0])
    small = np.arange(_NEWTON, dtype=float)
    if law == HARD:
        first = np.where((small <= scale) | (exponent == 0.0), 1.0, 0.0)
        if scale > 0.0 and np.isfinite(exponent):
            first = np.where(first == 1.0, 1.0, (np.maximum(small, 1.0) / scale) ** -exponent)
    else:
        first = np.array([tree_loss(d / scale) for d in small.tolist()])
    differences = np.array([np.diff(first, j)[0] if j else first[0] for j in range(_NEWTON)])

    head, head_weights = head_sum(ensemble.head)
    head_weights = head_weights * (head if ensemble.head_weights is None else ensemble.head_weights)
    losses, missing = np.empty(samples.size), 0.0
    found = np.empty(1)
    for i, count in enumerate(samples.tolist()):
        if count == 0.0:
            losses[i] = 1.0
            continue
        last = min(ensemble.log_first, float(np.log(_RARE / count)))
        shift = float(np.log(count))
        edges = _panels(last + shift, ensemble.log_first + shift, float(np.log(smooth_from)))
        half = 0.5 * np.diff(edges)
        log_p = (edges[:-1, None] + half[:, None] * (1.0 + _NODES)).ravel() - shift
        nodes = np.exp(log_p)
        own = nodes if ensemble.weight is None else ensemble.weight(log_p)
        node_weights = own * ensemble.density(log_p) * (half[:, None] * _WEIGHTS).ravel()
        sizes, weights = np.concatenate([head, nodes]), np.concatenate([head_weights, node_weights])
        expected_losses(
            np.array([count]),
            sizes,
            0.0,
            weights,
            exponents,
            thresholds,
            scales,
            law,
            table,
            exponent,
            found,
        )
        tail = ensemble.moments(last, small)
        falling = np.cumprod(
            np.concatenate([[1.0], np.maximum(count - small[:-1], 0.0) / (small[:-1] + 1)])
            * _scaled(last, small)
        )
        losses[i] = found[0] + float(np.sum(differences * falling * tail))
        missing = max(missing, abs(float(np.sum(weights)) + float(tail[0]) - 1.0))
    return losses, missing


def _scaled(log_p: float, small: Array) -> Array:
    """Return the steps p of the powers p^j, 1 at j = 0."""
    return np.where(small == 0.0, 1.0, np.exp(log_p))


def _panels(low: float, high: float, smooth: float) -> Array:
    """Divide an interval of the logarithm of the mean: unit widths, wider ones above `smooth`."""
    if not high > low:
        return np.array([low])
    middle = min(max(smooth, low), high)
    edges = (
        np.linspace(low, middle, max(int(np.ceil(middle - low)), 1) + 1)
        if middle > low
        else np.array([low])
    )
    if high > middle:
        edges = np.concatenate(
            [edges, np.linspace(middle, high, int(np.ceil((high - middle) / _STRETCH)) + 1)[1:]]
        )
    return edges
