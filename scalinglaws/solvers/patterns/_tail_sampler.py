"""Importance sampling of the tail of a sum of cubes, split by whether its largest term jumps."""

from __future__ import annotations

import math

import numpy as np

from .. import _jit
from .._roots import brentq
from ._cubes import ROOT_15, TRANSITION, larger_root
from ._normal import (
    IMPOSSIBLE,
    LOG_ROOT_2PI,
    Array,
    Estimate,
    Indices,
    blocks,
    cell_of,
    guide,
    log_mean,
)

_CELLS, _REACH = 4096, 9.0
_WIDTH = 2 * _REACH / _CELLS
_EDGES = np.linspace(-_REACH, _REACH, _CELLS + 1)
_CENTERS = 0.5 * (_EDGES[1:] + _EDGES[:-1])
_MEAN_CUBES = (_EDGES[1:] ** 4 - _EDGES[:-1] ** 4) / (4 * _WIDTH)  # of a number uniform in its cell
_PLAIN = 0.01  # share of untilted numbers that keeps the weights of the second part bounded


def sampled(
    n: int, s: float, samples: int, rng: np.random.Generator, *, jumps: bool
) -> tuple[Estimate, Estimate]:
    """Estimate log P(A_n > s) for no term and for the largest term above a threshold."""
    from scipy.special import log_ndtr

    deviation, target = s / (15 * n) ** 0.25, s * math.sqrt(n)
    strongest = min(s, TRANSITION * (15 * n) ** 0.25) / math.sqrt(n)
    # the tilted density turns upward here; the same cell edge in both parts, which therefore add up to the whole
    threshold = float(_EDGES[int((min(ROOT_15 / (3 * strongest), 6.0) + _REACH) / _WIDTH)])
    shared = IMPOSSIBLE
    if n * threshold**3 / ROOT_15 > target:
        total, logs, _ = _drawn(_shared_cells(threshold, target / n), n, samples, rng)
        shared = log_mean(np.where(total > target * ROOT_15, logs, -np.inf))
    if not jumps:
        return shared, IMPOSSIBLE
    jump = max(
        float(larger_root(np.array(deviation))) * (15 * n) ** 0.25 * math.sqrt(n),
        threshold**3 / ROOT_15,
    )
    total, logs, largest = _drawn(_background_cells((target - jump) / (n - 1)), n - 1, samples, rng)
    # the largest term is not drawn: the probability that it exceeds the others and brings what is missing is known.
    # Any of the n may be it
    least = np.maximum(np.maximum(largest, threshold), np.cbrt(target * ROOT_15 - total))
    return shared, log_mean(logs + log_ndtr(-least) + math.log(n))


def missed_by_tilt(n: int, s: float) -> float:
    """Return a bound from below of what one tilt leaves out of log P(A_n > s): one term is all that is needed, the others help."""
    from scipy.special import log_ndtr

    return math.log(n / 2) + float(log_ndtr(-np.cbrt(ROOT_15 * s * math.sqrt(n))))


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


def _drawn(
    cells: Array, terms: int, samples: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Draw samples of so many terms; return sums of cubes, logarithms of importance weights, and the largest terms."""
    law = _proposal(cells)
    total, logs, largest = np.zeros(samples), np.zeros(samples), np.full(samples, -_REACH)
    for rows, count in blocks(samples, terms):
        _add_draws(*law, count, total[rows], logs[rows], largest[rows], rng)
    return total, logs, largest


@_jit.njit
def _add_draws(
    cumulative: Array,
    first: Indices,
    density: Array,
    count: int,
    total: Array,
    logs: Array,
    largest: Array,
    rng: np.random.Generator,
) -> None:
    for i in range(total.size):
        cubes, weight, most = 0.0, 0.0, largest[i]
        for _ in range(count):
            j = cell_of(rng.random(), cumulative, first)
            a = -_REACH + (j + rng.random()) * _WIDTH
            cubes += a * a * a
            # log of normal density over proposal, a product over terms
            weight -= 0.5 * a * a + density[j]
            most = max(most, a)
        total[i] += cubes
        logs[i] += weight
        largest[i] = most
