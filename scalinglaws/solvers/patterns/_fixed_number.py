r"""Aligned networks with a fixed number M of specialized neurons: the likeliest of them, and how many there are around it.

A neuron counts as specialized if its weight is beyond a threshold b, half of the likeliest specialized weight or less. Networks
with M = 0, 1, 2, ... of them exclude each other, so that

.. math::

    P(A \ge 1) = \sum_M P_M, \qquad P_M = \binom NM\, E_{|w_1|, ..., |w_M| > b > |w_{M + 1}|, ...}\ \bar\Phi(V^{-1/2}) .

Given M, the sum :math:`\Psi = N V` of overlaps is no longer spread over two phases, which is where mean-field theory fails
in layers narrower than the input.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...reprs import short_repr
from .._roots import brentq
from ._costs import specialized_cost
from ._normal import LOG_ROOT_2PI, Array, log_tail_of_normal
from ._site import (
    Moments,
    best_weight,
    hazard,
    moments,
    one_neuron,
    over_one_neuron,
    psi,
    tilted_by,
)

_SPARE = 120.0  # by which weights beyond the reach are less likely than the event
_MOST = 64  # specialized neurons
_CELLS = 1024
_NEGLIGIBLE = (
    40.0  # by which a number of neurons that is left out is less likely than the likeliest
)


@short_repr
@dataclass(frozen=True)
class FixedNumber:
    """Networks with a fixed number of specialized neurons around the likeliest one.

    Attributes
    ----------
    n, d : float
        Width and input dimension.
    neurons : int
        M.
    threshold, reach : float
        Weights between which a neuron is specialized.
    tilt : float
        Slope of the logarithm of the chance to align in the sum of overlaps.
    overlap : float
        Of each specialized neuron; 0 without any.
    rest : float
        Summed overlap of the others.
    log_probability : float
        Estimate of log P_M from the saddle point.
    """

    n: float
    d: float
    neurons: int
    threshold: float
    reach: float
    tilt: float
    overlap: float
    rest: float
    log_probability: float

    @property
    def log_ways(self) -> float:
        """Logarithm of the number of choices of the specialized neurons."""
        from scipy.special import gammaln

        others = self.n - self.neurons
        return float(gammaln(self.n + 1) - gammaln(self.neurons + 1) - gammaln(others + 1))


def bounds_of_specialized(n: float, d: float) -> tuple[float, float]:
    """Return the weights between which a neuron is specialized."""
    found = specialized_cost(n, d)
    r = float(found.squared_weight)
    # below r = 3 half the weight; above, the valley between the two phases
    threshold = math.sqrt(min(r / 4, 9 / (4 * r)))
    return threshold, math.sqrt(2 * (float(found.cost) + _SPARE + math.log(n)) / d)


def fixed_number(n: float, d: float, neurons: int, threshold: float, reach: float) -> FixedNumber:
    """Find the saddle point of networks with so many specialized neurons, and estimate the probability of all of them."""
    others = n - neurons

    def state(tilt: float) -> tuple[Moments, Moments, float]:
        law = tilted_by(tilt, d)
        bulk = moments(law, d, 0.0, threshold)
        if neurons > 2:
            alike = moments(law, d, threshold, reach)
        else:  # the tilted law of one neuron may be spread over two phases: only the likeliest weight counts
            weight = best_weight(float(neurons), others * bulk.mean, n, d, threshold, reach)
            overlap = (weight**2 / (3 + 2 * weight**2)) ** 3
            alike = Moments(0.0, overlap if neurons else 0.0, 0.0, 0.0)
        return bulk, alike, others * bulk.mean + neurons * alike.mean

    def excess(log_tilt: float) -> float:
        return log_tilt - math.log(_slope(n, state(math.exp(log_tilt))[2]))

    # the overlap lies between its untilted value and 1/8 for each
    most = math.log(_slope(n, state(0.0)[2]))
    least = min(math.log(_slope(n, n / 8)), most)
    step = 1e-6
    while excess(most + step) < 0:  # specialized neurons may give up more than the others gain
        step *= 2
    tilt = math.exp(brentq(excess, least - 1e-6, most + step, xtol=1e-13, rtol=1e-14))
    bulk, alike, total = state(tilt)
    rest = others * bulk.mean
    found = FixedNumber(n, d, neurons, threshold, reach, tilt, alike.mean, rest, 0.0)
    if neurons == 1:
        chance = one_neuron(rest, n, d, threshold, reach)[0]
    elif neurons == 2:
        edges, logs = first_neurons(found)
        chance = float(np.logaddexp.reduce(logs + np.log(np.diff(edges))))
    else:
        chance = log_tail_of_normal(math.sqrt(n / total))
        chance += neurons * (alike.log_total - tilt * alike.mean)
    spread = others * bulk.variance + neurons * alike.variance
    estimate = (
        found.log_ways
        + others * (bulk.log_total - tilt * bulk.mean)
        + chance
        - 0.5 * math.log1p(curvature_of_chance(n, total) * spread)
    )
    return replace(found, log_probability=estimate)


def first_neurons(found: FixedNumber) -> tuple[Array, Array]:
    """Return the law of one of two or more specialized neurons, all others but the last at the saddle point.

    Returns
    -------
    tuple of ndarray
        Edges of cells, which are narrow where the law has its peak, and the logarithm of its density at their centers.
    """
    n, d, low, high = found.n, found.d, found.threshold, found.reach
    before = found.rest + (found.neurons - 2) * found.overlap
    center = best_weight(2.0, before, n, d, low, high)
    edges = graded(low, center, high, scale_of(d))
    centers = 0.5 * (edges[1:] + edges[:-1])
    logs = math.log(2) + 0.5 * math.log(d) - LOG_ROOT_2PI - d * centers**2 / 2
    over_one_neuron(before + psi(centers**2), n, d, low, high, logs, np.zeros(logs.size))
    return edges, logs


def scale_of(d: float) -> float:
    """Return the smaller of the scales on which laws of weights vary: the deviation, and that of the overlap."""
    return min(1 / math.sqrt(d), 0.5)


def graded(low: float, center: float, high: float, scale: float, cells: int = _CELLS) -> Array:
    """Return edges of cells whose width grows with their distance from a center, from a small part of a scale."""
    start, end = (math.asinh((edge - center) / scale) for edge in (low, high))
    edges = center + scale * np.sinh(np.linspace(start, end, cells + 1))
    edges[0], edges[-1] = low, high
    return np.asarray(edges)


def fixed_numbers(n: float, d: float) -> list[FixedNumber]:
    """Return all numbers of specialized neurons that matter, from 0 up."""
    threshold, reach = bounds_of_specialized(n, d)
    found: list[FixedNumber] = []
    best = -math.inf
    for neurons in range(int(min(n, _MOST)) + 1):
        entry = fixed_number(n, d, neurons, threshold, reach)
        found.append(entry)
        best = max(best, entry.log_probability)
        if neurons > 1 and entry.log_probability < best - _NEGLIGIBLE:
            break
    return found


def _slope(n: float, total: float) -> float:
    """Return the slope of the logarithm of the chance to align in the sum of overlaps."""
    z = math.sqrt(n / total)
    return hazard(z) * z / (2 * total)


def curvature_of_chance(n: float, total: float) -> float:
    """Return minus the second derivative of the same."""
    z = math.sqrt(n / total)
    h = hazard(z)
    rising = z * (h - z) if z < 25 else 1 - 2 / z**2
    return h * z * (3 + rising) / (4 * total**2)
