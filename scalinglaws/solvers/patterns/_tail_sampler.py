"""Importance sampling of the tail of a sum of cubes, split by whether its largest term jumps."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from .. import _jit
from ._cubes import ROOT_15, TRANSITION, larger_root
from ._normal import LOG_ROOT_2PI, Array, Indices, cell_of, guide, log_mean, log_tail_of_normal

_CELLS, _REACH = 4096, 9.0
_WIDTH = 2 * _REACH / _CELLS
_EDGES = np.linspace(-_REACH, _REACH, _CELLS + 1)
_CENTERS = 0.5 * (_EDGES[1:] + _EDGES[:-1])
_MEAN_CUBES = (_EDGES[1:] ** 4 - _EDGES[:-1] ** 4) / (4 * _WIDTH)  # of a number uniform in its cell
_PLAIN = 0.01  # share of untilted numbers that keeps the weights of the second part bounded


def sampled(
    n: int, s: float, samples: int, rng: np.random.Generator, *, jumps: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return log P(A_n > s) and its standard error, for no term and for the largest term above a threshold."""
    deviation, target = s / (15 * n) ** 0.25, s * math.sqrt(n)
    strongest = min(s, TRANSITION * (15 * n) ** 0.25) / math.sqrt(n)
    # the tilted density turns upward here; the same cell edge in both parts, which therefore add up to the whole
    threshold = float(_EDGES[int((min(ROOT_15 / (3 * strongest), 6.0) + _REACH) / _WIDTH)])
    shared = (-math.inf, 0.0)
    if n * threshold**3 / ROOT_15 > target:
        shared = log_mean(
            _sums(*_proposal(_shared_cells(threshold, target / n)), n, target, samples, rng)
        )
    if not jumps:
        return shared, (-math.inf, 0.0)
    jump = max(
        float(larger_root(np.array(deviation))) * (15 * n) ** 0.25 * math.sqrt(n),
        threshold**3 / ROOT_15,
    )
    cells = _background_cells((target - jump) / (n - 1))
    value, error = log_mean(_jumps(*_proposal(cells), n - 1, target, threshold, samples, rng))
    return shared, (value + math.log(n), error)


def _shared_cells(threshold: float, mean: float) -> Array:
    """Tilt numbers up to the threshold until each term has the mean that the event needs."""
    inside = _EDGES[1:] <= threshold + 1e-9

    def cells(theta: float) -> Array:
        logs = np.where(inside, theta * _CENTERS**3 / ROOT_15 - _CENTERS**2 / 2, -np.inf)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    high = 1.0
    while _mean(cells(high)) < mean and high < 1e6:
        high *= 2
    return cells(brentq(lambda theta: _mean(cells(theta)) - mean, -1.0, high, xtol=1e-10))


def _background_cells(mean: float) -> Array:
    """Tilt the terms that do not jump until they have the mean that is left for them, 5 % more at most."""

    def cells(theta: float) -> Array:
        bounded = np.minimum(_CENTERS, ROOT_15 / (3 * theta)) if theta > 0 else _CENTERS
        logs = theta * bounded**3 / ROOT_15 - _CENTERS**2 / 2
        weights, plain = np.exp(logs - logs.max()), np.exp(-(_CENTERS**2) / 2)
        return np.asarray((1 - _PLAIN) * weights / weights.sum() + _PLAIN * plain / plain.sum())

    if mean <= 0:
        return cells(0.0)
    most = 1.05 * mean
    if _mean(cells(most)) <= mean:
        return cells(most)
    return cells(brentq(lambda theta: _mean(cells(theta)) - mean, 0.0, most, xtol=1e-12))


def _mean(cells: Array) -> float:
    return float(cells @ _MEAN_CUBES) / ROOT_15


def _proposal(cells: Array) -> tuple[Array, Indices, Array]:
    """Return what draws from cells need: cumulative probabilities, their guide, log densities plus log root of 2 pi."""
    with np.errstate(divide="ignore"):
        # proposal over normal density is exp(logs + a^2/2): the root of 2 pi cancels in the weight
        logs = np.log(cells / _WIDTH) + LOG_ROOT_2PI
    return (*guide(cells), logs)


@_jit.njit
def _sums(
    cumulative: Array,
    first: Indices,
    logs: Array,
    n: int,
    target: float,
    samples: int,
    rng: np.random.Generator,
) -> Array:
    out = np.empty(samples)
    for i in range(samples):
        total, weight = 0.0, 0.0
        for _ in range(n):
            j = cell_of(rng.random(), cumulative, first)
            a = -_REACH + (j + rng.random()) * _WIDTH
            total += a * a * a
            # log of normal density over proposal, a product over terms
            weight -= 0.5 * a * a + logs[j]
        out[i] = weight if total > target * ROOT_15 else -math.inf
    return out


@_jit.njit
def _jumps(
    cumulative: Array,
    first: Indices,
    logs: Array,
    others: int,
    target: float,
    threshold: float,
    samples: int,
    rng: np.random.Generator,
) -> Array:
    out = np.empty(samples)
    for i in range(samples):
        total, weight, largest = 0.0, 0.0, threshold
        for _ in range(others):
            j = cell_of(rng.random(), cumulative, first)
            a = -_REACH + (j + rng.random()) * _WIDTH
            total += a * a * a
            weight -= 0.5 * a * a + logs[j]
            largest = max(largest, a)
        # the largest term is not drawn: the probability that it exceeds the others and brings
        # what is missing is known. Which of the n it is, the caller counts
        out[i] = weight + log_tail_of_normal(max(largest, np.cbrt(target * ROOT_15 - total)))
    return out
